#include "state/row_index.hpp"

#include "base/random.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <map>
#include <string>
#include <string_view>

// What an exact key finds is what the ordered map has.
namespace almenara::state {

namespace {

using table = std::map<std::string, int, std::less<>>;

/// A map and its index, changed together.
class indexed_table {
  public:
    void put(const std::string& key) {
        const auto [row, is_new] = rows_.try_emplace(key, 0);
        if (is_new) {
            index_.add(row, row_index<table::iterator>::hash_of(key));
        }
    }
    void erase(const std::string& key) {
        const auto row = rows_.find(key);
        if (row != rows_.end()) {
            index_.remove(row, row_index<table::iterator>::hash_of(key));
            rows_.erase(row);
        }
    }
    [[nodiscard]] bool agrees_on(std::string_view key) const {
        const auto row = rows_.find(key);
        const auto found = index_.find(key);
        return row == rows_.end() ? !found : found && (*found)->first == key;
    }
    [[nodiscard]] bool agrees() const { return rows_.size() == index_.size(); }

  private:
    table rows_;
    row_index<table::iterator> index_;
};

} // namespace

TEST_CASE("An index of nothing finds nothing") {
    const row_index<table::iterator> index;
    CHECK_FALSE(index.find("a"));
    CHECK(index.size() == 0);
}

TEST_CASE("A row is found by its whole key, until it is removed") {
    indexed_table rows;
    rows.put("a");
    rows.put("ab");
    CHECK(rows.agrees_on("a"));
    CHECK(rows.agrees_on("ab"));
    CHECK(rows.agrees_on("abc"));
    CHECK(rows.agrees_on(""));
    rows.erase("a");
    CHECK(rows.agrees_on("a"));
    CHECK(rows.agrees_on("ab"));
    CHECK(rows.agrees());
}

TEST_CASE("However rows come and go, the index agrees with the map") {
    const auto seed = GENERATE(1U, 2U, 3U, 4U);
    base::generator luck{seed};
    indexed_table rows;
    // Few keys, so that they come back; more than one size of the table.
    constexpr std::uint64_t keys = 400;
    for (int step = 0; step < 20'000; ++step) {
        const std::string key = fmt::format("row/{}", luck.below(keys));
        // It fills up and empties in turns.
        const bool grows = step / 2'000 % 2 == 0;
        if (luck.below(4) < (grows ? 3U : 1U)) {
            rows.put(key);
        } else {
            rows.erase(key);
        }
        REQUIRE(rows.agrees_on(key));
        REQUIRE(rows.agrees_on(fmt::format("row/{}", luck.below(keys))));
        REQUIRE(rows.agrees());
    }
    for (std::uint64_t key = 0; key < keys; ++key) {
        REQUIRE(rows.agrees_on(fmt::format("row/{}", key)));
    }
}

} // namespace almenara::state
