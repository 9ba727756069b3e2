#include "client/own_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <random>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace almenara::client {

namespace {

constexpr mode_t owner_only = 0600;
constexpr mode_t owner_only_directory = 0700;
constexpr mode_t of_others = 077;

/// What somebody else could read or change is refused, with what to do.
result<void> check_owner(const std::string& path, const struct stat& facts, mode_t good_mode) {
    if (facts.st_uid != ::geteuid()) {
        return error{
            errc::denied,
            fmt::format("looking at '{}': it belongs to another user (uid {})", path, facts.st_uid),
            {},
            "Run it as that user, or name another directory with "
            "ALMENARA_STATE_DIRECTORY"};
    }
    if ((facts.st_mode & of_others) != 0) {
        // Of a directory that others need too, such as /tmp, it would be bad advice alone.
        std::string next = fmt::format("Run 'chmod {:o} {}'", good_mode, path);
        if (S_ISDIR(facts.st_mode)) {
            next += " if nobody else needs it, or let ALMENARA_STATE_DIRECTORY name another place";
        }
        return error{errc::denied,
                     fmt::format("looking at '{}': others may use it (mode {:04o})", path,
                                 facts.st_mode & 07777U),
                     {},
                     std::move(next)};
    }
    return {};
}

error no_regular_file(const std::string& path) {
    return error{
        errc::invalid, fmt::format("opening '{}': it is no regular file", path), {}, "Remove it"};
}

result<open_file> create(const std::string& path) {
    open_file file{
        ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, owner_only)};
    if (!file) {
        return last_system_error(fmt::format("creating '{}'", path));
    }
    return file;
}

/// Its name until it is whole. Others write beside it too, perhaps in another container with the
/// same number for its process.
std::string name_beside(const std::string& path) {
    std::random_device device;
    return fmt::format("{}.{:08x}{:08x}.new", path, device(), device());
}

result<std::string> write_beside(const std::string& path, std::string_view content, bool syncs) {
    std::string beside = name_beside(path);
    auto file = create(beside);
    if (!file) {
        return file.error();
    }
    auto written = write_at(*file, 0, content, beside);
    // What is in a file must not come to the disk behind its name.
    if (written && syncs && ::fdatasync(file->number()) != 0) {
        written = last_system_error(fmt::format("syncing '{}'", beside));
    }
    if (!written) {
        ::unlink(beside.c_str());
        return written.error();
    }
    return beside;
}

} // namespace

open_file::~open_file() {
    if (number_ >= 0) {
        ::close(number_);
    }
}

bool open_file::lock() const {
    int done = 0;
    do {
        done = ::flock(number_, LOCK_EX | LOCK_NB);
    } while (done != 0 && errno == EINTR);
    return done == 0;
}

bool open_file::has_name() const {
    struct stat facts{};
    return ::fstat(number_, &facts) == 0 && facts.st_nlink > 0;
}

result<void> make_own_directory(const std::string& path) {
    if (::mkdir(path.c_str(), owner_only_directory) != 0 && errno != EEXIST) {
        return last_system_error(fmt::format("making the directory '{}'", path));
    }
    struct stat facts{};
    if (::lstat(path.c_str(), &facts) != 0) {
        return last_system_error(fmt::format("looking at '{}'", path));
    }
    if (!S_ISDIR(facts.st_mode)) {
        return error{errc::invalid,
                     fmt::format("looking at '{}': it is no directory", path),
                     {},
                     "Name another place with ALMENARA_STATE_DIRECTORY, or move it away"};
    }
    return check_owner(path, facts, owner_only_directory);
}

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    std::error_code none;
    for (std::filesystem::directory_iterator place{directory, none}, end; !none && place != end;
         place.increment(none)) {
        names.push_back(place->path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

open_file directory_to_lock(const std::string& path) {
    return open_file{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
}

result<std::optional<open_file>> open_own_file(const std::string& path) {
    // A pipe must not wait for somebody who writes.
    open_file file{::open(path.c_str(), O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW)};
    if (!file) {
        if (errno == ENOENT) {
            return std::optional<open_file>{};
        }
        return errno == EISDIR ? no_regular_file(path)
                               : last_system_error(fmt::format("opening '{}'", path));
    }
    struct stat facts{};
    if (::fstat(file.number(), &facts) != 0) {
        return last_system_error(fmt::format("looking at '{}'", path));
    }
    if (!S_ISREG(facts.st_mode)) {
        return no_regular_file(path);
    }
    if (auto good = check_owner(path, facts, owner_only); !good) {
        return good.error();
    }
    return std::optional{std::move(file)};
}

result<std::string> read_all(const open_file& file, std::string_view path, std::size_t largest) {
    struct stat facts{};
    if (::fstat(file.number(), &facts) != 0) {
        return last_system_error(fmt::format("looking at '{}'", path));
    }
    if (facts.st_size < 0 || static_cast<std::size_t>(facts.st_size) > largest) {
        return error{errc::too_large,
                     fmt::format("reading '{}': it is longer than {} bytes", path, largest)};
    }
    std::string content(static_cast<std::size_t>(facts.st_size), '\0');
    std::size_t size = 0;
    while (size < content.size()) {
        const ssize_t got = ::pread(file.number(), content.data() + size, content.size() - size,
                                    static_cast<off_t>(size));
        if (got < 0 && errno != EINTR) {
            return last_system_error(fmt::format("reading '{}'", path));
        }
        if (got == 0) {
            break;
        }
        size += got < 0 ? 0 : static_cast<std::size_t>(got);
    }
    content.resize(size);
    return content;
}

result<std::optional<std::string>> read_own_file(const std::string& path, std::size_t largest) {
    const auto file = open_own_file(path);
    if (!file) {
        return file.error();
    }
    if (!*file) {
        return std::optional<std::string>{};
    }
    auto content = read_all(**file, path, largest);
    if (!content) {
        return content.error();
    }
    return std::optional{std::move(*content)};
}

result<void> write_at(const open_file& file,
                      off_t place,
                      std::string_view bytes,
                      const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::pwrite(file.number(), bytes.data(), bytes.size(), place);
        if (written < 0 && errno != EINTR) {
            return last_system_error(fmt::format("writing '{}'", path));
        }
        if (written > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(written));
            place += written;
        }
    }
    return {};
}

result<void> replace_own_file(const std::string& path, std::string_view content) {
    const auto beside = write_beside(path, content, false);
    if (!beside) {
        return beside.error();
    }
    if (std::rename(beside->c_str(), path.c_str()) != 0) {
        return last_system_error(fmt::format("renaming '{}' to '{}'", *beside, path));
    }
    return {};
}

result<bool> make_own_file(const std::string& path, std::string_view content) {
    const auto beside = write_beside(path, content, true);
    if (!beside) {
        return beside.error();
    }
    const bool is_made = ::link(beside->c_str(), path.c_str()) == 0;
    const bool is_there = !is_made && errno == EEXIST;
    const error why = last_system_error(fmt::format("creating '{}'", path));
    ::unlink(beside->c_str());
    if (!is_made && !is_there) {
        return why;
    }
    return is_made;
}

result<void> set_aside(const std::string& path) {
    const std::string aside = path + ".damaged";
    if (std::rename(path.c_str(), aside.c_str()) != 0) {
        return last_system_error(fmt::format("renaming '{}' to '{}'", path, aside));
    }
    return {};
}

} // namespace almenara::client
