#include "unit/replica/stand.hpp"

#include <algorithm>

// B.2: what becomes of bulk connections. What goes over them is in catch_up_test.cpp.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::history;
using test::one;
using test::stand;
using test::three;
using test::two;

constexpr log_index at(std::uint64_t i) {
    return log_index{i};
}

bool was_closed(const stand& s, connection_id id) {
    return std::find(s.closed.begin(), s.closed.end(), id) != s.closed.end();
}

bool dialled_bulk(const stand& s, server_id to) {
    return std::any_of(s.dials.begin(), s.dials.end(), [to](const dial_request& d) {
        return d.peer == to && d.kind == connection_kind::bulk;
    });
}

/// The peer dials bulk in the link session that is.
connection_id bulk_of(stand& s, server_id peer) {
    greeting g = s.greeting_of(peer);
    g.kind = connection_kind::bulk;
    g.session = s.session_of(peer);
    return s.accept(g);
}

/// A primary that has only its newest entries in memory, and `behind` has no more than 1 to 3.
struct old_primary {
    explicit old_primary(server_id who)
        : behind(who), log(history{test::cluster_of(3)}.add(epoch{2}, 20)), s(start()) {
        s.take_office();
        s.ack(behind == one ? three : one, s.last().index);
        s.say(behind,
              append_nack{.reason = nack_reason::mismatch,
                          .previous = s.last_said<append>(behind).previous.index,
                          .hint = at(4),
                          .last_index = at(3)},
              s.epoch_now());
    }
    [[nodiscard]] start_state start() const {
        start_state found = started(test::cluster_of(3), two, log);
        found.applied = at(15);
        found.recent.erase(found.recent.begin(), found.recent.begin() + 15);
        return found;
    }
    /// The ack that ends probing: now old entries are needed.
    void needs_bulk() {
        s.ack(behind, at(3));
        REQUIRE(dialled_bulk(s, behind));
    }
    server_id behind;
    history log;
    stand s;
};

} // namespace

TEST_CASE("B.2: who dials bulk again has lost the older one, which is replaced") {
    stand s{3};
    s.follow(three, epoch{2});
    const connection_id first = bulk_of(s, three);
    const connection_id second = bulk_of(s, three);
    CHECK(was_closed(s, first));
    CHECK_FALSE(was_closed(s, second));
    CHECK(s.count<link_reject>(three) == 0);
    const history log = history{test::cluster_of(3)}.add(epoch{2}, 3);
    s.say_on(second,
             log_chunk{.session = s.session_of(three),
                       .previous = log.at(at(1)),
                       .entries = log.between(at(2), at(4))},
             epoch{2});
    CHECK(s.last() == log.last());
}

TEST_CASE("B.2: what was on its way over a bulk connection that is replaced is asked for at once") {
    old_primary p{three};
    p.needs_bulk();
    p.s.dialled(three, connection_kind::bulk);
    p.s.step(log_read{.request = p.s.reads.back().request,
                      .entries = {p.log.entries().begin() + 3, p.log.entries().begin() + 15}});
    REQUIRE(p.s.count<log_chunk>(three) >= 1);
    p.s.forget();
    bulk_of(p.s, three);
    REQUIRE(p.s.count<append>(three) == 1);
    CHECK(p.s.last_said<append>(three).previous.index == at(3));
}

TEST_CASE("B.2: of two bulk connections the one that the higher id dialled stays") {
    SECTION("the peer is higher") {
        old_primary p{three};
        p.needs_bulk();
        const connection_id theirs = bulk_of(p.s, three);
        const connection_id mine = p.s.dialled(three, connection_kind::bulk);
        CHECK(was_closed(p.s, mine));
        CHECK_FALSE(was_closed(p.s, theirs));
    }
    SECTION("the peer is lower") {
        old_primary p{one};
        p.needs_bulk();
        const connection_id theirs = bulk_of(p.s, one);
        const connection_id mine = p.s.dialled(one, connection_kind::bulk);
        CHECK(was_closed(p.s, theirs));
        CHECK_FALSE(was_closed(p.s, mine));
    }
}

TEST_CASE("B.2: who is deposed dials no bulk any more") {
    old_primary p{three};
    p.needs_bulk();
    p.s.heartbeat(one, p.s.epoch_now().next());
    REQUIRE(p.s.role() == role_name::backup);
    p.s.forget();
    p.s.step(dial_failed{.peer = three, .kind = connection_kind::bulk});
    for (int i = 0; i < 30; ++i) {
        p.s.run(100ms);
        p.s.heartbeat(one, p.s.epoch_now());
    }
    CHECK_FALSE(dialled_bulk(p.s, three));
}

TEST_CASE("B.2: a silent connection is closed also if that is found while output is made") {
    constexpr connection_id silent{900};
    old_primary p{three};
    p.s.step(connection_opened{.connection = silent, .kind = {}, .dialled = {}});
    p.s.pass(1s);
    p.needs_bulk(); // Dialling looks at all connections.
    CHECK(was_closed(p.s, silent));
}

} // namespace almenara::replica
