#include "state/overlay.hpp"

#include "state/memory_key_space.hpp"
#include "state/transaction.hpp"
#include "unit/state/little_server.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace almenara::state {

namespace {

using test::bytes_of;

/// "a=9 b-  " puts a and erases b.
std::vector<change> changes_of(std::string_view text) {
    std::vector<change> changes;
    for (std::size_t at = 0; at < text.size(); at += 4) {
        const std::string key{text.substr(at, 1)};
        if (text[at + 1] == '=') {
            changes.push_back(
                {.kind = change_kind::put, .key = key, .bytes = bytes_of(text.substr(at + 2, 1))});
        } else {
            changes.push_back({.kind = change_kind::erase, .key = key});
        }
    }
    return changes;
}

/// A base with a=1, b=2, c=3 at index 1, and an overlay over it.
class story {
  public:
    /// Entries behind each other.
    void pushes(std::string_view changes) { over_.push(over_.last().next(), changes_of(changes)); }
    void settles(log_index upto) {
        while (settled_ < upto) {
            settled_ = settled_.next();
            over_.settle({.index = settled_, .hash = settled_.value()});
        }
    }

    [[nodiscard]] static std::string text_of(const table_view& view) {
        std::string text;
        for (const row& one : view.scan({}, {.rows = 100})) {
            text += one.key + "=" + std::string{base::as_text(one.value)} + " ";
            // What a scan finds, get finds too.
            CHECK(view.get(one.key) == one.value);
        }
        return text;
    }
    [[nodiscard]] std::string whole() const { return text_of(over_.whole_view()); }
    [[nodiscard]] std::string committed() const { return text_of(over_.committed_view()); }
    [[nodiscard]] std::string base() const { return text_of(base_); }

    void base_takes(const base_batch& batch) { base_.apply(batch.upto, batch.changes); }

    overlay& over() { return over_; }
    const memory_key_space& base_rows() const { return base_; }

  private:
    static memory_key_space first_rows() {
        memory_key_space space;
        space.apply({.index = log_index{1}}, changes_of("a=1 b=2 c=3"));
        return space;
    }

    memory_key_space base_ = first_rows();
    overlay over_{base_};
    log_index settled_{1};
};

} // namespace

TEST_CASE("B.4 speculation: who executes sees the pending part, who reads does not") {
    story server;
    server.pushes("a=9 b-  d=4");
    CHECK(server.whole() == "a=9 c=3 d=4 ");
    CHECK(server.committed() == "a=1 b=2 c=3 ");
    CHECK(server.base() == "a=1 b=2 c=3 ");
    CHECK_FALSE(server.over().whole_view().get("b"));
    CHECK_FALSE(server.over().committed_view().get("d"));
}

TEST_CASE("B.4 speculation: what is committed is read before base has it") {
    story server;
    server.pushes("a=8 d=4");
    server.pushes("a=9 d-");
    server.over().commit(log_index{2});
    CHECK(server.committed() == "a=8 b=2 c=3 d=4 ");
    CHECK(server.whole() == "a=9 b=2 c=3 ");
    CHECK(server.base() == "a=1 b=2 c=3 ");
}

TEST_CASE("B.4 speculation: what was pending when the office was lost never was") {
    story server;
    server.pushes("a=8 b- ");
    server.pushes("a=9 d=4 a-");
    server.over().commit(log_index{2});
    server.over().drop_pending();
    CHECK(server.whole() == "a=8 c=3 ");
    CHECK(server.committed() == server.whole());
    CHECK(server.over().last() == log_index{2});
    server.pushes("e=5");
    CHECK(server.whole() == "a=8 c=3 e=5 ");
}

TEST_CASE("I10 only committed entries reach base") {
    story server;
    server.pushes("a=8");
    server.pushes("a=9 b-");
    server.settles(log_index{2});
    server.over().apply_to_base(log_index{3});
    CHECK(server.base() == "a=8 b=2 c=3 ");
    CHECK(server.over().applied() == log_index{2});
    CHECK(server.whole() == "a=9 c=3 ");
}

