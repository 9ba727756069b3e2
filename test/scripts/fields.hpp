#pragma once

#include "base/strong.hpp"
#include "scripts/words.hpp"
#include "wire/described.hpp"

#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>
#include <fmt/format.h>

#include <array>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

/// Sets members of described structs by their names: `rank.last_epoch=2`.
namespace almenara::scripts {

namespace detail {

template <class T>
struct optional_of : std::false_type {};
template <class T>
struct optional_of<std::optional<T>> : std::true_type {};

template <class Enum>
[[nodiscard]] Enum enumerator_of(std::string_view name) {
    Enum value{};
    if (!boost::describe::enum_from_string(std::string{name}.c_str(), value)) {
        throw script_error{fmt::format("'{}' is not a value of this field", name)};
    }
    return value;
}

} // namespace detail

template <class T>
void set_field(T& value, std::string_view path, std::string_view text) {
    if constexpr (detail::optional_of<T>::value) {
        if (!value) {
            value.emplace();
        }
        set_field(*value, path, text);
    } else if constexpr (wire::described_struct<T>) {
        const std::size_t dot = std::min(path.find('.'), path.size());
        const std::string_view name = path.substr(0, dot);
        const std::string_view behind = path.substr(std::min(dot + 1, path.size()));
        bool found = false;
        wire::visit_members(value, [&](const char* member_name, auto& member) {
            if (name == member_name) {
                found = true;
                set_field(member, behind, text);
            }
        });
        if (!found) {
            throw script_error{fmt::format("{} has no field '{}'", wire::name_of<T>(), name)};
        }
    } else if constexpr (wire::described_enum<T>) {
        value = detail::enumerator_of<T>(text);
    } else if constexpr (std::same_as<T, bool>) {
        value = text == "yes";
    } else if constexpr (std::unsigned_integral<T>) {
        value = static_cast<T>(number_of(text));
    } else if constexpr (base::strong_type<T>) {
        if constexpr (std::unsigned_integral<typename T::rep>) {
            value = T{static_cast<typename T::rep>(number_of(text))};
        } else {
            throw script_error{"a script cannot say bytes"};
        }
    } else {
        throw script_error{fmt::format("field '{}' cannot be set by a script", path)};
    }
}

} // namespace almenara::scripts
