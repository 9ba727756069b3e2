#pragma once

#include "base/bytes.hpp"
#include "wire/codec.hpp"

#include <cstddef>

namespace almenara::test {

template <wire::described_struct Message>
[[nodiscard]] base::byte_vector encoded(const Message& message) {
    base::byte_vector bytes;
    wire::encode(message, bytes);
    return bytes;
}

/// Whether a message that was read from any bytes, written and read again, is the same message,
/// and the same bytes when written once more.
template <wire::described_struct Message>
[[nodiscard]] bool survives_rewriting(const Message& message) {
    // Members of a newer peer were left out, so the bytes may be fewer than those it was read from,
    // and so would be what it may grow to.
    constexpr wire::decode_limits any_growth{.growth = std::size_t{1} << 20U};
    const base::byte_vector bytes = encoded(message);
    const auto again = wire::decode<Message>(bytes, any_growth);
    return again && *again == message && encoded(*again) == bytes;
}

} // namespace almenara::test
