#pragma once

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "wire/codec.hpp"
#include "wire/described.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <concepts>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>

/// How described structs look in logs and in the failures of tests:
/// `c_hello{request=1, protocol=1, client_name="almenara"}`.
namespace almenara::wire {

namespace detail {

void print_quoted(std::string& out, std::string_view text);

template <class T>
void print(std::string& out, const T& value) {
    if constexpr (described_struct<T>) {
        out += name_of<T>();
        out += '{';
        bool first = true;
        visit_members(value, [&](const char* name, const auto& member) {
            out += first ? "" : ", ";
            first = false;
            out += name;
            out += '=';
            print(out, member);
        });
        out += '}';
    } else if constexpr (described_enum<T>) {
        const std::string_view name = enumerator_name(value);
        if (name.empty()) {
            out += fmt::format("{}", number_of<T>::get(value));
        } else {
            out += name;
        }
    } else if constexpr (base::flags_type<T>) {
        out += fmt::format("{:#x}", value.bits());
    } else if constexpr (is_chrono_duration<T>::value) {
        out += to_string(duration{value});
    } else if constexpr (std::same_as<T, wall_time>) {
        out += to_string(value);
    } else if constexpr (std::same_as<T, std::string>) {
        print_quoted(out, value);
    } else if constexpr (std::same_as<T, base::byte_vector> || base::is_byte_array<T>::value) {
        out += base::to_hex(value);
    } else if constexpr (is_optional<T>::value) {
        if (value) {
            print(out, *value);
        } else {
            out += "none";
        }
    } else if constexpr (is_vector<T>::value) {
        out += '[';
        for (const auto& element : value) {
            out += &element == &value.front() ? "" : ", ";
            print(out, element);
        }
        out += ']';
    } else {
        out += fmt::format("{}", value);
    }
}

} // namespace detail

template <class T>
    requires described_struct<T> || described_enum<T>
[[nodiscard]] std::string to_text(const T& value) {
    std::string text;
    detail::print(text, value);
    return text;
}

} // namespace almenara::wire

template <class T>
    requires almenara::wire::described_struct<T> || almenara::wire::described_enum<T>
struct fmt::formatter<T> : fmt::formatter<std::string> {
    template <class Context>
    auto format(const T& value, Context& context) const {
        return fmt::formatter<std::string>::format(almenara::wire::to_text(value), context);
    }
};
