#include "storage/space_watch.hpp"
#include "support/temporary_directory.hpp"
#include "wal_stand.hpp"

#include <catch2/catch_all.hpp>

#include <filesystem>
#include <limits>

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
