#pragma once

#include "base/bytes.hpp"
#include "support/voices.hpp"
#include "wire/client_messages.hpp"
#include "wire/frame.hpp"
#include "wire/message_list.hpp"

#include <boost/mp11/algorithm.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

/// An input that is played step by step, and what such a step may send.
namespace almenara::fuzz {

/// Takes numbers off the front of the input; zero when there is nothing left.
class numbers {
  public:
    explicit numbers(base::byte_view bytes) : rest_(bytes) {}

    [[nodiscard]] bool any_left() const { return !rest_.empty(); }
    [[nodiscard]] std::uint8_t next() {
        if (rest_.empty()) {
            return 0;
        }
        const auto number = std::to_integer<std::uint8_t>(rest_.front());
        rest_ = rest_.subspan(1);
        return number;
    }
    [[nodiscard]] base::byte_view bytes(std::size_t count) {
        const base::byte_view taken = rest_.first(std::min(count, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

  private:
    base::byte_view rest_;
};

/// The message at that place of the list: without content, but for what `change` gives it.
template <class Change>
[[nodiscard]] base::byte_vector message_at(std::uint8_t place, Change&& change) {
    base::byte_vector bytes;
    std::size_t at = place % boost::mp11::mp_size<wire::client_messages>::value;
    wire::for_each_message<wire::client_messages>([&]<class Message>(wire::message_type) {
        if (at-- == 0) {
            Message message{};
            change(message);
            bytes = test::bytes_of(message);
        }
    });
    return bytes;
}

[[nodiscard]] inline base::byte_vector message_at(std::uint8_t place) {
    return message_at(place, [](auto&) {});
}

/// A whole frame with a right checksum around any body.
[[nodiscard]] inline base::byte_vector frame_around(wire::frame_header header,
                                                    base::byte_view body) {
    base::byte_vector bytes(wire::header_size + body.size());
    std::copy(body.begin(), body.end(), bytes.begin() + wire::header_size);
    wire::detail::seal_frame(bytes.data(), bytes.size(), header);
    return bytes;
}

/// The same around what the input says: type (low byte), flags, count, bytes.
[[nodiscard]] inline base::byte_vector any_frame(numbers& input) {
    wire::frame_header header;
    header.type = wire::message_type{static_cast<std::uint16_t>(0x0200U + input.next())};
    header.flags = wire::frame_flags::from_bits(input.next());
    return frame_around(header, input.bytes(input.next()));
}

/// Only the beginning of a message: place, count.
[[nodiscard]] inline base::byte_vector begin_of_message(numbers& input) {
    base::byte_vector bytes = message_at(input.next());
    bytes.resize(std::min<std::size_t>(input.next(), bytes.size()));
    return bytes;
}

/// That much of one byte: KiB, byte.
[[nodiscard]] inline base::byte_vector flood(numbers& input) {
    const std::size_t size = std::size_t{1024} * input.next();
    return base::byte_vector(size, std::byte{input.next()});
}

} // namespace almenara::fuzz
