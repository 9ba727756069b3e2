#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "wire/codec.hpp"
#include "wire/frame.hpp"
#include "wire/message_list.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

/// The body of an operation, a question or a result: the number of a message in two bytes, little
/// endian, and the message. An empty body is none.
namespace almenara::services {

inline constexpr std::size_t body_header_size = 2;

template <class List, wire::described_struct Message>
[[nodiscard]] base::byte_vector body_of(const Message& message) {
    const auto number = wire::type_of<List, Message>().value();
    base::byte_vector body{static_cast<std::byte>(number & 0xffU),
                           static_cast<std::byte>(number >> 8U)};
    wire::encode(message, body);
    return body;
}

/// Calls `handle(message)` with the message of the list that the body holds; a failure if it holds
/// none, or something behind it.
template <class List, class Handler>
[[nodiscard]] result<void> dispatch_body(base::byte_view body, Handler&& handle) {
    if (body.size() < body_header_size) {
        return error{errc::truncated, "reading a body: the message's number is missing"};
    }
    const auto number = std::to_integer<unsigned>(body[0]) | std::to_integer<unsigned>(body[1])
                                                                 << 8U;
    const wire::frame whole{
        .header = {.type = wire::message_type{static_cast<std::uint16_t>(number)}},
        .payload = body.subspan(body_header_size)};
    bool is_whole = true;
    auto read = wire::dispatch<List>(whole, [&](auto message, base::byte_view rest) {
        is_whole = rest.empty();
        if (is_whole) {
            handle(std::move(message));
        }
    });
    if (read && !is_whole) {
        return error{errc::malformed, "reading a body: there is something behind the message"};
    }
    return read;
}

/// The message of that type that the body holds; nothing if it holds another one.
template <class List, wire::described_struct Message>
[[nodiscard]] std::optional<Message> message_in(base::byte_view body) {
    std::optional<Message> found;
    const auto read = dispatch_body<List>(body, [&]<class Other>(Other message) {
        if constexpr (std::same_as<Other, Message>) {
            found = std::move(message);
        }
    });
    return read ? found : std::nullopt;
}

} // namespace almenara::services
