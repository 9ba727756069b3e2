#include "state/rules.hpp"

#include "state/inputs.hpp"
#include "state/overlay.hpp"
#include "support/cold_key_space.hpp"
#include "unit/state/little_server.hpp"

#include <catch2/catch_all.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

// Each rule that can be switched off makes a difference when it is: else a simulation that finds
// nothing without it would prove nothing.
namespace almenara::state {

namespace {

using test::bytes_of;
using test::expect;
using test::kv_message;
using test::little_primary;
using test::little_server;
namespace kv = test::kv;

const kv::add plus_one{.key = "n", .delta = 1};
const kv::remove nothing{"nothing"};

class without {
  public:
    explicit without(rule r) { base::break_rule(r); }
    ~without() { base::restore_rules<rule>(); }
    without(const without&) = delete;
    without& operator=(const without&) = delete;
};

} // namespace

TEST_CASE("mutation: without the result in the update an operation is done twice") {
    const without broken{rule::dedup_row_in_update};
    little_primary primary;
    expect<proposed>(primary.hears(1, plus_one));
    static_cast<void>(primary.confirms_all());
    expect<proposed>(primary.hears(1, plus_one));
    CHECK(kv_message<kv::added>(primary.newest_update().reply).value == 2);
}

TEST_CASE("mutation: an overlay kept after office becomes part of the state") {
    const without broken{rule::overlay_dropped_after_office};
    little_primary old_primary;
    little_server next;
    next.copies_log(old_primary, old_primary.last());
    next.commits_all();
    old_primary.hears(1, kv::put{.key = "a", .value = bytes_of("never was")});
    static_cast<void>(old_primary.leaves_office());

    next.takes_office(2);
    next.attaches(connection_id{4}, old_primary.session);
    next.says(connection_id{4}, old_primary.session, 1, plus_one);
    next.commits_all();
    old_primary.copies_log(next, next.last());
    old_primary.commits_all();
    CHECK_FALSE(old_primary.base().digest() == next.base().digest());
}

TEST_CASE("mutation: a server that kept its overlay goes on, so that checks can see it") {
    const without broken{rule::overlay_dropped_after_office};
    little_primary primary;
    for (const std::uint64_t seq : {1U, 2U, 3U}) {
        primary.hears(seq, plus_one);
    }
    const log_index before{primary.last().value() - 3};
    static_cast<void>(primary.leaves_office());
    const little_primary same_log;
    primary.copies_log(same_log, before);
    primary.takes_office(2);
    primary.attaches(primary.client, primary.session);
    expect<proposed>(primary.hears(4, plus_one));
    CHECK(kv_message<kv::added>(primary.newest_update().reply).value == 4);
    static_cast<void>(primary.confirms_all());
}

TEST_CASE("mutation: a refusal without an entry is told before anything is confirmed") {
    const without broken{rule::refusal_is_entry};
    little_primary primary;
    CHECK(test::code_of(primary.hears(1, nothing)) == result_code::not_found);
    expect<proposed>(primary.hears(1, plus_one));
}

TEST_CASE("mutation: an older connection that still operates") {
    const without broken{rule::attachment_newest_only};
    little_primary primary;
    CHECK_FALSE(primary.attaches(connection_id{2}, primary.session).to_close);
    expect<proposed>(primary.hears(1, plus_one));
    expect<proposed>(primary.says(connection_id{2}, primary.session, 2, plus_one));
}

TEST_CASE("mutation: an overlay that forgets too soon shows rows as they were") {
    const without broken{rule::overlay_kept_for_inputs};
    test::cold_key_space base{[](std::string_view) { return true; }};
    overlay over{base};
    const auto becomes = [&over](std::uint64_t index, std::string_view value) {
        over.push(log_index{index}, std::vector{change{.key = "a", .bytes = bytes_of(value)}});
        over.settle({.index = log_index{index}, .config = {}});
        over.apply_to_base(log_index{index});
    };
    becomes(1, "old");
    inputs late;
    late.keep(over.hold());
    late.add(base.fetch({.rows = {"a"}, .ranges = {}}));
    becomes(2, "new");
    const base_look fetched{base, late};
    const overlay::view seen{over, overlay::part::committed, fetched};
    CHECK(seen.get("a") == bytes_of("old"));
}

TEST_CASE("mutation: rules that are restored hold") {
    {
        const without broken{rule::refusal_is_entry};
    }
    little_primary primary;
    CHECK(holds(rule::refusal_is_entry));
    expect<proposed>(primary.hears(1, nothing));
}

} // namespace almenara::state
