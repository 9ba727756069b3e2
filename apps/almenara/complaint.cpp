#include "complaint.hpp"

#include "base/version.hpp"

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
    inner["code"] = to_string(code);
    inner["message"] = text();
    if (retry_after > retry_after.zero()) {
        inner["retry_after_ms"] = retry_after.count();
    }
    boost::json::object outer;
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
    case errc::timed_out: // Only questions are asked so far: nothing is left unknown.
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
        return "Name that server with -s.";
    case failure_kind::closed:
    case failure_kind::busy:
        return try_again(why.retry_after);
    case failure_kind::declined:
        return next_after_refusal(why);
    }
    return {};
}

} // namespace

complaint complaint_about(std::string what, const failure& why, duration timeout) {
    const errc code = client::to_error(why).code;
    complaint about{exit_of(code), code, std::move(what), why.why, what_next(why, timeout)};
    about.retry_after = why.retry_after;
    return about;
}

} // namespace almenara::cli
