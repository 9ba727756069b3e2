#include "sim/check/client.hpp"

#include "sim/check/history.hpp"

#include <catch2/catch_all.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace almenara::sim::check {

namespace {

using namespace std::chrono_literals;

const std::string nothing;
constexpr server_id one{1};
constexpr server_id two{2};
constexpr server_id three{3};
constexpr state::session_id a_session{std::array<std::byte, 16>{std::byte{9}}};

// What servers answer; the number of the request is filled in later.

wire::primary_is primary_is(epoch of, server_id who) {
    wire::primary_is told;
    told.epoch = of;
    told.primary = wire::member_address{.id = who, .addresses = {}};
    return told;
}

wire::redirect redirected(epoch of, server_id to) {
    wire::redirect told;
    told.epoch = of;
    told.primary = wire::member_address{.id = to, .addresses = {}};
    return told;
}

wire::login_ok session_opened(epoch of) {
    wire::login_ok told;
    told.epoch = of;
    told.window = 256;
    told.session = a_session;
    return told;
}

wire::attached attached(epoch of) {
    wire::attached told;
    told.epoch = of;
    return told;
}

wire::read_result nothing_found() {
    wire::read_result told;
    told.code = wire::result_code::not_found;
    told.index = log_index{1};
    return told;
}

wire::operation_result conflict(state::sequence seq) {
    wire::operation_result told;
    told.seq = seq;
    told.code = wire::result_code::conflict;
    told.index = log_index{seq.value() + 1};
    return told;
}

/// Of an operation; nothing was recorded.
wire::operation_result refused(wire::result_code code) {
    wire::operation_result told;
    told.code = code;
    return told;
}

/// A client, and what three servers hear of it. The test answers for them.
class one_client {
  public:
    explicit one_client(std::size_t in_flight = 1)
        : client_({.number = client_number{1},
                   .seed = 1,
                   .servers = {one, two, three},
                   .in_flight = in_flight,
                   .deadline_least = 5s,
                   .deadline_most = 5s + 1ms,
                   .impatient_of_100 = 0},
                  record_,
                  found_,
                  now_) {}

    [[nodiscard]] const history& record() const { return record_; }
    [[nodiscard]] const kv_client& client() const { return client_; }
    [[nodiscard]] std::size_t overdue() const { return client_.overdue(now_); }
    void finishes() { client_.finish(now_); }
    [[nodiscard]] const std::set<server_id>& dialling() const { return dialling_; }
    [[nodiscard]] bool is_connected(server_id server) const { return ways_.contains(server); }
    [[nodiscard]] std::string broken() const {
        return found_.first() ? found_.first()->invariant : std::string{};
    }

    /// Time passes, in steps that miss nothing.
    void waits(duration length) {
        for (duration passed{0}; passed < length; passed += 1ms) {
            now_ = now_ + 1ms;
            found_.now(now_);
            take();
        }
    }

    void accepts(server_id server) {
        REQUIRE(dialling_.erase(server) == 1);
        ways_[server] = connection_id{++connections_};
        client_.dialled(now_, server, ways_[server]);
        take();
    }

    void ends(server_id server) {
        const auto way = ways_.extract(server);
        heard_.erase(server);
        client_.connection_ended(now_, way.mapped());
        take();
    }

    /// The oldest request of this kind that the server has not answered.
    template <class Kind>
    [[nodiscard]] std::optional<Kind> hears(server_id server) const {
        const auto at = heard_.find(server);
        if (at != heard_.end()) {
            for (const auto& asked : at->second) {
                if (const auto* what = std::get_if<Kind>(&asked)) {
                    return *what;
                }
            }
        }
        return std::nullopt;
    }

    /// To the oldest request of kind `To`.
    template <class To, class Answer>
    void answers(server_id server, Answer what) {
        auto& waiting = heard_[server];
        for (auto asked = waiting.begin(); asked != waiting.end(); ++asked) {
            if (std::holds_alternative<To>(*asked)) {
                what.request = std::get<To>(*asked).request;
                waiting.erase(asked);
                client_.heard(now_, ways_.at(server), std::move(what));
                take();
                return;
            }
        }
        FAIL("nothing to answer");
    }

    /// From WHOIS to ATTACH, with this one as primary.
    void is_served_by(server_id server, std::uint64_t of) {
        waits(50ms);
        accepts(server);
        answers<wire::whois>(server, primary_is(epoch{of}, server));
        if (hears<wire::login>(server)) {
            answers<wire::login>(server, session_opened(epoch{of}));
        }
        answers<wire::attach>(server, attached(epoch{of}));
    }

