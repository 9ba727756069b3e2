#pragma once

#include <boost/system/result.hpp>

#include <ostream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace almenara {

/// What kind of thing went wrong; what was being done stands beside it in `error`.
enum class errc : unsigned char {
    truncated,     ///< the bytes end before the value does
    malformed,     ///< the bytes cannot be what they should be
    bad_checksum,  ///< the bytes were damaged on their way
    too_large,     ///< a length or count is over its limit
    too_deep,      ///< structs are nested deeper than allowed
    unknown_type,  ///< a message that this version does not know and may not skip
    unsupported,   ///< understood, but not in this version or not in this place
    invalid,       ///< input of a person: an option, a file, a command
    not_found,     ///< what was asked for is not there
    conflict,      ///< it belongs to somebody else, or is in use
    denied,        ///< not allowed
    unavailable,   ///< nobody there, or nobody who could answer now
    timed_out,     ///< no answer within the time
    system_failed, ///< the operating system refused; `error::cause` has its reason
};

/// The name of a code as it stands in JSON and logs: `too_large`.
[[nodiscard]] std::string_view to_string(errc code);

/// A failure that somebody will read: its kind, and what was being done (style 9).
struct error {
    errc code = errc::malformed;
    std::string doing;       ///< "reading a frame: length 70000 is over the limit of 16384"
    std::error_code cause{}; ///< set when the operating system said why
    std::string advice{};    ///< what to do next; empty: what usually helps against the cause

    /// One line: what was being done, the system's reason if there is one, and what to do next. It
    /// has no full stop at its end.
    [[nodiscard]] std::string message() const;

    friend bool operator==(const error&, const error&) = default;
};

std::ostream& operator<<(std::ostream& out, const error& failure);

/// A value, or the reason why there is none.
template <class T>
using result = boost::system::result<T, error>;

/// Makes the failure of the system call that just set errno.
[[nodiscard]] error last_system_error(std::string doing);

/// The same failure, said by somebody who knows more about what it was for.
[[nodiscard]] error while_doing(std::string_view doing, error failure);

/// Called by boost::system::result when value() is taken of a failure: a programming error.
[[noreturn]] void throw_exception_from_error(const error& failure,
                                             const boost::source_location& where);

} // namespace almenara
