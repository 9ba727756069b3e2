#include "storage/file_device.hpp"

#include "storage/file_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace almenara::storage {

namespace {

constexpr mode_t owner_only = 0600;
constexpr std::size_t zeros_at_once = std::size_t{1} << 20U;

/// Calls again what a signal interrupted before it did anything.
template <class Call>
auto without_interruption(const Call& call) {
    auto outcome = call();
    while (outcome < 0 && errno == EINTR) {
        outcome = call();
    }
    return outcome;
}

result<void> write_at(int file, std::uint64_t offset, base::byte_view bytes, const auto& doing) {
    while (!bytes.empty()) {
        const ssize_t written = without_interruption(
            [&] { return ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
        if (written <= 0) {
            errno = written == 0 ? EIO : errno; // It took nothing and says nothing.
            return last_system_error(doing());
        }
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
    }
    return {};
}

} // namespace

result<std::unique_ptr<device>> file_device::open_directory(const std::string& path) {
    descriptor directory{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory) {
        return last_system_error(fmt::format("opening the directory '{}'", path));
    }
    return std::unique_ptr<device>{new file_device{path, std::move(directory)}};
}

result<void> file_device::execute(const core::device_operation& operation) {
    return std::visit([this](const auto& what) { return on(what); }, operation);
}

// -- Writing --------------------------------------------------------------------------------------

result<void> file_device::on(const core::create_file& what) {
    const std::string name = core::to_text(what.file);
    descriptor file{::openat(directory_.number(), name.c_str(),
                             O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, owner_only)};
    if (!file) {
        return last_system_error(fmt::format("creating '{}'", path_of(what.file)));
    }
    const auto doing = [&] {
        return fmt::format("filling '{}' with {} bytes of zeros", path_of(what.file), what.size);
    };
    // E.3: written, not only allocated: each sync of an unwritten extent would commit the journal.
    const base::byte_vector zeros(std::min<std::uint64_t>(zeros_at_once, what.size));
    for (std::uint64_t at = 0; at < what.size; at += zeros.size()) {
        if (is_cut_short_) {
            return error{errc::unavailable, doing() + ": it was given up"};
        }
        const auto piece = std::min<std::uint64_t>(zeros.size(), what.size - at);
        if (auto done = write_at(file.number(), at, base::byte_view{zeros}.first(piece), doing);
            !done) {
            return done;
        }
        // Piece by piece, or the log's next sync would wait behind all of it.
        if (::sync_file_range(file.number(), static_cast<off_t>(at), static_cast<off_t>(piece),
                              SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) != 0) {
            return last_system_error(doing());
        }
    }
    open_.insert_or_assign(what.file, std::move(file));
    return {};
}

result<void> file_device::on(const core::write_blocks& what) {
    const auto file = opened(what.file);
    if (!file) {
        return file.error();
    }
    return write_at(*file, what.offset, what.bytes, [&] {
        return fmt::format("writing {} bytes at {} of '{}'", what.bytes.size(), what.offset,
                           path_of(what.file));
    });
}

result<void> file_device::on(const core::sync_file& what) {
    const auto file = opened(what.file);
    if (!file) {
        return file.error();
    }
    if (without_interruption([&] { return ::fdatasync(*file); }) != 0) {
        return last_system_error(fmt::format("syncing '{}'", path_of(what.file)));
    }
    return {};
}

result<void> file_device::on(const core::rename_file& what) {
    const std::string from = core::to_text(what.from);
    const std::string to = core::to_text(what.to);
    if (::renameat(directory_.number(), from.c_str(), directory_.number(), to.c_str()) != 0) {
        return last_system_error(
            fmt::format("renaming '{}' to '{}'", path_of(what.from), path_of(what.to)));
    }
    auto file = open_.extract(what.from);
    // Whatever was open under the new name is another file.
    open_.erase(what.to);
    switch (what.to.kind) {
    case core::file_kind::segment:
        close_segments_before(what.to);
        break;
    case core::file_kind::blank_spare:
    case core::file_kind::used_spare:
        return {}; // It waits; its descriptor does not have to.
    default:
        break;
    }
    if (!file.empty()) {
        file.key() = what.to;
        open_.insert(std::move(file));
    }
    return {};
}

result<void> file_device::on(const core::remove_file& what) {
    if (::unlinkat(directory_.number(), core::to_text(what.file).c_str(), 0) != 0) {
        return last_system_error(fmt::format("removing '{}'", path_of(what.file)));
    }
    open_.erase(what.file);
    return {};
}

result<void> file_device::on(const core::sync_directory&) {
    if (without_interruption([&] { return ::fsync(directory_.number()); }) != 0) {
        return last_system_error(fmt::format("syncing the directory '{}'", path_));
    }
    return {};
}

std::string file_device::path_of(const core::file_name& name) const {
    return path_ + "/" + core::to_text(name);
}

result<int> file_device::opened(const core::file_name& name) {
    if (const auto found = open_.find(name); found != open_.end()) {
        return found->second.number();
    }
    descriptor file{::openat(directory_.number(), core::to_text(name).c_str(), O_RDWR | O_CLOEXEC)};
    if (!file) {
        return last_system_error(fmt::format("opening '{}'", path_of(name)));
    }
    return open_.emplace(name, std::move(file)).first->second.number();
}

/// Only the newest segment is written, so only that one stays open.
void file_device::close_segments_before(const core::file_name& name) {
    std::erase_if(open_, [&name](const auto& one) {
        return one.first.kind == core::file_kind::segment && one.first.number < name.number;
    });
}

// -- Reading --------------------------------------------------------------------------------------

result<std::vector<found_file>> file_device::list() {
    struct closer {
        void operator()(DIR* stream) const { ::closedir(stream); }
    };
    // A stream of its own: where it stands must not be shared with directory_.
    const std::unique_ptr<DIR, closer> stream{::opendir(path_.c_str())};
    const auto failure = [this] {
        return last_system_error(fmt::format("listing the directory '{}'", path_));
    };
    if (!stream) {
        return failure();
    }
    std::vector<found_file> all;
    while (true) {
        errno = 0;
        const dirent* const one = ::readdir(stream.get());
        if (one == nullptr) {
            break;
        }
        const auto name = core::parse_file_name(one->d_name);
        if (!name) {
            continue;
        }
        struct stat facts{};
        if (::fstatat(directory_.number(), one->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0) {
            return last_system_error(fmt::format("looking at '{}'", path_of(*name)));
        }
        if (!S_ISREG(facts.st_mode)) {
            return error{errc::invalid,
                         fmt::format("looking at '{}': it is no regular file", path_of(*name))};
        }
        all.push_back({.name = *name, .size = static_cast<std::uint64_t>(facts.st_size)});
    }
    if (errno != 0) {
        return failure();
    }
    std::sort(all.begin(), all.end(),
              [](const found_file& a, const found_file& b) { return a.name < b.name; });
    return all;
}

result<std::unique_ptr<readable_file>> file_device::open(const core::file_name& name,
                                                         read_from where) {
    return open_to_read(path_of(name), where);
}

} // namespace almenara::storage
