#include "shell/history_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace almenara::cli {

namespace fs = std::filesystem;

namespace {

/// A file of more bytes is none of ours.
constexpr std::size_t largest_file = std::size_t{16} << 20U;

/// A descriptor that is closed when it goes.
class file {
  public:
    file(const std::string& path, int flags)
        : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, S_IRUSR | S_IWUSR)) {}
    ~file() {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
    }
    file(const file&) = delete;
    file& operator=(const file&) = delete;

    [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }

    [[nodiscard]] bool write(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t taken = ::write(descriptor_, bytes.data(), bytes.size());
            if (taken < 0 && errno != EINTR) {
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(taken, 0)));
        }
        return true;
    }

    /// Somebody else's lines are not for everybody, whatever mode the file had.
    [[nodiscard]] bool keep_private() const {
        return ::fchmod(descriptor_, S_IRUSR | S_IWUSR) == 0;
    }

    [[nodiscard]] std::optional<std::string> read() const {
        std::string text;
        std::array<char, 65536> chunk{};
        while (text.size() < largest_file) {
            const ssize_t got = ::read(descriptor_, chunk.data(), chunk.size());
            if (got == 0) {
                return text;
            }
            if (got < 0 && errno != EINTR) {
                return std::nullopt;
            }
            text.append(chunk.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        }
        errno = EFBIG;
        return std::nullopt;
    }

  private:
    int descriptor_;
};

/// 0700 each, as the base directory specification asks.
bool make_directories(const fs::path& place) {
    std::error_code ignored; // What is missing shows when the last one is made.
    if (place.empty() || fs::is_directory(place, ignored)) {
        return true;
    }
    return make_directories(place.parent_path()) &&
           (::mkdir(place.c_str(), S_IRWXU) == 0 || errno == EEXIST);
}

std::string as_file(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& each : lines) {
        text += each + '\n';
    }
    return text;
}

} // namespace

bool line_history::add(std::string line) {
    if (line.empty() || line.size() > longest_line || line.front() == ' ' ||
        line.find('\n') != std::string::npos ||
        line.find_first_not_of(" \t") == std::string::npos) {
        return false;
    }
    std::erase(lines_, line);
    lines_.push_back(std::move(line));
    if (lines_.size() > most_lines) {
        lines_.erase(lines_.begin());
    }
    return true;
}

std::optional<std::string> history_path() {
    const char* const state = std::getenv("XDG_STATE_HOME");
    if (state != nullptr && *state == '/') {
        return fmt::format("{}/almenara/history", state);
    }
    const char* const home = std::getenv("HOME");
    if (home == nullptr || *home != '/') {
        return std::nullopt;
    }
    return fmt::format("{}/.local/state/almenara/history", home);
}

history_file::history_file(std::optional<std::string> path) : path_(std::move(path)) {
    if (!path_) {
        trouble_ = "the history is not kept: neither XDG_STATE_HOME nor HOME names a directory";
        return;
    }
    load();
}

void history_file::load() {
    if (!make_directories(fs::path{*path_}.parent_path())) {
        fail("making its directory");
        return;
    }
    std::size_t lines_there = 0;
    {
        const file from{*path_, O_RDWR | O_CREAT};
        const auto text = from.is_open() && from.keep_private() ? from.read() : std::nullopt;
        if (!text) {
            fail("opening");
            return;
        }
        for (std::size_t at = 0; at < text->size(); ++lines_there) {
            const std::size_t end = std::min(text->find('\n', at), text->size());
            history_.add(text->substr(at, end - at));
            at = end + 1;
        }
    }
    if (lines_there > 2 * line_history::most_lines) {
        rewrite();
    }
}

/// Whoever appends at this very moment loses a line of history, and nothing else.
void history_file::rewrite() {
    const std::string fresh = fmt::format("{}.{}", *path_, ::getpid());
    {
        const file to{fresh, O_WRONLY | O_CREAT | O_TRUNC};
        if (!to.is_open() || !to.write(as_file(history_.lines()))) {
            fail("writing");
            return;
        }
    }
    if (::rename(fresh.c_str(), path_->c_str()) != 0) {
        fail("replacing");
    }
}

bool history_file::add(const std::string& line) {
    if (!history_.add(line)) {
        return false;
    }
    if (path_) {
        append(line);
    }
    return true;
}

void history_file::append(std::string_view line) {
    const file to{*path_, O_WRONLY | O_APPEND | O_CREAT};
    if (!to.is_open() || !to.write(fmt::format("{}\n", line))) {
        fail("writing");
    }
}

void history_file::fail(std::string_view doing) {
    trouble_ = fmt::format("the history is not kept: {} {}: {}", doing, *path_,
                           std::generic_category().message(errno));
    path_.reset();
}

std::optional<std::string> history_file::take_trouble() {
    return std::exchange(trouble_, std::nullopt);
}

} // namespace almenara::cli
