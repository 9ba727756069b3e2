#pragma once

#include "base/bytes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <type_traits>

namespace almenara::base {

template <class T>
struct is_byte_array : std::false_type {};
template <std::size_t N>
struct is_byte_array<std::array<std::byte, N>> : std::true_type {};

/// What a strong type may hold: an unsigned number, or a run of opaque bytes such as a UUID.
template <class Rep>
concept strong_representation = std::unsigned_integral<Rep> || is_byte_array<Rep>::value;

/// Style 4: an id, count or position with a type of its own. It is made explicitly, ordered,
/// hashable and printable, and the codec writes it as its representation.
///
///     using server_id = base::strong<struct server_id_tag, std::uint16_t>;
template <class Tag, strong_representation Rep>
class strong {
  public:
    using rep = Rep;

    constexpr strong() = default;
    constexpr explicit strong(Rep value) : value_(value) {}

    [[nodiscard]] constexpr Rep value() const { return value_; }

    /// The id or position after this one.
    [[nodiscard]] constexpr strong next() const
        requires std::unsigned_integral<Rep>
    {
        return strong{static_cast<Rep>(value_ + 1)};
    }

    friend constexpr auto operator<=>(const strong&, const strong&) = default;
    friend constexpr bool operator==(const strong&, const strong&) = default;

    friend std::ostream& operator<<(std::ostream& out, const strong& id) {
        return out << fmt::format("{}", id);
    }

  private:
    Rep value_{};
};

template <class T>
struct is_strong : std::false_type {};
template <class Tag, class Rep>
struct is_strong<strong<Tag, Rep>> : std::true_type {};
template <class T>
concept strong_type = is_strong<T>::value;

} // namespace almenara::base

template <class Tag, class Rep>
struct std::hash<almenara::base::strong<Tag, Rep>> {
    std::size_t operator()(const almenara::base::strong<Tag, Rep>& id) const noexcept {
        if constexpr (std::unsigned_integral<Rep>) {
            return std::hash<Rep>{}(id.value());
        } else {
            // The bytes of such ids are random or a hash: any eight of them spread well.
            static_assert(std::tuple_size_v<Rep> >= sizeof(std::uint64_t));
            std::uint64_t head = 0;
            for (std::size_t i = 0; i < sizeof(head); ++i) {
                head = head << 8 | std::to_integer<std::uint64_t>(id.value()[i]);
            }
            return std::hash<std::uint64_t>{}(head);
        }
    }
};

/// Numbers print in decimal, opaque bytes in hex.
template <class Tag, class Rep>
struct fmt::formatter<almenara::base::strong<Tag, Rep>> {
    constexpr auto parse(format_parse_context& context) { return context.begin(); }

    template <class Context>
    auto format(const almenara::base::strong<Tag, Rep>& id, Context& context) const {
        if constexpr (std::unsigned_integral<Rep>) {
            return write(std::to_string(id.value()), context.out());
        } else {
            const Rep bytes = id.value();
            return write(almenara::base::to_hex(bytes), context.out());
        }
    }

  private:
    // Not fmt::format_to: that one compiles all of fmt's formatting into each file that prints.
    template <class Out>
    static Out write(const std::string& text, Out out) {
        return std::copy(text.begin(), text.end(), out);
    }
};
