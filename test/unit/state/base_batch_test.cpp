#include "state/base_batch.hpp"

#include "unit/state/little_server.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <utility>
#include <vector>

namespace almenara::state {

namespace {

change put(std::string key, std::string_view value) {
    return {.kind = change_kind::put, .key = std::move(key), .bytes = test::bytes_of(value)};
}
change erase(std::string key) {
    return {.kind = change_kind::erase, .key = std::move(key)};
}

base_batch batch_upto(std::uint64_t index, std::size_t entries, std::vector<change> changes) {
    return {.upto = {.index = log_index{index}, .epoch = epoch{3}, .hash = index},
            .changes = std::move(changes),
            .entries = entries,
            .bytes = 10 * entries};
}

} // namespace

TEST_CASE("B.4 batches become one: each row once, as the last leaves it, in order of keys") {
    std::vector<base_batch> batches;
    batches.push_back(batch_upto(3, 2, {put("c", "1"), put("a", "1"), erase("d")}));
    batches.push_back(batch_upto(7, 4, {put("d", "2"), erase("c")}));
    batches.push_back(batch_upto(8, 1, {put("c", "33"), put("b", "3")}));
    const base_batch whole = merged(std::move(batches));
    CHECK(whole.upto.index == log_index{8});
    CHECK(whole.upto.hash == 8);
    CHECK(whole.entries == 7);
    CHECK(whole.bytes == 70);
    const std::vector<change> expected{put("a", "1"), put("b", "3"), put("c", "33"), put("d", "2")};
    CHECK(whole.changes == expected);
}

TEST_CASE("B.4 a result that came and went in one group never reaches base, whatever else does") {
    const std::string result = "result/0123456789abcdef12345678";
    const std::string older = "result/0123456789abcdef12345677";
    std::vector<base_batch> batches;
    batches.push_back(batch_upto(3, 2, {put(result, "1"), put("a", "1")}));
    batches.push_back(batch_upto(4, 1, {erase("a"), erase(older)}));
    batches.push_back(batch_upto(8, 1, {erase(result), erase("b")}));
    // Rows of services may have been in base before: they go there. So may an older result.
    const std::vector<change> expected{erase("a"), erase("b"), erase(older)};
    CHECK(merged(std::move(batches)).changes == expected);
}

TEST_CASE("a batch alone is only sorted") {
    std::vector<base_batch> alone;
    alone.push_back(batch_upto(3, 1, {put("c", "1"), erase("a")}));
    const std::vector<change> expected{erase("a"), put("c", "1")};
    CHECK(merged(std::move(alone)).changes == expected);
}

} // namespace almenara::state
