#pragma once

#include "base/ids.hpp"
#include "base/session_ids.hpp"
#include "wire/client_messages.hpp"

#include <variant>

namespace almenara::server {

/// What a client asks of the reception; other messages are the session's own matter.
using client_request = std::variant<wire::login,
                                    wire::attach,
                                    wire::session_close,
                                    wire::operation,
                                    wire::read,
                                    wire::whois>;

using client_answer = std::variant<wire::login_ok,
                                   wire::attached,
                                   wire::session_closed,
                                   wire::operation_result,
                                   wire::read_result,
                                   wire::primary_is,
                                   wire::redirect,
                                   wire::admin_result,
                                   wire::error_reply>;

/// Of a request, or of what it is answered.
[[nodiscard]] request_id number_of(const client_request& what);
[[nodiscard]] request_id number_of(const client_answer& what);

/// Of a request that is about one; else the one that is nobody's.
[[nodiscard]] session_id session_of(const client_request& what);

/// C.3: whether it must not pass earlier ones of its connection or session. A question may.
[[nodiscard]] bool keeps_order(const client_request& what);

/// When there is no room for it, or it has waited too long. `is_new`: no earlier attempt of the
/// same request left anything, which only the desk can say. Else it may be a repeat of one that
/// was done, or is on its way, and BUSY would not be true (C.0).
[[nodiscard]] wire::result_code code_without_room(const client_request& what, bool is_new);

/// How it is said that nothing came of a request (C.0): operations and reads by their own answer,
/// everything else by error_reply.
[[nodiscard]] client_answer refusal_of(const client_request& what,
                                       wire::result_code code,
                                       almenara::epoch epoch = {});

/// An answer on its way. `rests_on` is the newest entry that it shows, `session` whose result it
/// is: for who watches over what is said.
struct leaving {
    connection_id connection;
    client_answer what;
    log_index rests_on;
    session_id session;
};

} // namespace almenara::server
