#include "storage/space_watch.hpp"
#include "support/temporary_directory.hpp"
#include "support/wait.hpp"
#include "wal_stand.hpp"

#include <catch2/catch_all.hpp>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <future>
#include <limits>
#include <vector>

/// E.1: the file that keeps some room.
namespace almenara::storage {

namespace {

constexpr std::uint64_t nothing = 0;
constexpr std::uint64_t everything = std::numeric_limits<std::uint64_t>::max() / 2;

struct stand {
    /// What the next watch tells first.
    space_watch::news watch(std::uint64_t release_below, std::uint64_t comfort) {
        std::optional<space_watch::news> heard;
        const space_watch watching{{.directory = place.path(),
                                    .reserve = std::uint64_t{1} << 20U,
                                    .release_below = release_below,
                                    .comfort = comfort},
                                   loop.poster(),
                                   [&heard](const space_watch::news& what) { heard = what; }};
        while (!heard) {
            REQUIRE(loop.run_one());
        }
        return *heard;
    }
    [[nodiscard]] bool has_reserve() const {
        return std::filesystem::exists(place / space_watch::reserve_name);
    }

    test::temporary_directory place;
    test::owner_loop loop;
};

} // namespace

TEST_CASE("E.1 the reserve is made where there is room for it, and goes when there is none") {
    stand s;
    const auto made = s.watch(nothing, nothing);
    CHECK(made.has_reserve);
    CHECK(made.free_space > 0);
    REQUIRE(s.has_reserve());
    CHECK(std::filesystem::file_size(s.place / space_watch::reserve_name) == 1U << 20U);
    CHECK(s.watch(nothing, nothing).has_reserve); // It is there already.
    CHECK(s.watch(nothing, everything).has_reserve);
    CHECK_FALSE(s.watch(everything, everything).has_reserve);
    CHECK_FALSE(s.has_reserve());
    CHECK_FALSE(s.watch(nothing, everything).has_reserve);
    CHECK_FALSE(s.has_reserve());
}

TEST_CASE("E.1 a file system that cannot keep room for a file is asked once and named once") {
    stand s;
    std::atomic<unsigned> asked = 0;
    std::vector<bool> given_up;
    const space_watch watching{
        {.directory = s.place.path(),
         .reserve = std::uint64_t{1} << 20U,
         .release_below = nothing,
         .comfort = nothing,
         .every = std::chrono::milliseconds{1},
         .allocate = [&asked](int, std::uint64_t) { return ++asked, EOPNOTSUPP; }},
        s.loop.poster(),
        [&given_up](const auto& what) { given_up.push_back(what.gives_up_reserve); }};
    while (given_up.size() < 3) {
        REQUIRE(s.loop.run_one());
    }
    CHECK(given_up == std::vector{true, false, false});
    CHECK(asked == 1);
    CHECK_FALSE(s.has_reserve());
}

TEST_CASE("E.1 a failure that may pass is tried again") {
    stand s;
    std::atomic<unsigned> asked = 0;
    std::optional<space_watch::news> last;
    const space_watch watching{
        {.directory = s.place.path(),
         .reserve = nothing,
         .release_below = nothing,
         .comfort = nothing,
         .every = std::chrono::milliseconds{1},
         .allocate = [&asked](int, std::uint64_t) { return ++asked == 1 ? ENOSPC : 0; }},
        s.loop.poster(),
        [&last](const auto& what) {
            CHECK_FALSE(what.gives_up_reserve);
            last = what;
        }};
    while (!last || !last->has_reserve) {
        REQUIRE(s.loop.run_one());
    }
    CHECK(asked == 2);
}

TEST_CASE("E.1 a disk that does not answer does not keep the end waiting") {
    stand s;
    std::promise<void> answer;
    unsigned told = 0;
    {
        const space_watch watching{{.directory = s.place.path(),
                                    .reserve = nothing,
                                    .release_below = nothing,
                                    .comfort = nothing,
                                    .longest_end = std::chrono::milliseconds{10},
                                    .allocate =
                                        [late = answer.get_future().share()](int, std::uint64_t) {
                                            late.wait();
                                            return 0;
                                        }},
                                   s.loop.poster(),
                                   [&told](const auto&) { ++told; }};
    }
    CHECK(space_watch::collect_left() == 1);
    answer.set_value();
    CHECK(test::comes_true([] { return space_watch::collect_left() == 0; },
                           std::chrono::seconds{30}));
    s.loop.run_ready();
    CHECK(told == 0);
}

TEST_CASE("E.1 a start on a full disk gets the reserve's room, or says that there is none") {
    stand s;
    REQUIRE(s.watch(nothing, nothing).has_reserve);
    space_watch::settings chosen{.directory = s.place.path()};
    chosen.release_below = nothing;
    CHECK(room_to_start(chosen));
    CHECK(s.has_reserve()); // There is room enough: it stays.
    chosen.release_below = everything;
    CHECK(room_to_start(chosen));
    CHECK_FALSE(s.has_reserve());
    chosen.needed_to_start = everything;
    const auto full = room_to_start(chosen);
    REQUIRE_FALSE(full);
    CHECK(full.error().message().find("No space left on device. Make room") != std::string::npos);
    chosen.directory += "/nowhere";
    CHECK(room_to_start(chosen)); // Who opens it says what is wrong with it.
}

TEST_CASE("E.1 a directory that is gone is no reason to do anything") {
    test::owner_loop loop;
    const test::temporary_directory place;
    unsigned told = 0;
    {
        const space_watch watching{
            {.directory = place / "none"}, loop.poster(), [&told](const auto&) { ++told; }};
    }
    CHECK(told == 0);
}

} // namespace almenara::storage
