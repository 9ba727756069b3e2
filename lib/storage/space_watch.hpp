#pragma once

#include "base/error.hpp"
#include "storage/disk_thread.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace almenara::storage {

/// E.1: looks how much room a file system has, and keeps a file there that takes some: when there
/// is nearly none left it goes, and what it took is for who must end in good order. It is there
/// again when there is room for it beyond what all need.
class space_watch {
  public:
    struct settings {
        std::string directory;
        std::uint64_t reserve = std::uint64_t{64} << 20U;
        /// The file goes when less is free, and comes when as much is free beside it as `comfort`.
        std::uint64_t release_below = std::uint64_t{32} << 20U;
        std::uint64_t comfort = std::uint64_t{512} << 20U;
        /// A start writes that much before it can do without.
        std::uint64_t needed_to_start = std::uint64_t{4} << 20U;
        std::chrono::steady_clock::duration every = std::chrono::seconds{1};
        /// A disk that does not answer keeps the end of the watch waiting so long.
        std::chrono::steady_clock::duration longest_end = std::chrono::milliseconds{500};
        /// Takes room on the disk for an open file. Gives what errno would be: 0 is success.
        std::function<int(int file, std::uint64_t size)> allocate = fallocate_room;
    };
    struct news {
        std::uint64_t free_space = 0;
        bool has_reserve = false;
        bool gives_up_reserve = false; ///< said once: the file system cannot keep room for a file
    };
    /// Called on the owner's thread, after each look.
    using listener = std::function<void(const news&)>;

    space_watch(settings chosen, post_function post, listener told);
    ~space_watch();
    space_watch(const space_watch&) = delete;
    space_watch& operator=(const space_watch&) = delete;

    static constexpr const char* reserve_name = "reserve";

    /// The threads that a watch had to leave because their disk did not answer. Those that ended
    /// since are joined; the others, which are counted, end with the process.
    static std::size_t collect_left();

  private:
    struct watcher;
    struct left_behind;
    [[nodiscard]] static left_behind& all_left();
    static int fallocate_room(int file, std::uint64_t size);

    listener told_;
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
    std::shared_ptr<watcher> watcher_; ///< the thread has it too, and may keep it longer
    std::thread thread_;
};

/// E.1, before anything is opened: on a disk that is full the reserve goes now, for there is no
/// watch yet. Full even so: an error, for what begins to write then ends in the middle.
[[nodiscard]] result<void> room_to_start(const space_watch::settings& chosen);

} // namespace almenara::storage