    /// Lets operations pass until a write is asked; gives it.
    [[nodiscard]] wire::operation next_write(server_id server) {
        for (int tries = 0; tries < 1000; ++tries) {
            if (const auto write = hears<wire::operation>(server)) {
                return *write;
            }
            if (hears<wire::read>(server)) {
                answers<wire::read>(server, nothing_found());
            }
            waits(10ms);
        }
        FAIL("no write comes");
        return {};
    }

    void confirms(server_id server, state::sequence seq) {
        answers<wire::operation>(server, conflict(seq));
    }

  private:
    void take() {
        auto out = client_.take_output(now_);
        for (auto& sent : out.send) {
            for (const auto& [server, way] : ways_) {
                if (way == sent.connection) {
                    heard_[server].push_back(sent.request);
                }
            }
        }
        for (const auto closed : out.close) {
            std::erase_if(ways_, [closed](const auto& way) { return way.second == closed; });
            std::erase_if(heard_, [&](const auto& of) { return !ways_.contains(of.first); });
        }
        dialling_.insert(out.dial.begin(), out.dial.end());
    }

    instant now_{1s};
    findings found_;
    history record_;
    kv_client client_;
    std::set<server_id> dialling_;
    std::map<server_id, connection_id> ways_;
    std::map<server_id, std::vector<client_request>> heard_;
    std::uint64_t connections_ = 0;
};

} // namespace

TEST_CASE("C.3 a client without a primary asks all members, one 10 ms behind the other") {
    one_client run;
    run.waits(1ms);
    CHECK(run.dialling() == std::set{one});
    run.waits(30ms);
    CHECK(run.dialling() == std::set{one, two, three});
    run.accepts(two);
    run.accepts(three);
    CHECK(run.hears<wire::whois>(two)->wait == 1s);
    CHECK(run.hears<wire::whois>(three));
    run.answers<wire::whois>(three, primary_is(epoch{4}, two));
    CHECK(run.hears<wire::login>(two));
}

TEST_CASE("C.1 a session is opened once, by its nonce, however often it must be asked") {
    one_client run;
    run.waits(50ms);
    run.accepts(two);
    run.answers<wire::whois>(two, primary_is(epoch{4}, two));
    const auto first = run.hears<wire::login>(two);
    run.ends(two);
    run.waits(200ms);
    run.accepts(two);
    run.waits(200ms);
    run.answers<wire::whois>(two, primary_is(epoch{4}, two));
    REQUIRE(run.hears<wire::login>(two));
    CHECK(run.hears<wire::login>(two)->nonce == first->nonce);
}

TEST_CASE("C.1 an operation goes to the next primary with the same seq and body") {
    one_client run;
    run.is_served_by(three, 4);
    const auto asked = run.next_write(three);
    CHECK(asked.session == a_session);
    run.ends(three);
    run.waits(300ms);
    run.is_served_by(two, 5);
    const auto again = run.hears<wire::operation>(two);
    REQUIRE(again);
    CHECK(again->seq == asked.seq);
    CHECK(again->body == asked.body);
    CHECK(again->epoch_seen == epoch{5});
}

TEST_CASE("C.1 first_unacked moves with the results that were heard") {
    one_client run{3};
    run.is_served_by(three, 4);
    const auto first = run.next_write(three);
    CHECK(first.first_unacked == first.seq);
    run.waits(500ms);
    run.confirms(three, first.seq);
    run.waits(500ms);
    run.ends(three);
    run.waits(300ms);
    run.is_served_by(two, 5);
    const auto next = run.next_write(two);
    CHECK(next.seq > first.seq);
    CHECK(next.first_unacked == next.seq);
}

TEST_CASE("C.3 what was not answered by its deadline is uncertain, and its seq is not used again") {
    one_client run;
    run.is_served_by(three, 4);
    const auto asked = run.next_write(three);
    run.ends(three);
    run.waits(6s);
    CHECK(run.record().count(outcome::uncertain) >= 1);
    run.is_served_by(two, 5);
    CHECK(run.next_write(two).seq > asked.seq);
}

TEST_CASE("C.3 BUSY is asked again, later and with the same seq") {
    one_client run;
    run.is_served_by(three, 4);
    const auto asked = run.next_write(three);
    run.answers<wire::operation>(three, refused(wire::result_code::busy));
    CHECK_FALSE(run.hears<wire::operation>(three));
    run.waits(200ms);
    REQUIRE(run.hears<wire::operation>(three));
    CHECK(run.hears<wire::operation>(three)->seq == asked.seq);
}

TEST_CASE("C.3 a REDIRECT is followed, but not to an older epoch") {
    one_client run;
    run.is_served_by(three, 4);
    static_cast<void>(run.next_write(three));
    SECTION("a newer one") {
        run.answers<wire::operation>(three, redirected(epoch{5}, two));
        run.waits(200ms);
        run.accepts(two);
        run.answers<wire::login>(two, session_opened(epoch{5}));
        CHECK(run.hears<wire::attach>(two));
    }
    SECTION("an older one") {
        run.answers<wire::operation>(three, redirected(epoch{3}, two));
        run.waits(200ms);
        run.accepts(two);
        CHECK_FALSE(run.hears<wire::login>(two));
        CHECK(run.hears<wire::whois>(two));
    }
}

