#include "replica/entry.hpp"

#include "base/hash.hpp"
#include "support/allocations.hpp"
#include "support/rewriting.hpp"
#include "wire/codec.hpp"

#include <catch2/catch_all.hpp>

#include <string_view>
#include <vector>

namespace almenara::replica {

namespace {

entry update(log_index index, std::string_view payload) {
    entry e{.index = index,
            .epoch = epoch{3},
            .time = wall_time{std::chrono::milliseconds{1'700'000'000'000}},
            .seq = 12,
            .first_unacked = 9};
    const base::byte_view bytes = base::as_bytes(payload);
    e.payload.assign(bytes.begin(), bytes.end());
    return e;
}

hash64 hash_of(hash64 previous, const entry& e) {
    base::byte_vector scratch;
    return chain_hash(previous, e, scratch);
}

/// An entry that differs from `e` in what `change` does to it.
template <class Change>
entry changed(entry e, const Change& change) {
    change(e);
    return e;
}

} // namespace

TEST_CASE("B.4 an entry's hash is that of its encoded members, seeded with the one before") {
    entry e = update(log_index{7}, "x");
    e.hash = hash64{0xffff'ffff};
    base::byte_vector expected;
    const auto add = [&expected](const auto& member) {
        const std::size_t before = expected.size();
        expected.resize(before + wire::encoded_size(member));
        static_cast<void>(wire::put(expected.data() + before, member));
    };
    add(e.index);
    add(e.epoch);
    add(e.type);
    add(e.time);
    add(e.session);
    add(e.seq);
    add(e.first_unacked);
    add(e.payload);
    CHECK(hash_of(hash64{5}, e) == hash64{base::xxh3_64(expected, 5)});
}

TEST_CASE("B.4 whatever is changed in an entry or before it, the hash is another") {
    const entry e = update(log_index{7}, "payload");
    const hash64 usual = hash_of(hash64{5}, e);
    const std::vector<entry> others{
        changed(e, [](entry& o) { o.index = log_index{8}; }),
        changed(e, [](entry& o) { o.epoch = epoch{4}; }),
        changed(e, [](entry& o) { o.type = entry_type::config; }),
        changed(e, [](entry& o) { o.time = wall_time{}; }),
        changed(e, [](entry& o) { o.session[15] = std::byte{1}; }),
        changed(e, [](entry& o) { o.seq = 13; }),
        changed(e, [](entry& o) { o.first_unacked = 10; }),
        changed(e, [](entry& o) { o.payload.back() = std::byte{'D'}; }),
        changed(e, [](entry& o) { o.payload.clear(); }),
    };
    for (const entry& other : others) {
        CHECK(hash_of(hash64{5}, other) != usual);
    }
    CHECK(hash_of(hash64{6}, e) != usual);
}

TEST_CASE("B.4 the hash says nothing about the field that holds it") {
    const entry e = update(log_index{7}, "payload");
    CHECK(hash_of(hash64{5}, changed(e, [](entry& o) { o.hash = hash64{1}; })) ==
          hash_of(hash64{5}, e));
}

TEST_CASE("what an earlier and longer entry left in the scratch space does not count") {
    base::byte_vector scratch;
    const entry longer = update(log_index{1}, std::string(300, 'x'));
    const entry shorter = update(log_index{2}, "y");
    static_cast<void>(chain_hash(hash64{0}, longer, scratch));
    const auto allocated = test::allocations_of(
        [&] { CHECK(chain_hash(hash64{9}, shorter, scratch) == hash_of(hash64{9}, shorter)); });
    CHECK(allocated.count <= 1); // that of hash_of
}

TEST_CASE("B.1 logs are compared by epoch first") {
    const log_end longer_but_older{.epoch = epoch{4}, .index = log_index{100}};
    const log_end newer{.epoch = epoch{5}, .index = log_index{3}};
    CHECK(longer_but_older < newer);
    CHECK(newer < log_end{.epoch = epoch{5}, .index = log_index{4}});
}

} // namespace almenara::replica
