#pragma once

#include "base/bytes.hpp"
#include "wire/client_messages.hpp"

#include <concepts>
#include <type_traits>
#include <variant>

/// Who says what on a connection between a client and a server.
namespace almenara::client {

using to_server = std::variant<wire::c_hello,
                               wire::ping,
                               wire::pong,
                               wire::bye,
                               wire::status_request,
                               wire::login,
                               wire::attach,
                               wire::session_close,
                               wire::operation,
                               wire::read,
                               wire::whois,
                               wire::admin>;

using from_server = std::variant<wire::welcome,
                                 wire::reject,
                                 wire::ping,
                                 wire::pong,
                                 wire::bye,
                                 wire::error_reply,
                                 wire::status_reply,
                                 wire::login_ok,
                                 wire::attached,
                                 wire::session_closed,
                                 wire::operation_result,
                                 wire::read_result,
                                 wire::primary_is,
                                 wire::redirect,
                                 wire::members,
                                 wire::admin_result>;

/// The message as it goes over a connection.
void append_to(base::byte_vector& out, const to_server& message);

/// Whether a message is one of a variant's.
template <class Message, class Variant>
struct is_one_of;
template <class Message, class... Said>
struct is_one_of<Message, std::variant<Said...>>
    : std::bool_constant<(std::same_as<Message, Said> || ...)> {};

/// The reply that belongs to each request, and whether a server that is not the primary may name
/// the one that is instead.
template <class Request>
struct reply_to;
template <class Reply, bool ByPrimary>
struct replied_by {
    using type = Reply;
    static constexpr bool by_primary = ByPrimary;
};
template <>
struct reply_to<wire::ping> : replied_by<wire::pong, false> {};
template <>
struct reply_to<wire::status_request> : replied_by<wire::status_reply, false> {};
template <>
struct reply_to<wire::whois> : replied_by<wire::primary_is, false> {};
template <>
struct reply_to<wire::login> : replied_by<wire::login_ok, true> {};
template <>
struct reply_to<wire::attach> : replied_by<wire::attached, true> {};
template <>
struct reply_to<wire::session_close> : replied_by<wire::session_closed, true> {};
template <>
struct reply_to<wire::operation> : replied_by<wire::operation_result, true> {};
template <>
struct reply_to<wire::read> : replied_by<wire::read_result, true> {};
template <>
struct reply_to<wire::admin> : replied_by<wire::admin_result, true> {};

/// What comes back for a request that is not refused.
using reply = std::variant<wire::pong,
                           wire::status_reply,
                           wire::primary_is,
                           wire::login_ok,
                           wire::attached,
                           wire::session_closed,
                           wire::operation_result,
                           wire::read_result,
                           wire::admin_result,
                           wire::redirect>;

} // namespace almenara::client
