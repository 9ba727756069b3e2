#pragma once

#include <cstddef>

/// Numbers of a fixed width at a fixed place: headers of frames and of what is on the disk.
namespace almenara::base {

template <class Number>
void put_fixed(std::byte* at, Number number) {
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
        at[i] = static_cast<std::byte>(number >> (8 * i));
    }
}

template <class Number>
[[nodiscard]] Number get_fixed(const std::byte* at) {
    Number number = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
        number = static_cast<Number>(number | std::to_integer<Number>(at[i]) << (8 * i));
    }
    return number;
}

} // namespace almenara::base
