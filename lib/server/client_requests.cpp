#include "server/client_requests.hpp"

#include "wire/user_name.hpp"

#include <string>

namespace almenara::server {

namespace {

/// For people; the codes that a refusal without a reply of its own can have.
std::string text_of(wire::result_code code) {
    switch (code) {
    case wire::result_code::busy:
        return "too much waits already. Try again";
    case wire::result_code::forbidden:
        return "this is for administrators";
    case wire::result_code::invalid:
        return std::string{wire::user_name_rule};
    case wire::result_code::retry_elsewhere:
        return "whether it happened is not known here. Ask whoever is primary now";
    case wire::result_code::session_expired:
        return "there is no such session any more";
    case wire::result_code::unauthenticated:
        return "the server does not know yet who asks: log in first";
    case wire::result_code::unsupported:
        return "this server does not know that kind of request. Is it older than the client?";
    default:
        return std::string{wire::enumerator_name(code)};
    }
}

} // namespace

request_id number_of(const client_request& what) {
    return std::visit([](const auto& asked) { return asked.request; }, what);
}

request_id number_of(const client_answer& what) {
    return std::visit([](const auto& told) { return told.request; }, what);
}

session_id session_of(const client_request& what) {
    return std::visit(
        []<class Request>(const Request& asked) {
            if constexpr (requires { asked.session; }) {
                return session_id{asked.session};
            } else {
                return session_id{};
            }
        },
        what);
}

bool keeps_order(const client_request& what) {
    return !std::holds_alternative<wire::read>(what) && !std::holds_alternative<wire::whois>(what);
}

wire::result_code code_without_room(const client_request& what, bool is_new) {
    // Asking and attaching leave nothing, so nothing came of an earlier attempt either.
    const bool leaves_nothing = !keeps_order(what) || std::holds_alternative<wire::attach>(what);
    return is_new || leaves_nothing ? wire::result_code::busy : wire::result_code::retry_elsewhere;
}

client_answer refusal_of(const client_request& what,
                         wire::result_code code,
                         almenara::epoch epoch) {
    if (const auto* const asked = std::get_if<wire::operation>(&what)) {
        wire::operation_result refusal;
        refusal.request = asked->request;
        refusal.seq = asked->seq;
        refusal.code = code;
        refusal.epoch = epoch;
        return refusal;
    }
    if (const auto* const asked = std::get_if<wire::read>(&what)) {
        wire::read_result refusal;
        refusal.request = asked->request;
        refusal.code = code;
        refusal.epoch = epoch;
        return refusal;
    }
    wire::error_reply refusal;
    refusal.request = number_of(what);
    refusal.code = code;
    refusal.text = text_of(code);
    refusal.epoch = epoch;
    return refusal;
}

} // namespace almenara::server
