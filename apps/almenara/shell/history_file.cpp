#include "shell/history_file.hpp"

#include "client/own_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
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

constexpr std::string_view next_step = "Let XDG_STATE_HOME name another directory";
constexpr std::string_view next_step_for_file =
    "Remove it, or let XDG_STATE_HOME name another directory";

error bad_file(const std::string& path, std::string_view why) {
    return error{errc::invalid,
                 fmt::format("opening '{}': {}", path, why),
                 {},
                 std::string{next_step_for_file}};
}

/// Neither a pipe that waits for its other end, nor a link that leads to another file.
result<client::open_file> open_history(const std::string& path) {
    client::open_file file{::open(
        path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW,
        S_IRUSR | S_IWUSR)};
    if (!file && errno != ELOOP && errno != EISDIR && errno != ENXIO) {
        return last_system_error(fmt::format("opening '{}'", path));
    }
    struct stat facts{};
    if (!file || ::fstat(file.number(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
        return bad_file(path, "it is no regular file");
    }
    if (facts.st_uid != ::geteuid()) {
        return bad_file(path, "it belongs to another user");
    }
    // Somebody's lines are not for everybody, whatever mode the file had.
    if (::fchmod(file.number(), S_IRUSR | S_IWUSR) != 0) {
        return last_system_error(fmt::format("making '{}' private", path));
    }
    return file;
}

result<std::string> read_history(const std::string& path) {
    const auto file = open_history(path);
    if (!file) {
        return file.error();
    }
    auto text = client::read_all(*file, path, largest_file);
    if (!text && text.error().code == errc::too_large) {
        error why = text.error();
        why.advice = next_step_for_file;
        return why;
    }
    return text;
}

/// Not so where a disk was full, or where a person wrote it.
bool ends_with_its_line(const client::open_file& file) {
    struct stat facts{};
    char last = '\n';
    return ::fstat(file.number(), &facts) != 0 || facts.st_size == 0 ||
           ::pread(file.number(), &last, 1, facts.st_size - 1) != 1 || last == '\n';
}

/// 0700 each, as the base directory specification asks.
bool make_directories(const fs::path& place) {
    std::error_code ignored; // What is missing shows when the last one is made.
    if (place.empty() || fs::is_directory(place, ignored)) {
        return true;
    }
    return make_directories(place.parent_path()) &&
           (::mkdir(place.c_str(), S_IRWXU) == 0 || errno == EEXIST);
}

/// Others may neither read there nor put another file in the place of this one.
result<void> make_place(const fs::path& directory) {
    if (!make_directories(directory.parent_path())) {
        return last_system_error(
            fmt::format("making the directory '{}'", directory.parent_path().string()));
    }
    const auto made = client::make_own_directory(directory.string());
    if (!made && !made.error().cause) {
        error why = made.error();
        why.advice = "Let only yourself use it (chmod 700), or let XDG_STATE_HOME name another "
                     "directory";
        return why;
    }
    return made;
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
        trouble_ = "the history is not kept: neither XDG_STATE_HOME nor HOME names a directory. "
                   "Set one of them";
        return;
    }
    load();
}

void history_file::load() {
    if (const auto made = make_place(fs::path{*path_}.parent_path()); !made) {
        fail(made.error());
        return;
    }
    const auto text = read_history(*path_);
    if (!text) {
        fail(text.error());
        return;
    }
    std::size_t lines_there = 0;
    for (std::size_t at = 0; at < text->size(); ++lines_there) {
        const std::size_t end = std::min(text->find('\n', at), text->size());
        history_.add(text->substr(at, end - at));
        at = end + 1;
    }
    if (lines_there > 2 * line_history::most_lines) {
        rewrite();
    }
}

/// Whoever appends at this very moment loses a line of history, and nothing else.
void history_file::rewrite() {
    if (const auto done = client::replace_own_file(*path_, as_file(history_.lines())); !done) {
        fail(done.error());
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
    const auto file = open_history(*path_);
    if (!file) {
        fail(file.error());
        return;
    }
    // It was opened to append: wherever others have got to, this stands behind it.
    const std::string_view before = ends_with_its_line(*file) ? "" : "\n";
    const auto done = client::write_at(*file, 0, fmt::format("{}{}\n", before, line), *path_);
    if (!done) {
        fail(done.error());
    }
}

void history_file::fail(error why) {
    // A full disk has its own advice.
    if (why.advice.empty() && why.cause != std::errc::no_space_on_device) {
        why.advice = why.cause == std::errc::file_too_large ? next_step_for_file : next_step;
    }
    trouble_ = fmt::format("the history is not kept: {}", why.message());
    path_.reset();
}

std::optional<std::string> history_file::take_trouble() {
    return std::exchange(trouble_, std::nullopt);
}

} // namespace almenara::cli
