#include "base/error.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <stdexcept>

namespace almenara {

namespace {

struct remedy {
    std::errc cause;
    std::string_view advice;
};

constexpr std::string_view use_what_is_allowed =
    "Give a path or port that this user may use, or run it as another user";
constexpr std::string_view allow_more_files =
    "Close something, or raise the limit on open files (ulimit -n, LimitNOFILE of a service)";

/// What usually helps, for those reasons of the system that a person can do something about.
constexpr std::array<remedy, 16> remedies{{
    {std::errc::permission_denied, use_what_is_allowed},
    {std::errc::operation_not_permitted, use_what_is_allowed},
    {std::errc::no_such_file_or_directory,
     "Make the directory it should lie in, or give another path"},
    {std::errc::not_a_directory, "A part of the path is a file: give another path"},
    {std::errc::is_a_directory, "Give a file"},
    {std::errc::filename_too_long, "Give a shorter path"},
    {std::errc::too_many_symbolic_link_levels,
     "A symbolic link leads back to itself: give another path"},
    {std::errc::no_space_on_device, "Make room on that disk, or give a path on another one"},
    {std::errc::read_only_file_system, "Give a path on a disk that can be written"},
    {std::errc::io_error, "Look at the disk: `dmesg` says more"},
    {std::errc::not_enough_memory, "Free some memory"},
    {std::errc::too_many_files_open, allow_more_files},
    {std::errc::too_many_files_open_in_system, allow_more_files},
    {std::errc::address_in_use, "Stop the other program, or choose another address"},
    {std::errc::address_not_available, "Give an address that this machine has"},
    {std::errc::address_family_not_supported, "Give an address of a kind that this machine has"},
}};

std::string_view usual_advice(const std::error_code& cause) {
    for (const remedy& known : remedies) {
        if (cause == known.cause) {
            return known.advice;
        }
    }
    return {};
}

} // namespace

std::string_view to_string(errc code) {
    switch (code) {
    case errc::truncated:
        return "truncated";
    case errc::malformed:
        return "malformed";
    case errc::bad_checksum:
        return "bad_checksum";
    case errc::too_large:
        return "too_large";
    case errc::too_deep:
        return "too_deep";
    case errc::unknown_type:
        return "unknown_type";
    case errc::unsupported:
        return "unsupported";
    case errc::invalid:
        return "invalid";
    case errc::not_found:
        return "not_found";
    case errc::conflict:
        return "conflict";
    case errc::denied:
        return "denied";
    case errc::unavailable:
        return "unavailable";
    case errc::timed_out:
        return "timed_out";
    case errc::system_failed:
        return "system_failed";
    }
    return "unknown";
}

std::string error::message() const {
    std::string text = cause ? fmt::format("{}: {}", doing, cause.message()) : doing;
    const std::string_view next = advice.empty() ? usual_advice(cause) : advice;
    if (!next.empty()) {
        text += fmt::format(". {}", next);
    }
    return text;
}

std::ostream& operator<<(std::ostream& out, const error& failure) {
    return out << to_string(failure.code) << ": " << failure.message();
}

error last_system_error(std::string doing) {
    // errno first: moving the string must not come before it is read.
    const std::error_code cause{errno, std::system_category()};
    return error{errc::system_failed, std::move(doing), cause};
}

error while_doing(std::string_view doing, error failure) {
    failure.doing = fmt::format("{}: {}", doing, failure.doing);
    return failure;
}

void throw_exception_from_error(const error& failure, const boost::source_location& where) {
    throw std::logic_error(fmt::format("value taken of a failed result at {}:{}: {}",
                                       where.file_name(), where.line(), failure.message()));
}

} // namespace almenara
