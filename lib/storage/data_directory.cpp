#include "storage/data_directory.hpp"

#include "base/check.hpp"
#include "base/text.hpp"
#include "storage/space_watch.hpp"
#include "wire/frame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace almenara::storage {

namespace {

constexpr const char* identity_name = "identity";
constexpr const char* cluster_name = "cluster";
constexpr const char* lock_name = "almenara.lock";
constexpr std::size_t largest_identity = 4096;
constexpr std::size_t largest_cluster_record = std::size_t{1} << 20U;
constexpr mode_t owner_only_directory = 0700;
constexpr mode_t owner_only_file = 0600;

/// What a server makes in its directory.
constexpr std::array<std::string_view, 5> own_names{identity_name, "identity.new", lock_name,
                                                    "admin.sock", space_watch::reserve_name};

/// What may lie in a directory that has no identity yet: what a start that was cut short leaves,
/// and what a fresh file system has.
bool is_harmless(std::string_view name) {
    return name == "lost+found" ||
           std::find(own_names.begin(), own_names.end(), name) != own_names.end();
}

result<void> refuse_foreign(const std::string& path) {
    std::error_code failure;
    for (std::filesystem::directory_iterator entry{path, failure}, end; !failure && entry != end;
         entry.increment(failure)) {
        const std::string name = entry->path().filename().string();
        if (!is_harmless(name)) {
            return error{errc::conflict,
                         fmt::format("'{}' is not a data directory of Almenara: it holds '{}' but "
                                     "no '{}'. Give an empty or a new directory",
                                     path, base::escaped(name), identity_name)};
        }
    }
    if (failure) {
        return error{errc::system_failed, fmt::format("listing '{}'", path), failure};
    }
    return {};
}

/// The record that is all of a file; nothing if there is no such file.
template <class Record>
result<std::optional<Record>> read_record(const std::string& file, std::size_t largest) {
    auto content = read_file(file, largest);
    if (!content) {
        return content.error();
    }
    if (!*content) {
        return std::optional<Record>{};
    }
    wire::frame_decoder decoder{largest};
    base::byte_view rest{**content};
    while (!rest.empty()) {
        const auto space = decoder.free_space();
        const std::size_t part = std::min(rest.size(), space.size());
        std::copy_n(rest.begin(), part, space.begin());
        decoder.received(part);
        rest = rest.subspan(part);
    }
    const error unreadable{errc::malformed,
                           fmt::format("'{}' is damaged or was not written by Almenara. Restore it "
                                       "from a backup, or give a new directory",
                                       file)};
    auto whole = decoder.next();
    if (!whole || !*whole || decoder.unfinished() > 0) {
        return unreadable;
    }
    std::optional<Record> record;
    const auto known =
        wire::dispatch<storage_records>(**whole, [&record](auto one, base::byte_view) {
            if constexpr (std::is_same_v<decltype(one), Record>) {
                record = std::move(one);
            }
        });
    if (!known || !record) {
        return unreadable;
    }
    return record;
}

template <class Record>
result<void> write_record(const std::string& path, const char* name, const Record& record) {
    base::byte_vector bytes;
    wire::append_message<storage_records>(record, bytes);
    return replace_file(path, name, bytes);
}

/// The identity that stands in the directory; nothing if there is none.
result<std::optional<identity_record>> read_identity(const std::string& path) {
    auto identity =
        read_record<identity_record>(fmt::format("{}/{}", path, identity_name), largest_identity);
    if (identity && *identity && (*identity)->format > directory_format) {
        return error{errc::unsupported,
                     fmt::format("'{}' was written by a newer version (format {}, this one knows "
                                 "{}). Install that version",
                                 path, (*identity)->format, directory_format)};
    }
    return identity;
}

/// What was said of the cluster; nothing if nothing was.
result<std::optional<cluster_record>> read_cluster_record(const std::string& path) {
    return read_record<cluster_record>(fmt::format("{}/{}", path, cluster_name),
                                       largest_cluster_record);
}

result<void> check_owner(const std::string& path,
                         const identity_record& identity,
                         std::optional<server_id> wanted) {
    if (wanted && *wanted != identity.server) {
        return error{errc::conflict,
                     fmt::format("'{}' belongs to server {}, not to server {}. Give the id it has, "
                                 "or another directory",
                                 path, identity.server, *wanted)};
    }
    return {};
}

/// The number that the holder of a lock file wrote into it; empty if it did not get that far.
std::string holder_of(const std::string& lock_path) {
    const auto content = read_file(lock_path, 64);
    if (!content || !*content) {
        return {};
    }
    return std::string{base::trimmed(base::as_text(**content))};
}

result<descriptor> lock_directory(const std::string& path) {
    const std::string lock_path = fmt::format("{}/{}", path, lock_name);
    descriptor lock{::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, owner_only_file)};
    if (!lock) {
        return last_system_error(fmt::format("creating '{}'", lock_path));
    }
    if (::flock(lock.number(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return last_system_error(fmt::format("locking '{}'", lock_path));
        }
        return error{errc::conflict,
                     fmt::format("'{}' is in use by process {}. Stop it, or give another directory",
                                 path, base::escaped(holder_of(lock_path)))};
    }
    const std::string process = fmt::format("{}\n", ::getpid());
    if (::ftruncate(lock.number(), 0) != 0 ||
        ::pwrite(lock.number(), process.data(), process.size(), 0) < 0) {
        return last_system_error(fmt::format("writing '{}'", lock_path));
    }
    return lock;
}

data_uuid new_uuid() {
    std::array<std::byte, 16> random{};
    ALMENARA_CHECK(::getrandom(random.data(), random.size(), 0) ==
                   static_cast<ssize_t>(random.size()));
    return data_uuid{random};
}

result<void> make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), owner_only_directory) == 0) {
        // E.1: all that is synced in it hangs on its name, in a directory that this process may not
        // be allowed to read.
        const descriptor made{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        if (!made || ::syncfs(made.number()) != 0) {
            return last_system_error(fmt::format("syncing the new directory '{}'", path));
        }
        return {};
    }
    if (errno != EEXIST) {
        error failure = last_system_error(fmt::format("creating the data directory '{}'", path));
        if (failure.cause == std::errc::no_such_file_or_directory) {
            failure.advice = "Make the directory above it first, or give another path";
        }
        return failure;
    }
    return {};
}

