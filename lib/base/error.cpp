#include "base/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <stdexcept>

namespace almenara {

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
    return cause ? fmt::format("{}: {}", doing, cause.message()) : doing;
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
