#pragma once

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "wire/codec.hpp"
#include "wire/described.hpp"
#include "wire/print.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <concepts>
#include <string>
#include <type_traits>

/// Described structs as JSON: an object with the members' names as keys. Ids are numbers or hex,
/// enums their names, times ISO 8601, durations milliseconds, raw bytes hex, secrets "***", absent
/// optionals null.
namespace almenara::wire {

/// The text itself, for JSON has escapes of its own; text that is not UTF-8, which JSON cannot
/// hold, as base::escaped writes it.
[[nodiscard]] boost::json::value json_text(std::string_view text);

template <class T>
[[nodiscard]] boost::json::value to_json(const T& value) {
    using namespace detail;
    if constexpr (described_struct<T>) {
        boost::json::object object;
        visit_members(value, [&object](const char* name, const auto& member) {
            object.emplace(name, to_json(member));
        });
        return object;
    } else if constexpr (described_enum<T>) {
        const std::string_view name = enumerator_name(value);
        return name.empty() ? boost::json::value(number_of<T>::get(value))
                            : boost::json::value(name);
    } else if constexpr (std::same_as<T, bool>) {
        return boost::json::value(value);
    } else if constexpr (number_like<T>) {
        return boost::json::value(static_cast<std::uint64_t>(number_of<T>::get(value)));
    } else if constexpr (std::signed_integral<T>) {
        return boost::json::value(static_cast<std::int64_t>(value));
    } else if constexpr (is_chrono_duration<T>::value) {
        return boost::json::value(
            std::chrono::duration_cast<std::chrono::milliseconds>(value).count());
    } else if constexpr (std::same_as<T, wall_time>) {
        return boost::json::value(to_string(value));
    } else if constexpr (std::same_as<T, std::string>) {
        return json_text(value);
    } else if constexpr (std::same_as<T, base::byte_vector> || base::is_byte_array<T>::value) {
        return boost::json::value(base::to_hex(value));
    } else if constexpr (base::strong_type<T>) {
        return to_json(value.value());
    } else if constexpr (base::secret_type<T>) {
        return boost::json::value("***");
    } else if constexpr (is_optional<T>::value) {
        return value ? to_json(*value) : boost::json::value(nullptr);
    } else {
        static_assert(is_vector<T>::value, "no JSON for this type");
        boost::json::array array;
        for (const auto& element : value) {
            array.push_back(to_json(element));
        }
        return array;
    }
}

} // namespace almenara::wire
