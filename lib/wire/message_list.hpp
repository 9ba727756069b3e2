#pragma once

#include "wire/codec.hpp"
#include "wire/frame.hpp"

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>
#include <boost/mp11/set.hpp>
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace almenara::wire {

/// A message and its number on the wire, which is never used for anything else.
template <class Message, std::uint16_t Number>
struct listed {
    using message = Message;
    static constexpr message_type type{Number};
    using number = std::integral_constant<std::uint16_t, Number>;
};

/// The messages of one room. A test joins the lists of all rooms and refuses doubles.
template <class... Listed>
struct message_list {};

namespace detail {

template <class Entry>
using number_of_entry = typename Entry::number;
template <class Entry>
using message_of_entry = typename Entry::message;

} // namespace detail

/// Whether no number and no message stands twice in the list.
template <class List>
[[nodiscard]] consteval bool has_no_doubles() {
    using namespace boost::mp11;
    return mp_is_set<mp_transform<detail::number_of_entry, List>>::value &&
           mp_is_set<mp_transform<detail::message_of_entry, List>>::value;
}

/// The number of a message in its list.
template <class List, class Message>
[[nodiscard]] consteval message_type type_of() {
    using namespace boost::mp11;
    using messages = mp_transform<detail::message_of_entry, List>;
    static_assert(mp_contains<messages, Message>::value, "the message is not in the list");
    return mp_at<List, mp_find<messages, Message>>::type;
}

/// Appends a message of a list as a frame.
template <class List, described_struct Message>
void append_message(const Message& message,
                    base::byte_vector& out,
                    frame_header header = {},
                    base::byte_view attachment = {}) {
    header.type = type_of<List, Message>();
    append_frame(header, message, out, attachment);
}

/// Calls `visit.template operator()<Message>(type)` for each message of the list.
template <class List, class Visitor>
void for_each_message(Visitor&& visit) {
    boost::mp11::mp_for_each<boost::mp11::mp_transform<boost::mp11::mp_identity, List>>(
        [&](auto entry) {
            using listed_message = typename decltype(entry)::type;
            visit.template operator()<typename listed_message::message>(listed_message::type);
        });
}

/// Decodes the frame's body as the message that its type names and hands it to
/// `handle(message, attachment)`. A type that is not in the list is skipped if the sender said that
/// it may be, else it is a failure.
template <class List, class Handler>
[[nodiscard]] result<void> dispatch(const frame& whole, Handler&& handle) {
    std::optional<result<void>> outcome;
    for_each_message<List>([&]<class Message>(message_type type) {
        if (outcome || type != whole.header.type) {
            return;
        }
        auto body = decode_front<Message>(whole.payload);
        if (!body) {
            outcome = body.error();
            return;
        }
        handle(std::move(body->value), body->rest);
        outcome = result<void>{};
    });
    if (outcome) {
        return *outcome;
    }
    if (whole.header.flags.has(frame_flag::ignorable)) {
        return {};
    }
    return error{errc::unknown_type,
                 fmt::format("reading a frame: message type {:#06x} is not known here",
                             whole.header.type.value())};
}

} // namespace almenara::wire
