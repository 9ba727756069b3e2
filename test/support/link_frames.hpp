#pragma once

#include "base/check.hpp"
#include "replica/messages.hpp"
#include "wire/frame.hpp"
#include "wire/message_list.hpp"

#include <optional>
#include <utility>
#include <variant>

/// Messages between servers as frames and back, as a driver of links will do it.
namespace almenara::test {

inline void append_link_frame(const replica::message& message,
                              base::byte_vector& out,
                              wire::frame_header header) {
    std::visit(
        [&](const auto& one) { wire::append_message<replica::link_messages>(one, out, header); },
        message);
}

/// The message of a whole frame; nothing if it is none that servers say.
[[nodiscard]] inline std::optional<replica::message> read_link_frame(const wire::frame& whole) {
    std::optional<replica::message> message;
    const auto read = wire::dispatch<replica::link_messages>(
        whole, [&message]<class Message>(Message&& one, base::byte_view) {
            message.emplace(std::in_place_type<std::decay_t<Message>>, std::forward<Message>(one));
        });
    return read ? std::move(message) : std::nullopt;
}

} // namespace almenara::test
