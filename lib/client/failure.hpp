#pragma once

#include "base/error.hpp"
#include "wire/client_messages.hpp"

#include <boost/system/result.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::client {

/// Why there is no answer. Callers act differently on each.
enum class failure_kind : std::uint8_t {
    not_allowed,   ///< this version may not go there
    not_resolved,  ///< no address has that name
    refused,       ///< nobody listens there
    unreachable,   ///< the system could not get there
    timed_out,     ///< no answer within the time
    rejected,      ///< turned away at the door; `reject` says why
    mismatch,      ///< the two sides do not speak the same version
    broken_rules,  ///< what came back makes no sense
    closed,        ///< the server went away; `bye` says why, if it did say goodbye
    declined,      ///< the server answered that it will not; `refusal` says why
    elsewhere,     ///< another server is primary; `why` says who
    no_primary,    ///< servers answer, and none is primary now
    busy,          ///< too much waits for an answer on this connection already
    cancelled,     ///< the caller gave up
    other_cluster, ///< that server belongs to another cluster than the one that is asked
    not_kept,      ///< the state of this client cannot be written down
};

/// The name of a kind as it stands in logs: `timed_out`.
[[nodiscard]] std::string_view to_string(failure_kind kind);

/// A failure that somebody will read or act on. It has constructors because it passes through
/// coroutines (docs/style.md, trap 1).
struct failure {
    failure() = default;
    failure(failure_kind kind, std::string why);

    failure_kind kind = failure_kind::broken_rules;
    std::string why; ///< for people, without a full stop; what a server sent in it is escaped
    std::optional<wire::reject_code> reject{};
    std::optional<wire::bye_reason> bye{};
    std::optional<wire::result_code> refusal{};
    std::chrono::milliseconds retry_after{0}; ///< zero: the server did not say
    std::vector<std::string> tried{};         ///< the addresses, in the order of the attempts
    std::error_code cause{};                  ///< set when the operating system said why

    friend bool operator==(const failure&, const failure&) = default;
};

std::ostream& operator<<(std::ostream& out, const failure& why);

/// Only the primary does that, and it is not the server that was asked, or there is none.
[[nodiscard]] failure elsewhere(const wire::redirect& to);

/// A value, or the reason why there is none.
template <class T>
using outcome = boost::system::result<T, failure>;

/// The same failure for code that tells fewer kinds apart.
[[nodiscard]] error to_error(const failure& why);

/// Called by boost::system::result when value() is taken of a failure: a programming error.
[[noreturn]] void throw_exception_from_error(const failure& why,
                                             const boost::source_location& where);

} // namespace almenara::client