TEST_CASE("C.3 at most five REDIRECTs are followed in a second") {
    one_client run;
    run.is_served_by(three, 4);
    static_cast<void>(run.next_write(three));
    run.answers<wire::operation>(three, redirected(epoch{4}, three));
    for (int followed = 1; followed < 5; ++followed) {
        REQUIRE(run.hears<wire::attach>(three));
        run.answers<wire::attach>(three, redirected(epoch{4}, three));
    }
    REQUIRE(run.hears<wire::attach>(three));
    run.answers<wire::attach>(three, redirected(epoch{4}, three));
    CHECK_FALSE(run.hears<wire::attach>(three));
    run.waits(200ms);
    CHECK(run.hears<wire::whois>(three));
}

TEST_CASE("C.3 a server that says nothing for 3 s is left") {
    one_client run;
    run.is_served_by(three, 4);
    static_cast<void>(run.next_write(three));
    run.waits(2900ms);
    CHECK(run.is_connected(three));
    run.waits(200ms);
    CHECK_FALSE(run.is_connected(three));
}

TEST_CASE("C.1 nothing is executed again under a new session") {
    one_client run;
    run.is_served_by(three, 4);
    static_cast<void>(run.next_write(three));
    run.answers<wire::operation>(three, refused(wire::result_code::session_expired));
    CHECK(run.client().idle());
    CHECK(run.record().count(outcome::uncertain) == 1);
    // What is still said of the old session is not heard, as if it were about the new one.
    CHECK_FALSE(run.is_connected(three));
    run.waits(200ms);
    run.accepts(three);
    run.answers<wire::whois>(three, primary_is(epoch{4}, three));
    CHECK(run.hears<wire::login>(three));
}

TEST_CASE("I27 one operation in fifty cannot be") {
    workload ideas{client_number{1}, 5, 1};
    int bad = 0;
    for (int i = 0; i < 5000; ++i) {
        bad += is_bad(ideas.next()) ? 1 : 0;
    }
    CHECK(bad > 50);
    CHECK(bad < 200);
}

TEST_CASE("I19 a client that is served by an older epoch than it has seen says so") {
    one_client run;
    run.waits(50ms);
    run.accepts(three);
    run.answers<wire::whois>(three, primary_is(epoch{4}, three));
    run.answers<wire::login>(three, session_opened(epoch{4}));
    CHECK(run.broken() == nothing);
    run.answers<wire::attach>(three, attached(epoch{3}));
    CHECK(run.broken() == "I19");
}

TEST_CASE("C.1 STALE for an operation that still waits is found") {
    one_client run;
    run.is_served_by(three, 4);
    static_cast<void>(run.next_write(three));
    run.answers<wire::operation>(three, refused(wire::result_code::stale));
    CHECK(run.broken() == "C.1");
}

TEST_CASE("a client that is to finish begins nothing, and is idle when all has ended") {
    one_client run;
    run.is_served_by(three, 4);
    const auto asked = run.next_write(three);
    run.finishes();
    CHECK_FALSE(run.client().idle());
    run.confirms(three, asked.seq);
    run.waits(1s);
    CHECK(run.client().idle());
    CHECK(run.record().open() == 0);
}

TEST_CASE("I23 what is given up when nothing goes wrong any more is found") {
    one_client run;
    run.is_served_by(three, 4);
    static_cast<void>(run.next_write(three));
    SECTION("the load ended just now") {
        run.waits(1s);
        run.finishes();
        run.waits(4500ms);
        CHECK(run.record().count(outcome::uncertain) == 1);
        CHECK(run.overdue() == 0);
    }
    SECTION("it ended long ago") {
        run.finishes();
        run.waits(6s);
        CHECK(run.overdue() == 1);
    }
}

TEST_CASE("a client writes down what it asked and what it heard") {
    one_client run;
    run.is_served_by(three, 4);
    const auto asked = run.next_write(three);
    const auto place = run.record().operations().size() - 1;
    const operation before = run.record().operations()[place];
    CHECK(before.seq == asked.seq.value());
    CHECK(before.session == a_session.value());
    CHECK_FALSE(before.returned);
    run.confirms(three, asked.seq);
    const operation& after = run.record().operations()[place];
    CHECK(after.returned);
    CHECK(after.reply.code == outcome::conflict);
    CHECK(after.reply.index == log_index{asked.seq.value() + 1});
}

} // namespace almenara::sim::check
