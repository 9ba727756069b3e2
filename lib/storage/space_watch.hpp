#pragma once

#include "base/error.hpp"
#include "storage/disk_thread.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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
    };
    struct news {
        std::uint64_t free_space = 0;
        bool has_reserve = false;
    };
    /// Called on the owner's thread, after each look.
    using listener = std::function<void(const news&)>;

    space_watch(settings chosen, post_function post, listener told);
    ~space_watch();
    space_watch(const space_watch&) = delete;
    space_watch& operator=(const space_watch&) = delete;

    static constexpr const char* reserve_name = "reserve";

  private:
    void loop();
    [[nodiscard]] std::optional<news> look();
    [[nodiscard]] bool make_reserve() const;

    settings chosen_;
    std::string path_; ///< of the file
    post_function post_;
    listener told_;
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);

    std::mutex mutex_;
    std::condition_variable woken_;
    bool ends_ = false;
    std::thread thread_;
};

/// E.1, before anything is opened: on a disk that is full the reserve goes now, for there is no
/// watch yet. Full even so: an error, for what begins to write then ends in the middle.
[[nodiscard]] result<void> room_to_start(const space_watch::settings& chosen);

} // namespace almenara::storage
