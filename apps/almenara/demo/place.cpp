#include "demo/place.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace almenara::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t highest_port = 65'535;
constexpr unsigned places_to_look = 50;
/// From one place where ports are looked for to the next.
constexpr std::uint32_t stride = 10;

/// As a server will bind it: SO_REUSEADDR passes over what old connections left behind.
bool is_free(std::uint16_t port, int type) {
    const int probe = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (probe < 0) {
        return false;
    }
    if (type == SOCK_STREAM) {
        const int on = 1;
        ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    }
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool bound = ::bind(probe, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
    ::close(probe);
    return bound;
}

bool are_free(std::uint32_t first, std::size_t count) {
    for (std::uint32_t port = first; port < first + count; ++port) {
        const auto number = static_cast<std::uint16_t>(port);
        if (port > highest_port || !is_free(number, SOCK_STREAM) || !is_free(number, SOCK_DGRAM)) {
            return false;
        }
    }
    return true;
}

} // namespace

result<demo_place> demo_place::open(const std::optional<std::string>& directory, bool keep) {
    if (directory) {
        std::error_code failed;
        fs::create_directories(*directory, failed);
        if (failed) {
            return error{errc::unavailable, fmt::format("making the directory '{}'", *directory),
                         failed};
        }
        return demo_place{fs::absolute(*directory).string(), true};
    }
    std::error_code failed;
    const fs::path parent = fs::temp_directory_path(failed);
    if (failed) {
        return error{errc::unavailable, "looking for a directory for temporary files", failed,
                     "Let TMPDIR name one, or give one with --dir"};
    }
    std::string made = parent.string() + "/almenara-demo-XXXXXX";
    if (::mkdtemp(made.data()) == nullptr) {
        return error{errc::unavailable, fmt::format("making the directory '{}'", made),
                     std::error_code{errno, std::generic_category()}};
    }
    return demo_place{std::move(made), keep};
}

demo_place::demo_place(demo_place&& other) noexcept
    : directory_(std::move(other.directory_)), is_kept_(std::exchange(other.is_kept_, true)) {}

demo_place::~demo_place() {
    if (!is_kept_) {
        std::error_code ignored; // What is left of it lies in the directory for temporary files.
        fs::remove_all(directory_, ignored);
    }
}

/// By what they leave there from their start on.
std::size_t servers_in(const std::string& directory) {
    for (std::size_t count = most_servers; count > 0; --count) {
        const std::string one = fmt::format("{}/server{}", directory, count);
        std::error_code unknown; // Then it is none.
        if (fs::exists(one + ".log", unknown) || fs::exists(one, unknown)) {
            return count;
        }
    }
    return 0;
}

std::string end_of(const std::string& file, std::uintmax_t behind) {
    constexpr std::uintmax_t most = 4096;
    const std::uintmax_t size = size_of(file);
    const std::uintmax_t wanted = std::min(size - std::min(size, behind), most);
    std::string text(static_cast<std::size_t>(wanted), '\0');
    std::ifstream in{file};
    in.seekg(static_cast<std::streamoff>(size - wanted));
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    return text;
}

std::uintmax_t size_of(const std::string& file) {
    std::error_code unknown;
    const std::uintmax_t size = fs::file_size(file, unknown);
    return unknown ? 0 : size;
}

bool is_full(const std::string& directory) {
    std::error_code unknown;
    const fs::space_info space = fs::space(directory, unknown);
    return !unknown && space.available == 0;
}

std::string last_line(std::string_view said) {
    std::string_view line = base::trimmed(said);
    line.remove_prefix(line.rfind('\n') + 1); // npos + 1 is 0.
    if (line.ends_with('.')) {
        line.remove_suffix(1);
    }
    return base::escaped(line);
}

std::string server_program() {
    std::error_code unknown;
    const fs::path own = fs::read_symlink("/proc/self/exe", unknown);
    const fs::path beside = own.parent_path() / "almenarad";
    return !unknown && ::access(beside.c_str(), X_OK) == 0 ? beside.string() : "almenarad";
}

std::optional<std::uint16_t> free_ports(std::uint16_t wanted, std::size_t count, bool only_there) {
    std::uint32_t first = wanted;
    for (unsigned looks = 0; looks < (only_there ? 1U : places_to_look); ++looks) {
        if (are_free(first, count)) {
            return static_cast<std::uint16_t>(first);
        }
        first += stride;
    }
    return std::nullopt;
}

} // namespace almenara::cli