result<void> refuse_file(const std::string& path) {
    struct stat facts{};
    if (::lstat(path.c_str(), &facts) == 0 && S_ISLNK(facts.st_mode) &&
        ::access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
        return error{errc::conflict,
                     fmt::format("'{}' is a link to a place that is not there. Make the directory "
                                 "it points to, or give another path",
                                 path)};
    }
    if (::stat(path.c_str(), &facts) != 0) {
        return last_system_error(fmt::format("looking at '{}'", path));
    }
    if (!S_ISDIR(facts.st_mode)) {
        return error{errc::conflict,
                     fmt::format("'{}' is a file. Give a directory for the data", path)};
    }
    return {};
}

} // namespace

data_directory::data_directory(std::string path,
                               descriptor lock,
                               identity_record identity,
                               bool is_new)
    : path_(std::move(path)), lock_(std::move(lock)), identity_(identity), is_new_(is_new) {}

result<void> data_directory::check(const std::string& path, std::optional<server_id> wanted) {
    struct stat facts{};
    if (::lstat(path.c_str(), &facts) != 0 && errno == ENOENT) {
        return {}; // It will be made.
    }
    if (auto refused = refuse_file(path); !refused) {
        return refused.error();
    }
    const auto identity = read_identity(path);
    if (!identity) {
        return identity.error();
    }
    return *identity ? check_owner(path, **identity, wanted) : refuse_foreign(path);
}

result<std::optional<occupant>> data_directory::look(const std::string& path,
                                                     std::optional<server_id> wanted) {
    if (auto checked = check(path, wanted); !checked) {
        return checked.error();
    }
    const auto identity = read_identity(path);
    if (!identity) {
        return identity.error();
    }
    if (!*identity) {
        return std::optional<occupant>{};
    }
    auto cluster = read_cluster_record(path);
    if (!cluster) {
        return cluster.error();
    }
    return std::optional{occupant{.server = (*identity)->server, .cluster = std::move(*cluster)}};
}

result<data_directory> data_directory::open(const std::string& path,
                                            std::optional<server_id> wanted) {
    if (auto made = make_directory(path); !made) {
        return made.error();
    }
    // Before the lock file is made: a foreign directory stays as it is.
    if (auto checked = check(path, wanted); !checked) {
        return checked.error();
    }
    auto lock = lock_directory(path);
    if (!lock) {
        return lock.error();
    }
    // Again under the lock: another process may just have made it its own.
    auto identity = read_identity(path);
    if (!identity) {
        return identity.error();
    }
    if (*identity) {
        if (auto owner = check_owner(path, **identity, wanted); !owner) {
            return owner.error();
        }
        return data_directory{path, std::move(*lock), **identity, false};
    }
    const identity_record created{.uuid = new_uuid(), .server = wanted.value_or(server_id{1})};
    if (auto written = write_record(path, identity_name, created); !written) {
        return written.error();
    }
    return data_directory{path, std::move(*lock), created, true};
}

result<void> data_directory::note_log() {
    identity_record changed = identity_;
    changed.has_log = true;
    if (auto written = write_record(path_, identity_name, changed); !written) {
        return written;
    }
    identity_ = changed;
    return {};
}

result<std::optional<cluster_record>> data_directory::read_cluster() const {
    return read_cluster_record(path_);
}

result<void> data_directory::write_cluster(const cluster_record& record) const {
    return write_record(path_, cluster_name, record);
}

bool data_directory::is_own_file(const std::string& directory, const std::string& file) {
    namespace fs = std::filesystem;
    // By way of links too, as far as they lead to something.
    std::error_code failure;
    const fs::path place = fs::weakly_canonical(fs::absolute(file, failure), failure);
    const fs::path base = fs::weakly_canonical(fs::absolute(directory, failure), failure);
    if (failure) {
        return false; // What cannot be looked at is told by whoever opens it.
    }
    for (const char* const folder : {log_directory, state_directory, journal_directory}) {
        if (place == base / folder || place.parent_path() == base / folder) {
            return true;
        }
    }
    if (place.parent_path() != base) {
        return false;
    }
    const std::string name = place.filename().string();
    return name == cluster_name || name == fmt::format("{}.new", cluster_name) ||
           std::find(own_names.begin(), own_names.end(), name) != own_names.end();
}

} // namespace almenara::storage
