#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "client/errands.hpp"
#include "client/failure.hpp"
#include "exit_code.hpp"

#include <boost/system/result.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace almenara::cli {

/// Why a command did not do what it was asked: `almenara: WHAT: WHY. What to do next.` It has a
/// constructor because it passes through coroutines (docs/style.md, trap 1).
struct complaint {
    complaint() = default;
    complaint(exit_code exit, errc code, std::string what, std::string why, std::string next);

    exit_code exit = exit_code::failed;
    errc code = errc::invalid; ///< what a script compares: `"code":"timed_out"`
    std::string what;          ///< the option, word or command it is about
    std::string why;
    std::string next; ///< what to do next, a sentence of its own; may be empty
    std::chrono::milliseconds retry_after{0};
    std::string answer_code;     ///< what the cluster answered, which scripts compare instead
    std::optional<bool> swapped; ///< of a cas

    /// `WHAT: WHY. What to do next.`
    [[nodiscard]] std::string text() const;
    /// `{"error":{"code":"timed_out","message":"…"}}`
    [[nodiscard]] std::string json() const;
};

template <class T>
using outcome = boost::system::result<T, complaint>;

[[noreturn]] void throw_exception_from_error(const complaint& why,
                                             const boost::source_location& where);

/// A command line that cannot be understood.
[[nodiscard]] complaint usage_complaint(std::string what, std::string why, std::string next);

/// What the library could not do, with the exit code that scripts rely on. `timeout` is what the
/// person allowed.
[[nodiscard]] complaint complaint_about(std::string what,
                                        const client::failure& why,
                                        duration timeout);

/// Somebody interrupted a write: `how` says whether it may have happened.
[[nodiscard]] complaint complaint_about_interrupt(std::string what, wire::result_code how);

/// What the cluster answered instead of doing it.
[[nodiscard]] complaint complaint_about(std::string what,
                                        const client::answer& how,
                                        duration timeout);

} // namespace almenara::cli
