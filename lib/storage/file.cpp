#include "storage/file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace almenara::storage {

namespace {

constexpr mode_t owner_only = 0600;

result<void> write_all(const descriptor& file, base::byte_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file.number(), bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) {
            return last_system_error(fmt::format("writing '{}'", path));
        }
        bytes = bytes.subspan(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    return {};
}

result<void> sync_directory(const std::string& path) {
    const descriptor directory{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory || ::fsync(directory.number()) != 0) {
        return last_system_error(fmt::format("syncing the directory '{}'", path));
    }
    return {};
}

} // namespace

descriptor::~descriptor() {
    if (number_ >= 0) {
        ::close(number_);
    }
}

result<std::optional<base::byte_vector>> read_file(const std::string& path, std::size_t largest) {
    // A pipe must not wait for somebody who writes; it is refused below.
    const descriptor file{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
    if (!file) {
        if (errno == ENOENT) {
            return std::optional<base::byte_vector>{};
        }
        return last_system_error(fmt::format("opening '{}'", path));
    }
    struct stat facts{};
    if (::fstat(file.number(), &facts) != 0) {
        return last_system_error(fmt::format("looking at '{}'", path));
    }
    // A directory says so itself when it is read.
    if (!S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode)) {
        return error{
            errc::invalid,
            fmt::format("reading '{}': it is a pipe or a device. Give a regular file", path)};
    }
    base::byte_vector content(largest + 1);
    std::size_t size = 0;
    while (size < content.size()) {
        const ssize_t got = ::read(file.number(), content.data() + size, content.size() - size);
        if (got == 0) {
            break;
        }
        if (got < 0 && errno != EINTR) {
            return last_system_error(fmt::format("reading '{}'", path));
        }
        size += got < 0 ? 0 : static_cast<std::size_t>(got);
    }
    if (size > largest) {
        return error{errc::too_large,
                     fmt::format("reading '{}': it is longer than {} bytes. Give the right file",
                                 path, largest)};
    }
    content.resize(size);
    return std::optional{std::move(content)};
}

result<void> replace_file(const std::string& directory,
                          const std::string& name,
                          base::byte_view content) {
    const std::string path = directory + "/" + name;
    const std::string beside = path + ".new";
    const descriptor file{
        ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, owner_only)};
    if (!file) {
        return last_system_error(fmt::format("creating '{}'", beside));
    }
    if (auto written = write_all(file, content, beside); !written) {
        return written;
    }
    if (::fdatasync(file.number()) != 0) {
        return last_system_error(fmt::format("syncing '{}'", beside));
    }
    if (std::rename(beside.c_str(), path.c_str()) != 0) {
        return last_system_error(fmt::format("renaming '{}' to '{}'", beside, path));
    }
    return sync_directory(directory);
}

} // namespace almenara::storage