TEST_CASE("B.5.5 committed without its place in the chain: it is read, and waits for base") {
    story server;
    server.pushes("a=8");
    server.over().commit(log_index{2});
    server.over().apply_to_base(log_index{2});
    CHECK(server.committed() == "a=8 b=2 c=3 ");
    CHECK(server.base() == "a=1 b=2 c=3 ");
}

TEST_CASE("B.4 base gets each row once, as the last of its entries left it") {
    story server;
    server.pushes("a=5 b-  d=1");
    server.pushes("a=6 b=7 d-");
    server.pushes("a=8");
    server.settles(log_index{4});
    server.over().apply_to_base(log_index{3});
    CHECK(server.base() == "a=6 b=7 c=3 ");
    CHECK(server.base_rows().applied().index == log_index{3});
    CHECK(server.base_rows().applied().hash == 3);
    CHECK(server.whole() == "a=8 b=7 c=3 ");
    server.over().apply_to_base(log_index{4});
    CHECK(server.base() == "a=8 b=7 c=3 ");
    CHECK(server.over().size() == 0);
    CHECK(server.over().memory() == 0);
}

TEST_CASE("B.4 the applied row keeps the newest configuration and its index") {
    story server;
    server.pushes("a=5");
    server.pushes("");
    server.pushes("a=6");
    server.over().settle({.index = log_index{2}});
    server.over().settle({.index = log_index{3}, .config = bytes_of("who belongs to it")});
    server.over().settle({.index = log_index{4}, .time = wall_time{std::chrono::seconds{7}}});
    server.over().apply_to_base(log_index{4});
    CHECK(server.base_rows().applied().index == log_index{4});
    CHECK(server.base_rows().applied().config_index == log_index{3});
    CHECK(server.base_rows().applied().time == wall_time{std::chrono::seconds{7}});
    CHECK(server.base_rows().applied().config == bytes_of("who belongs to it"));
}

TEST_CASE("B.4 what is on its way to base is read from the overlay until it arrived") {
    story server;
    server.pushes("a=5 b- ");
    server.pushes("a=6 d=1");
    server.pushes("a=7");
    server.settles(log_index{4});
    const auto batch = server.over().take_for_base(log_index{3});
    REQUIRE(batch);
    CHECK(batch->upto.index == log_index{3});
    CHECK(batch->entries == 2);
    CHECK(batch->bytes == 7); // Of all changes, not of the rows that they came to.
    CHECK(batch->changes.size() == 3);
    CHECK_FALSE(server.over().take_for_base(log_index{3}));
    CHECK(server.over().applied() == log_index{1});
    CHECK(server.over().beyond_base() == 3);
    CHECK(server.committed() == "a=7 c=3 d=1 ");

    // Base shows it before anybody was told.
    server.base_takes(*batch);
    CHECK(server.committed() == "a=7 c=3 d=1 ");
    server.over().base_holds(log_index{3}, 1);
    CHECK(server.over().applied() == log_index{3});
    CHECK(server.over().size() == 2);
    CHECK(server.committed() == "a=7 c=3 d=1 ");
    server.over().forget(5);
    CHECK(server.over().size() == 1);
    CHECK(server.committed() == "a=7 c=3 d=1 ");
    CHECK(server.base() == "a=6 c=3 d=1 ");

    const auto rest = server.over().take_for_base(log_index{9});
    REQUIRE(rest);
    CHECK(rest->changes == changes_of("a=7"));
    server.base_takes(*rest);
    server.over().base_holds(log_index{4});
    CHECK(server.over().size() == 0);
    CHECK(server.over().memory() == 0);
    CHECK(server.base() == server.whole());
}

TEST_CASE("B.4 a row that changes often goes to base once, and its versions leave together") {
    story server;
    for (char value = '0'; value <= '9'; ++value) {
        server.pushes(std::string{"a="} + value + " b=" + value);
    }
    server.settles(log_index{11});
    const auto batch = server.over().take_for_base(log_index{10});
    REQUIRE(batch);
    CHECK(batch->changes == changes_of("a=8 b=8"));
    server.base_takes(*batch);
    server.over().base_holds(log_index{10}, 3);
    CHECK(server.whole() == "a=9 b=9 c=3 ");
    server.over().forget(overlay::all_entries);
    CHECK(server.over().size() == 1);
    CHECK(server.over().memory() == 2 * (overlay::version_weight + 1));
    CHECK(server.base() == "a=8 b=8 c=3 ");
}

