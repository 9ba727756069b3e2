#include "server/base_feed.hpp"

#include <catch2/catch_all.hpp>

#include <cstdint>
#include <utility>
#include <vector>

// Architecture 6: the state's database is given large groups, in slices.
namespace almenara::server {

namespace {

using namespace std::chrono_literals;

/// A driver that commits and looks, turn by turn.
class feeding_stand {
  public:
    void commit(std::uint64_t upto, std::size_t bytes = 0) {
        feed_.committed(log_index{upto}, bytes, now_);
    }
    void pass(duration time) { now_ = now_ + time; }
    /// What the turn takes, and whether a group ends with it; {0, false}: nothing.
    std::pair<std::uint64_t, bool> take() {
        const auto slice = feed_.next(now_);
        return slice ? std::pair{slice->upto.value(), slice->ends_group} : std::pair{0UL, false};
    }
    /// Turns, until there is nothing to take now.
    std::vector<std::uint64_t> take_groups() {
        std::vector<std::uint64_t> ends;
        for (auto slice = feed_.next(now_); slice; slice = feed_.next(now_)) {
            if (slice->ends_group) {
                ends.push_back(slice->upto.value());
            }
        }
        return ends;
    }
    [[nodiscard]] std::optional<instant> due() const { return feed_.due(); }
    [[nodiscard]] instant now() const { return now_; }

  private:
    base_feed feed_{log_index{10}};
    instant now_ = instant{} + 1h;
};

} // namespace

TEST_CASE("The database is given nothing while nothing is committed", "[base_feed]") {
    feeding_stand stand;
    stand.pass(1h);
    CHECK_FALSE(stand.due());
    CHECK(stand.take() == std::pair{0UL, false});
}

TEST_CASE("A few entries wait for others, but not for ever", "[base_feed]") {
    feeding_stand stand;
    stand.commit(12);
    CHECK(stand.due() == stand.now() + base_feed::longest_wait);
    stand.pass(base_feed::longest_wait - 1ms);
    stand.commit(13);
    CHECK(stand.take() == std::pair{0UL, false});
    stand.pass(1ms);
    CHECK(stand.take() == std::pair{13UL, true});
    CHECK_FALSE(stand.due());
}

TEST_CASE("A full group does not wait, and comes in slices", "[base_feed]") {
    feeding_stand stand;
    const std::uint64_t full = 10 + base_feed::group_entries;
    stand.commit(full);
    CHECK(stand.take() == std::pair{10 + base_feed::slice_entries, false});
    // What comes meanwhile is of the next group.
    stand.commit(full + 1);
    CHECK(stand.take_groups() == std::vector<std::uint64_t>{full});
    CHECK(stand.due() == stand.now() + base_feed::longest_wait);
    stand.pass(base_feed::longest_wait);
    CHECK(stand.take() == std::pair{full + 1, true});
}

TEST_CASE("A long log is given group by group", "[base_feed]") {
    feeding_stand stand;
    stand.commit(10 + 2 * base_feed::group_entries + 5);
    CHECK(stand.take_groups() == std::vector<std::uint64_t>{10 + base_feed::group_entries,
                                                            10 + 2 * base_feed::group_entries});
    stand.pass(base_feed::longest_wait);
    CHECK(stand.take_groups() == std::vector<std::uint64_t>{10 + 2 * base_feed::group_entries + 5});
}

TEST_CASE("A slice of large entries has few of them, at least one", "[base_feed]") {
    feeding_stand stand;
    stand.commit(410, 160 * base_feed::slice_bytes);
    CHECK(stand.take() == std::pair{12UL, false});
    stand.commit(411, 4000 * base_feed::slice_bytes);
    CHECK(stand.take() == std::pair{13UL, false});
    CHECK(stand.take_groups() == std::vector<std::uint64_t>{410, 411});
}

TEST_CASE("Many bytes do not wait", "[base_feed]") {
    feeding_stand stand;
    stand.commit(11, base_feed::group_bytes - 1);
    CHECK(stand.take() == std::pair{0UL, false});
    stand.commit(12, base_feed::group_bytes);
    CHECK(stand.take_groups() == std::vector<std::uint64_t>{12});
}

} // namespace almenara::server
