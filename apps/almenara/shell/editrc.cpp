#include "shell/editrc.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>
#include <utility>

#include <sys/stat.h>

namespace almenara::cli {

namespace {

/// More than anybody has to say about keys.
constexpr ::off_t largest_file = ::off_t{1} << 20U;

/// Empty: there is none. The places are libedit's.
std::string path_of_editrc() {
    if (const char* const chosen = ::secure_getenv("EDITRC")) {
        return chosen;
    }
    const char* const home = ::secure_getenv("HOME");
    return home == nullptr || *home == '\0' ? std::string{} : fmt::format("{}/.editrc", home);
}

error not_read(const std::string& path, std::string_view why) {
    return error{errc::invalid,
                 fmt::format("opening '{}': {}", path, why),
                 {},
                 "Let EDITRC name another file"};
}

} // namespace

result<std::optional<std::string>> editrc_path() {
    std::string path = path_of_editrc();
    struct stat facts{};
    if (path.empty() || ::stat(path.c_str(), &facts) != 0) {
        return std::optional<std::string>{};
    }
    if (!S_ISREG(facts.st_mode)) {
        return not_read(path, "it is no regular file");
    }
    if (facts.st_size > largest_file) {
        return not_read(path, fmt::format("it is longer than {} bytes", largest_file));
    }
    return std::optional{std::move(path)};
}

} // namespace almenara::cli
