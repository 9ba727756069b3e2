#pragma once

#include <compare>
#include <concepts>
#include <initializer_list>
#include <type_traits>

namespace almenara::base {

/// A set of the bits that a scoped enum names: `flags<frame_flag>{frame_flag::ignorable}`.
/// Bits that the enum does not name are kept, so a newer peer's flags survive a round trip.
template <class Enum>
    requires std::is_enum_v<Enum> && std::unsigned_integral<std::underlying_type_t<Enum>>
class flags {
  public:
    using rep = std::underlying_type_t<Enum>;

    constexpr flags() = default;
    constexpr flags(std::initializer_list<Enum> set) {
        for (const Enum flag : set) {
            this->set(flag);
        }
    }

    [[nodiscard]] static constexpr flags from_bits(rep bits) {
        flags result;
        result.bits_ = bits;
        return result;
    }

    [[nodiscard]] constexpr rep bits() const { return bits_; }
    [[nodiscard]] constexpr bool has(Enum flag) const {
        return (bits_ & static_cast<rep>(flag)) == static_cast<rep>(flag);
    }

    constexpr flags& set(Enum flag) {
        bits_ = static_cast<rep>(bits_ | static_cast<rep>(flag));
        return *this;
    }
    constexpr flags& clear(Enum flag) {
        bits_ = static_cast<rep>(bits_ & ~static_cast<rep>(flag));
        return *this;
    }

    friend constexpr bool operator==(const flags&, const flags&) = default;

  private:
    rep bits_ = 0;
};

template <class T>
struct is_flags : std::false_type {};
template <class Enum>
struct is_flags<flags<Enum>> : std::true_type {};
template <class T>
concept flags_type = is_flags<T>::value;

} // namespace almenara::base
