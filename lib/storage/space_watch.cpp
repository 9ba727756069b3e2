#include "storage/space_watch.hpp"

#include "storage/file.hpp"
#include "storage/worker.hpp"

#include <fmt/format.h>

#include <system_error>
#include <utility>

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

space_watch::space_watch(settings chosen, post_function post, listener told)
    : chosen_(std::move(chosen)),
      path_(chosen_.directory + "/" + reserve_name),
      post_(std::move(post)),
      told_(std::move(told)) {
    thread_ = start_worker("space", priority::lowest, [this] { loop(); });
}

space_watch::~space_watch() {
    {
        const std::lock_guard held{mutex_};
        ends_ = true;
    }
    woken_.notify_one();
    thread_.join();
}

void space_watch::loop() {
    const std::weak_ptr<const bool> alive = alive_;
    std::unique_lock held{mutex_};
    while (!ends_) {
        held.unlock();
        if (const auto found = look()) {
            post_([this, alive, what = *found] {
                if (!alive.expired()) {
                    told_(what);
                }
            });
        }
        held.lock();
        woken_.wait_for(held, chosen_.every, [this] { return ends_; });
    }
}

/// Nothing if the file system does not say: then nobody is told, and nothing is done.
std::optional<space_watch::news> space_watch::look() {
    auto free = free_space_of(chosen_.directory);
    if (!free) {
        return std::nullopt;
    }
    bool has_reserve = has_file(path_, chosen_.reserve);
    if (has_reserve && *free < chosen_.release_below) {
        has_reserve = ::unlink(path_.c_str()) != 0;
    } else if (!has_reserve && *free >= chosen_.reserve + chosen_.comfort) {
        has_reserve = make_reserve();
    } else {
        return news{.free_space = *free, .has_reserve = has_reserve};
    }
    free = free_space_of(chosen_.directory);
    return news{.free_space = free.value_or(0), .has_reserve = has_reserve};
}

/// Only its place counts, so nothing is written; where that cannot be had so there is none.
bool space_watch::make_reserve() const {
    const descriptor file{
        ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, owner_only)};
    if (file && ::fallocate(file.number(), 0, 0, static_cast<off_t>(chosen_.reserve)) == 0) {
        return true;
    }
    ::unlink(path_.c_str());
    return false;
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
