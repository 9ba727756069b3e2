#include "complaint.hpp"

#include "base/version.hpp"
#include "wire/json.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace almenara::cli {

using client::failure;
using client::failure_kind;

complaint::complaint(
    exit_code exit_with, errc kind, std::string about, std::string reason, std::string hint)
    : exit(exit_with),
      code(kind),
      what(std::move(about)),
      why(std::move(reason)),
      next(std::move(hint)) {}

std::string complaint::text() const {
    return fmt::format("{}: {}.{}{}", what, why, next.empty() ? "" : " ", next);
}

std::string complaint::json() const {
    boost::json::object inner;
    inner["code"] = answer_code.empty() ? std::string{to_string(code)} : answer_code;
    inner["message"] = text();
    if (retry_after > retry_after.zero()) {
        inner["retry_after_ms"] = retry_after.count();
    }
    boost::json::object outer;
    if (swapped) {
        outer["swapped"] = *swapped;
    }
    outer["error"] = std::move(inner);
    return boost::json::serialize(outer);
}

void throw_exception_from_error(const complaint& why, const boost::source_location& where) {
    throw std::logic_error(fmt::format("value taken of a failed outcome at {}:{}: {}",
                                       where.file_name(), where.line(), why.text()));
}

complaint usage_complaint(std::string what, std::string why, std::string next) {
    return complaint{exit_code::usage, errc::invalid, std::move(what), std::move(why),
                     std::move(next)};
}

namespace {

exit_code exit_of(errc code) {
    switch (code) {
    case errc::unavailable:
    case errc::timed_out: // Of a question: what is unknown is an answer (complaint_about).
        return exit_code::unavailable;
    case errc::denied:
        return exit_code::denied;
    case errc::not_found:
        return exit_code::not_found;
    case errc::conflict:
        return exit_code::conflict;
    case errc::invalid:
        return exit_code::usage;
    default:
        return exit_code::failed;
    }
}

std::string try_again(std::chrono::milliseconds after) {
    return after > after.zero() ? fmt::format("Try again in {}.", to_string(duration{after}))
                                : std::string{"Try again later."};
}

std::string next_after_rejection(const failure& why) {
    return why.reject == wire::reject_code::denied ? "Ask whoever runs the server."
                                                   : try_again(why.retry_after);
}

std::string next_after_refusal(const failure& why) {
    return why.refusal == wire::result_code::busy ? try_again(why.retry_after) : std::string{};
}

std::string what_next(const failure& why, duration timeout) {
    switch (why.kind) {
    case failure_kind::not_allowed: // It says so itself.
    case failure_kind::cancelled:
        return {};
    case failure_kind::refused:
        return "Start a server there, or name another one with -s.";
    case failure_kind::not_resolved:
        return "Check the name behind -s.";
    case failure_kind::unreachable:
        return why.cause == std::errc::permission_denied
                   ? "Run it as the user of the server or as root."
                   : "Check the address behind -s.";
    case failure_kind::timed_out:
        return fmt::format("Try again, or allow more time with --timeout (it was {}).",
                           to_string(timeout));
    case failure_kind::rejected:
        return next_after_rejection(why);
    case failure_kind::mismatch:
        return fmt::format("Use the same version on both sides; this is almenara {}.", version);
    case failure_kind::broken_rules:
        return "Check that -s names an Almenara server.";
    case failure_kind::elsewhere:
        return "Ask it there: name its address with -s, or its admin.sock on its machine.";
    case failure_kind::no_primary:
        return "Try again later; 'almenara status' shows which servers are there.";
    case failure_kind::closed:
    case failure_kind::busy:
        return try_again(why.retry_after);
    case failure_kind::declined:
        return next_after_refusal(why);
    case failure_kind::other_cluster:
        return "Name servers of one cluster with -s.";
    case failure_kind::not_kept:
        return "Or use --no-state, which keeps nothing for the next run.";
    }
    return {};
}

} // namespace

namespace {

using wire::result_code;

struct meaning {
    exit_code exit = exit_code::failed;
    errc code = errc::unsupported;
    std::string_view why;
    std::string_view next;
};

/// What is said of each code when the server has not said it better.
meaning meaning_of(result_code code) {
    switch (code) {
    case result_code::conflict:
        return {exit_code::conflict, errc::conflict, "it is not as expected", "Read it again."};
    case result_code::stale:
        return {exit_code::conflict, errc::conflict, "its result was given up before", ""};
    case result_code::not_found:
        return {exit_code::not_found, errc::not_found, "it is not there", ""};
    case result_code::forbidden:
    case result_code::unauthenticated:
        return {exit_code::denied, errc::denied, "the server does not let this user do that",
                "Say who you are with -u USER, or ask whoever runs the servers."};
    case result_code::invalid:
        return {exit_code::usage, errc::invalid, "no server takes that", ""};
    case result_code::busy:
        return {exit_code::unavailable, errc::unavailable, "the servers are busy",
                "Try again later."};
    case result_code::uncertain:
        return {exit_code::unknown_outcome, errc::timed_out, "no answer came within the time",
                "It may have happened, or happen yet: look before you do it again."};
    case result_code::quota:
        return {exit_code::failed, errc::too_large, "the user's quota is used up",
                "Remove something, or ask whoever runs the servers."};
    case result_code::too_large:
        return {exit_code::failed, errc::too_large, "it is too large", ""};
    case result_code::no_space:
        return {exit_code::failed, errc::unavailable, "the servers' disks are full",
                "Remove something, or make room there."};
    case result_code::session_expired:
        return {exit_code::failed, errc::unavailable, "the session has expired", "Try again."};
    case result_code::cancelled:
        return {exit_code::failed, errc::unavailable, "it was given up and did not happen", ""};
    case result_code::retry_elsewhere:
        return {exit_code::unavailable, errc::unavailable, "no server is primary now",
                "Try again later."};
    case result_code::unsupported:
        return {exit_code::failed, errc::unsupported, "the server does not know this request",
                "Use the same version on both sides."};
    case result_code::ok:
        break;
    }
    return {exit_code::failed, errc::malformed, "the answer makes no sense", ""};
}

} // namespace

complaint complaint_about(std::string what, const client::answer& how, duration timeout) {
    if (how.code == result_code::cancelled) {
        // It did not happen, because no server could be asked: that is the reason to tell.
        const failure nobody{failure_kind::timed_out, "no server took it within the time"};
        return complaint_about(std::move(what), how.trouble.value_or(nobody), timeout);
    }
    const meaning usual = meaning_of(how.code);
    complaint about{usual.exit, usual.code, std::move(what),
                    how.why.empty() ? std::string{usual.why} : how.why, std::string{usual.next}};
    about.answer_code = wire::to_json(how.code).as_string();
    return about;
}

complaint complaint_about(std::string what, const failure& why, duration timeout) {
    const errc code = client::to_error(why).code;
    complaint about{exit_of(code), code, std::move(what), why.why, what_next(why, timeout)};
    about.retry_after = why.retry_after;
    return about;
}

complaint complaint_about_interrupt(std::string what, wire::result_code how) {
    const bool unknown = how == wire::result_code::uncertain;
    complaint told{exit_code::interrupted, unknown ? errc::timed_out : errc::unavailable,
                   std::move(what),
                   unknown ? "interrupted, and it may have happened or happen yet"
                           : "interrupted, and it did not happen",
                   unknown ? "Look before you do it again." : ""};
    told.answer_code = wire::to_json(how).as_string();
    return told;
}

} // namespace almenara::cli
