#include "client/operation_error.hpp"

#include "wire/described.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace almenara::client {

namespace {

using wire::result_code;

/// When nobody said it better.
std::string_view usual_reason(result_code code) {
    switch (code) {
    case result_code::conflict:
        return "the state is not as the request expects it";
    case result_code::not_found:
        return "it is not there";
    case result_code::forbidden:
    case result_code::unauthenticated:
        return "this user may not do that";
    case result_code::invalid:
        return "no server takes that";
    case result_code::quota:
        return "the user's quota is used up";
    case result_code::too_large:
        return "it is too large";
    case result_code::busy:
        return "the servers are busy";
    case result_code::no_space:
        return "the servers' disks are full";
    case result_code::retry_elsewhere:
        return "no server is primary now";
    case result_code::stale:
        return "its result was given up before";
    case result_code::session_expired:
        return "the session has expired";
    case result_code::uncertain:
        return "no answer came within the time";
    case result_code::cancelled:
        return "it was given up and did not happen";
    case result_code::unsupported:
        return "the servers do not know this request";
    case result_code::ok:
        break;
    }
    return "the answer makes no sense";
}

/// Nobody has to change anything for the same to succeed.
bool passes_by_itself(result_code code) {
    return code == result_code::busy || code == result_code::retry_elsewhere ||
           code == result_code::session_expired || code == result_code::cancelled;
}

} // namespace

operation_error::operation_error(answer&& how, bool is_write)
    : code_(how.code),
      why_(how.why.empty() ? std::string{usual_reason(how.code)} : std::move(how.why)),
      is_retryable_(passes_by_itself(how.code) ||
                    // A question changes nothing: it may be asked again whatever became of it.
                    (!is_write && how.code == result_code::uncertain)),
      trouble_(std::move(how.trouble)),
      detail_(std::move(how.body)) {
    if (trouble_) {
        why_ = trouble_->why;
        is_retryable_ = is_retryable_ && trouble_->kind != failure_kind::not_allowed &&
                        trouble_->kind != failure_kind::mismatch &&
                        trouble_->kind != failure_kind::not_kept;
    }
}

operation_error operation_error::of_nonsense() {
    operation_error what;
    what.why_ = "the answer is not one to this request";
    return what;
}

std::ostream& operator<<(std::ostream& out, const operation_error& why) {
    return out << wire::enumerator_name(why.code()) << ": " << why.why();
}

void throw_exception_from_error(const operation_error& why, const boost::source_location& where) {
    throw std::logic_error{fmt::format("value taken of a failed request at {}:{}: {}",
                                       where.file_name(), where.line(), why.why())};
}

} // namespace almenara::client