TEST_CASE("what the overlay holds is counted, also when it is dropped") {
    story server;
    server.pushes("a=5 a=6 b-");
    server.pushes("d=7");
    // A row that one entry writes twice is there once, and one that is erased takes room too.
    CHECK(server.over().memory() == 3 * overlay::version_weight + 2);
    server.over().drop_pending();
    CHECK(server.over().memory() == 0);
    CHECK(server.over().size() == 0);
}

TEST_CASE("a splice in the overlay is over what base or an earlier entry has") {
    story server;
    const auto splice = [](std::uint64_t offset, std::string_view bytes) {
        return std::vector<change>{
            {.kind = change_kind::splice, .key = "a", .bytes = bytes_of(bytes), .offset = offset}};
    };
    server.over().push(log_index{2}, splice(1, "xy"));
    server.over().push(log_index{3}, splice(2, "z"));
    CHECK(server.whole() == "a=1xz b=2 c=3 ");
    server.settles(log_index{2});
    server.over().apply_to_base(log_index{2});
    CHECK(server.base() == "a=1xy b=2 c=3 ");
}

TEST_CASE("a scan over the overlay stops at its limit, past rows that are erased") {
    story server;
    server.pushes("a-  b-  d=4 e=5");
    const auto found = server.over().whole_view().scan({}, {.rows = 2});
    REQUIRE(found.size() == 2);
    CHECK(found[0].key == "c");
    CHECK(found[1].key == "d");
    CHECK(server.over().whole_view().scan({.from = "a", .to = "c"}, {.rows = 2}).empty());
    CHECK(server.over().committed_view().scan({.from = "d", .to = {}}, {.rows = 2}).empty());
}

TEST_CASE("a transaction sees its own writes, and nobody else does") {
    story server;
    server.pushes("a=9");
    transaction rows{server.over().whole_view()};
    rows.put("d", bytes_of("4"));
    rows.erase("b");
    CHECK(story::text_of(rows) == "a=9 c=3 d=4 ");
    CHECK(server.whole() == "a=9 b=2 c=3 ");
}

TEST_CASE("a transaction writes each row once, in order of the keys") {
    story server;
    transaction rows{server.over().whole_view()};
    rows.put("d", bytes_of("4"));
    rows.put("b", bytes_of("x"));
    rows.erase("d");
    rows.put("b", bytes_of("y"));
    const std::vector<change> expected{
        {.kind = change_kind::put, .key = "b", .bytes = bytes_of("y")},
        {.kind = change_kind::erase, .key = "d"}};
    CHECK(rows.take_changes() == expected);
    CHECK(rows.take_changes().empty());
}

TEST_CASE("a transaction sends a splice as a splice, unless the row is written whole anyway") {
    story server;
    transaction rows{server.over().whole_view()};
    rows.splice("a", 1, base::as_bytes("x"));
    rows.splice("a", 2, base::as_bytes("y"));
    rows.put("b", bytes_of("zzz"));
    rows.splice("b", 1, base::as_bytes("-"));
    CHECK(rows.get("a") == bytes_of("1xy"));
    const std::vector<change> expected{
        {.kind = change_kind::splice, .key = "a", .bytes = bytes_of("x"), .offset = 1},
        {.kind = change_kind::splice, .key = "a", .bytes = bytes_of("y"), .offset = 2},
        {.kind = change_kind::put, .key = "b", .bytes = bytes_of("z-z")}};
    CHECK(rows.take_changes() == expected);
}

TEST_CASE("a refusal forgets what a transaction wrote") {
    story server;
    transaction rows{server.over().whole_view()};
    rows.put("d", bytes_of("4"));
    rows.forget_changes();
    CHECK(story::text_of(rows) == server.whole());
    CHECK(rows.take_changes().empty());
}

} // namespace almenara::state
