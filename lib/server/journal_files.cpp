#include "server/journal_files.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace almenara::server {

namespace {

constexpr std::string_view suffix = ".ndjson";
constexpr mode_t owner_only_directory = 0700;
constexpr mode_t owner_only_file = 0600;

/// The number in the name of a journal's file; nothing for other files, which stay as they are.
std::optional<std::uint64_t> number_in(const std::string& name) {
    if (name.size() <= suffix.size() || !std::string_view{name}.ends_with(suffix)) {
        return std::nullopt;
    }
    std::uint64_t number = 0;
    const char* const end = name.data() + (name.size() - suffix.size());
    const auto [stopped, failure] = std::from_chars(name.data(), end, number);
    return stopped == end && failure == std::errc{} ? std::optional{number} : std::nullopt;
}

result<void> make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), owner_only_directory) != 0 && errno != EEXIST) {
        return last_system_error(fmt::format("creating the journal's folder '{}'", path));
    }
    return {};
}

/// The end of the last whole line of a file.
result<std::uint64_t> end_of_lines(int file, std::uint64_t size) {
    std::array<char, 16384> part{};
    while (size > 0) {
        const std::uint64_t begin = size - std::min<std::uint64_t>(size, part.size());
        const auto got = ::pread(file, part.data(), size - begin, static_cast<off_t>(begin));
        if (got < 0 || static_cast<std::uint64_t>(got) != size - begin) {
            return last_system_error("reading the end of the journal");
        }
        const std::string_view text{part.data(), static_cast<std::size_t>(got)};
        if (const auto newline = text.rfind('\n'); newline != std::string_view::npos) {
            return begin + newline + 1;
        }
        size = begin;
    }
    return std::uint64_t{0};
}

} // namespace

result<journal_files> journal_files::open(std::string directory, const journal_bounds& bounds) {
    journal_files opened{std::move(directory), bounds};
    if (auto made = make_directory(opened.directory_); !made) {
        return made.error();
    }
    if (auto listed = opened.list(); !listed) {
        return listed.error();
    }
    if (opened.numbers_.empty()) {
        if (auto begun = opened.begin_next(); !begun) {
            return begun.error();
        }
        return opened;
    }
    if (auto newest = opened.open_newest(); !newest) {
        return newest.error();
    }
    if (auto cut = opened.cut_torn_line(); !cut) {
        return cut.error();
    }
    return opened;
}

result<void> journal_files::append(std::string_view lines) {
    if (!newest_ || (size_ > 0 && size_ + lines.size() > bounds_.file_size)) {
        if (auto begun = begin_next(); !begun) {
            return begun;
        }
    }
    std::string_view rest = lines;
    while (!rest.empty()) {
        const ssize_t written = ::write(newest_.number(), rest.data(), rest.size());
        if (written < 0 && errno != EINTR) {
            error failure =
                last_system_error(fmt::format("writing '{}'", path_of(numbers_.back())));
            if (::ftruncate(newest_.number(), static_cast<off_t>(size_)) != 0) {
                newest_ = storage::descriptor{}; // The next file begins with a line of its own.
            }
            return failure;
        }
        rest.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    size_ += lines.size();
    return {};
}

std::string journal_files::path_of(std::uint64_t number) const {
    return fmt::format("{}/{:08}{}", directory_, number, suffix);
}

result<void> journal_files::list() {
    std::error_code failure;
    for (std::filesystem::directory_iterator entry{directory_, failure}, end;
         !failure && entry != end; entry.increment(failure)) {
        if (const auto number = number_in(entry->path().filename().string())) {
            numbers_.push_back(*number);
        }
    }
    if (failure) {
        return error{errc::system_failed, fmt::format("listing '{}'", directory_), failure};
    }
    std::sort(numbers_.begin(), numbers_.end());
    return {};
}

result<void> journal_files::open_newest() {
    const std::string path = path_of(numbers_.back());
    newest_ = storage::descriptor{
        ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
               owner_only_file)};
    struct stat facts{};
    if (!newest_ || ::fstat(newest_.number(), &facts) != 0) {
        return last_system_error(fmt::format("opening '{}'", path));
    }
    if (!S_ISREG(facts.st_mode)) {
        return error{errc::conflict,
                     fmt::format("'{}' is no regular file. Move it out of the way", path)};
    }
    size_ = static_cast<std::uint64_t>(facts.st_size);
    return {};
}

result<void> journal_files::cut_torn_line() {
    const auto whole = end_of_lines(newest_.number(), size_);
    if (!whole) {
        return whole.error();
    }
    torn_ = size_ - *whole;
    size_ = *whole;
    if (torn_ > 0 && ::ftruncate(newest_.number(), static_cast<off_t>(size_)) != 0) {
        return last_system_error(
            fmt::format("cutting a torn line off '{}'", path_of(numbers_.back())));
    }
    return {};
}

result<void> journal_files::begin_next() {
    if (auto made = make_directory(directory_); !made) {
        return made; // Somebody removed it while the server runs.
    }
    numbers_.push_back(numbers_.empty() ? 1 : numbers_.back() + 1);
    if (auto opened = open_newest(); !opened) {
        newest_ = storage::descriptor{};
        numbers_.pop_back();
        return opened;
    }
    for (; numbers_.size() > bounds_.files; numbers_.pop_front()) {
        if (::unlink(path_of(numbers_.front()).c_str()) != 0 && errno != ENOENT) {
            return last_system_error(fmt::format("removing '{}'", path_of(numbers_.front())));
        }
    }
    return {};
}

} // namespace almenara::server
