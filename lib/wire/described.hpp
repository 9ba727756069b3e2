#pragma once

#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>

#include <concepts>
#include <string_view>
#include <type_traits>

namespace almenara::wire {

/// A struct that was declared with ALMENARA_DESCRIBE.
template <class T>
concept described_struct = requires(const T* type) {
    { described_name(type) } -> std::same_as<std::string_view>;
};

/// An enum that was declared with ALMENARA_DESCRIBE_ENUM.
template <class T>
concept described_enum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;

/// The name of a described struct, as it stands in the code.
template <described_struct T>
[[nodiscard]] constexpr std::string_view name_of() {
    return described_name(static_cast<const T*>(nullptr));
}

/// The name of an enum's value; empty for a value that only a newer peer knows.
template <described_enum T>
[[nodiscard]] std::string_view enumerator_name(T value) {
    return boost::describe::enum_to_string(value, "");
}

/// The members in the order of their declaration, which is their order on the wire.
template <described_struct T>
using members_of = boost::describe::describe_members<T, boost::describe::mod_public>;

/// Calls `visit(name, member)` for each member.
template <class T, class Visitor>
    requires described_struct<std::remove_const_t<T>>
constexpr void visit_members(T& value, Visitor&& visit) {
    boost::mp11::mp_for_each<members_of<std::remove_const_t<T>>>(
        [&](auto member) { visit(member.name, value.*member.pointer); });
}

template <described_struct T>
[[nodiscard]] bool equal_members(const T& a, const T& b) {
    bool equal = true;
    boost::mp11::mp_for_each<members_of<T>>(
        [&](auto member) { equal = equal && a.*member.pointer == b.*member.pointer; });
    return equal;
}

} // namespace almenara::wire

/// The one declaration of a message or a part of one, behind the struct and in its namespace:
///
///     struct ping { request_id request; };
///     ALMENARA_DESCRIBE(ping, request)
///
/// It gives equality and its name here, the codec (wire/codec.hpp), printing (wire/print.hpp) and
/// JSON (wire/json.hpp). New fields are appended, never inserted, renamed in meaning or removed.
#define ALMENARA_DESCRIBE(Type, ...)                                                               \
    BOOST_DESCRIBE_STRUCT(Type, (), (__VA_ARGS__))                                                 \
    constexpr std::string_view described_name(const Type*) {                                       \
        return #Type;                                                                              \
    }                                                                                              \
    inline bool operator==(const Type& a, const Type& b) {                                         \
        return ::almenara::wire::equal_members(a, b);                                              \
    }

/// The same for an enum: its values have names. On the wire it is its number.
#define ALMENARA_DESCRIBE_ENUM(Type, ...) BOOST_DESCRIBE_ENUM(Type, __VA_ARGS__)
