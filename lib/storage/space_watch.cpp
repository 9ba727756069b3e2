#include "storage/space_watch.hpp"

#include "storage/file.hpp"
#include "storage/worker.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace almenara::storage {

namespace {

constexpr mode_t owner_only = 0600;

std::optional<std::uint64_t> free_space_of(const std::string& directory) {
    struct statvfs found{};
    if (::statvfs(directory.c_str(), &found) != 0) {
        return std::nullopt;
    }
    return std::uint64_t{found.f_bavail} * found.f_frsize;
}

bool has_file(const std::string& path, std::uint64_t size) {
    struct stat found{};
    return ::stat(path.c_str(), &found) == 0 && static_cast<std::uint64_t>(found.st_size) == size;
}

} // namespace

/// What the thread works with. It looks first and asks then whether it is to end.
struct space_watch::watcher {
    void loop();
    [[nodiscard]] std::optional<news> look();
    [[nodiscard]] bool make_reserve();

    settings chosen;
    std::string path; ///< of the file
    listener post;    ///< called while nobody has ended the watch: what it uses is there
    bool can_reserve = true;

    std::mutex mutex;
    std::condition_variable woken;
    bool ends = false;
    bool has_ended = false;
};

struct space_watch::left_behind {
    std::mutex mutex;
    std::vector<std::pair<std::shared_ptr<watcher>, std::thread>> threads;
};

space_watch::space_watch(settings chosen, post_function post, listener told)
    : told_(std::move(told)), watcher_(std::make_shared<watcher>()) {
    watcher_->path = chosen.directory + "/" + reserve_name;
    watcher_->chosen = std::move(chosen);
    watcher_->post = [this, alive = std::weak_ptr<const bool>{alive_},
                      post = std::move(post)](const news& found) {
        post([this, alive, found] {
            if (!alive.expired()) {
                told_(found);
            }
        });
    };
    thread_ = start_worker("space", priority::lowest, [all = watcher_] { all->loop(); });
}

space_watch::~space_watch() {
    std::unique_lock held{watcher_->mutex};
    watcher_->ends = true;
    watcher_->woken.notify_all();
    const bool in_time = watcher_->woken.wait_for(held, watcher_->chosen.longest_end,
                                                  [this] { return watcher_->has_ended; });
    held.unlock();
    if (in_time) {
        thread_.join();
    } else {
        left_behind& left = all_left();
        const std::lock_guard adding{left.mutex};
        left.threads.emplace_back(std::move(watcher_), std::move(thread_));
    }
    collect_left();
}

/// Never destroyed: whoever is left may outlive everything else.
space_watch::left_behind& space_watch::all_left() {
    static auto& all = *new left_behind;
    return all;
}

std::size_t space_watch::collect_left() {
    left_behind& left = all_left();
    const std::lock_guard held{left.mutex};
    std::erase_if(left.threads, [](auto& one) {
        const std::lock_guard asking{one.first->mutex};
        if (one.first->has_ended) {
            one.second.join();
        }
        return one.first->has_ended;
    });
    return left.threads.size();
}

void space_watch::watcher::loop() {
    std::unique_lock held{mutex, std::defer_lock};
    do {
        const auto found = look();
        held.lock();
        if (found && !ends) {
            post(*found);
        }
        woken.wait_for(held, chosen.every, [this] { return ends; });
        has_ended = ends;
        held.unlock();
    } while (!has_ended);
    woken.notify_all();
}

/// Nothing if the file system does not say: then nobody is told, and nothing is done.
std::optional<space_watch::news> space_watch::watcher::look() {
    auto free = free_space_of(chosen.directory);
    if (!free) {
        return std::nullopt;
    }
    const bool could_reserve = can_reserve;
    bool has_reserve = has_file(path, chosen.reserve);
    if (has_reserve && *free < chosen.release_below) {
        has_reserve = ::unlink(path.c_str()) != 0;
    } else if (!has_reserve && can_reserve && *free >= chosen.reserve + chosen.comfort) {
        has_reserve = make_reserve();
    } else {
        return news{.free_space = *free, .has_reserve = has_reserve};
    }
    free = free_space_of(chosen.directory);
    return news{.free_space = free.value_or(0),
                .has_reserve = has_reserve,
                .gives_up_reserve = could_reserve && !can_reserve};
}

/// Only its place counts, so nothing is written; where that cannot be had so there is none.
bool space_watch::watcher::make_reserve() {
    const descriptor file{
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, owner_only)};
    const int failed = file ? chosen.allocate(file.number(), chosen.reserve) : errno;
    if (failed == 0) {
        return true;
    }
    ::unlink(path.c_str());
    // It will not learn to: a file made and removed each second would be all that comes of it.
    can_reserve = failed != EOPNOTSUPP;
    return false;
}

int space_watch::fallocate_room(int file, std::uint64_t size) {
    return ::fallocate(file, 0, 0, static_cast<off_t>(size)) == 0 ? 0 : errno;
}

result<void> room_to_start(const space_watch::settings& chosen) {
    auto free = free_space_of(chosen.directory);
    if (free && *free < chosen.release_below) {
        ::unlink((chosen.directory + "/" + space_watch::reserve_name).c_str());
        free = free_space_of(chosen.directory);
    }
    if (free && *free < chosen.needed_to_start) {
        return error{.code = errc::system_failed,
                     .doing = fmt::format("starting in '{}': {} KiB are free there",
                                          chosen.directory, *free >> 10U),
                     .cause = std::make_error_code(std::errc::no_space_on_device)};
    }
    return {};
}

} // namespace almenara::storage
