#include "client/failure.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <utility>

namespace almenara::client {

std::string_view to_string(failure_kind kind) {
    switch (kind) {
    case failure_kind::not_allowed:
        return "not_allowed";
    case failure_kind::not_resolved:
        return "not_resolved";
    case failure_kind::refused:
        return "refused";
    case failure_kind::unreachable:
        return "unreachable";
    case failure_kind::timed_out:
        return "timed_out";
    case failure_kind::rejected:
        return "rejected";
    case failure_kind::mismatch:
        return "mismatch";
    case failure_kind::broken_rules:
        return "broken_rules";
    case failure_kind::closed:
        return "closed";
    case failure_kind::declined:
        return "declined";
    case failure_kind::elsewhere:
        return "elsewhere";
    case failure_kind::no_primary:
        return "no_primary";
    case failure_kind::busy:
        return "busy";
    case failure_kind::cancelled:
        return "cancelled";
    case failure_kind::other_cluster:
        return "other_cluster";
    case failure_kind::not_kept:
        return "not_kept";
    }
    return "unknown";
}

failure::failure(failure_kind what_kind, std::string reason)
    : kind(what_kind), why(std::move(reason)) {}

std::ostream& operator<<(std::ostream& out, const failure& why) {
    return out << to_string(why.kind) << ": " << why.why;
}

failure elsewhere(const wire::redirect& to) {
    failure why{failure_kind::no_primary, "no server is primary now"};
    why.retry_after = to.retry_after;
    if (to.primary) {
        why.kind = failure_kind::elsewhere;
        why.why = fmt::format("server {} is primary", to.primary->id);
        if (!to.primary->addresses.empty()) {
            why.why += fmt::format(", at {}", base::escaped(to.primary->addresses.front()));
        }
    }
    return why;
}

namespace {

errc code_of_rejection(std::optional<wire::reject_code> code) {
    if (code == wire::reject_code::denied) {
        return errc::denied;
    }
    return code == wire::reject_code::protocol ? errc::unsupported : errc::unavailable;
}

errc code_of_refusal(std::optional<wire::result_code> code) {
    if (!code) {
        return errc::invalid;
    }
    switch (*code) {
    case wire::result_code::invalid:
        return errc::invalid;
    case wire::result_code::forbidden:
    case wire::result_code::unauthenticated:
        return errc::denied;
    case wire::result_code::busy:
        return errc::unavailable;
    case wire::result_code::conflict:
        return errc::conflict;
    case wire::result_code::not_found:
        return errc::not_found;
    default:
        return errc::unsupported; // Among them a reason that only a newer server knows.
    }
}

errc code_of(const failure& why) {
    switch (why.kind) {
    case failure_kind::not_allowed:
        return errc::invalid;
    case failure_kind::not_resolved:
    case failure_kind::refused:
    case failure_kind::closed:
    case failure_kind::elsewhere:
    case failure_kind::no_primary:
    case failure_kind::busy:
    case failure_kind::cancelled:
        return errc::unavailable;
    case failure_kind::unreachable:
        return why.cause == std::errc::permission_denied ? errc::denied : errc::unavailable;
    case failure_kind::timed_out:
        return errc::timed_out;
    case failure_kind::rejected:
        return code_of_rejection(why.reject);
    case failure_kind::mismatch:
        return errc::unsupported;
    case failure_kind::broken_rules:
        return errc::malformed;
    case failure_kind::other_cluster:
        return errc::conflict;
    case failure_kind::not_kept:
        return errc::system_failed;
    case failure_kind::declined:
        return code_of_refusal(why.refusal);
    }
    return errc::malformed;
}

} // namespace

error to_error(const failure& why) {
    return error{code_of(why), why.why, why.cause};
}

void throw_exception_from_error(const failure& why, const boost::source_location& where) {
    almenara::throw_exception_from_error(to_error(why), where);
}

} // namespace almenara::client
