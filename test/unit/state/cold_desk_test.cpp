#include "base/random.hpp"
#include "state/desk.hpp"
#include "state/session_table.hpp"
#include "support/cold_key_space.hpp"
#include "unit/state/little_server.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// Desks whose base has not everything in memory (architecture 2).
namespace almenara::state {

namespace {

using test::cold_key_space;
using test::expect;
using test::id_number;
using test::kv_body;
namespace kv = services::kv;

/// What was decided, in a form that can be compared.
struct verdict {
    std::string kind;
    log_index index;
    base::byte_vector payload;
    state::reply reply;

    friend bool operator==(const verdict&, const verdict&) = default;
};

verdict verdict_of(const decision& what) {
    if (const auto* const entry = std::get_if<proposed>(&what)) {
        return {.kind = "proposed", .payload = entry->payload};
    }
    if (const auto* const later = std::get_if<waits>(&what)) {
        return {.kind = "waits", .index = later->index};
    }
    if (const auto* const before = std::get_if<known>(&what)) {
        return {.kind = "known", .index = before->index, .reply = before->reply};
    }
    if (const auto* const away = std::get_if<turned_away>(&what)) {
        return {.kind = "turned away", .reply = away->reply};
    }
    return {.kind = fmt::format("kind {}", what.index())};
}

/// Two servers that hear the same: base of one has every row in memory, that of the other has
/// almost none, and what it is given comes late. Both must decide the same.
class two_desks {
  public:
    explicit two_desks(std::uint64_t seed, const limits& bounds = {})
        : luck_(seed), warm_(warm_base_, service_, bounds), cold_(cold_base_, service_, bounds) {
        log_.push_back(
            {.index = log_index{1}, .of = epoch{1}, .kind = payload_kind::other, .payload = {}});
        const std::vector<log_record> tail{log_.back().record()};
        REQUIRE_FALSE(warm_.entered_office(log_index{1}, tail));
        REQUIRE_FALSE(cold_.entered_office(log_index{1}, tail));
        confirms_all();
    }

    template <class Question>
    verdict decides(const Question& question) {
        const turn now = next_turn();
        const verdict expected = verdict_of(question(warm_, now, inputs{}));
        decision decided =
            asks_cold([&](const inputs& supplied) { return question(cold_, now, supplied); });
        const verdict found = verdict_of(decided);
        CHECK(found.kind == expected.kind);
        CHECK(found == expected);
        took(decided);
        return found;
    }

    /// Again and again, until nothing is missing. Base goes on meanwhile.
    template <class Question>
    auto asks_cold(const Question& question) {
        inputs supplied;
        const log_index last = cold_.log_beyond_base().last();
        const std::size_t waiting = cold_.waiting();
        for (int round = 0;; ++round) {
            auto answer = question(supplied);
            auto* const wanted = std::get_if<needs_inputs>(&answer);
            if (wanted == nullptr) {
                return answer;
            }
            // Nothing has happened.
            CHECK(cold_.log_beyond_base().last() == last);
            CHECK(cold_.waiting() == waiting);
            CHECK_FALSE(wanted->wanted.empty());
            supplied.keep(wanted->hold);
            ++asked_;
            applies_some();
            inputs fetched = cold_base_.fetch(wanted->wanted);
            applies_some();
            supplied.add(std::move(fetched));
            REQUIRE(round < 30);
        }
    }

    void took(const decision& decided) {
        if (const auto* const entry = std::get_if<proposed>(&decided)) {
            log_.push_back({.index = last().next(), .of = epoch{1}, .payload = entry->payload});
        }
    }

    /// What waited was answered the same by both.
    std::vector<delivery> confirms_all() {
        while (committed_ < last()) {
            const auto record = log_[committed_.value()].record();
            REQUIRE_FALSE(warm_.committed(record));
            REQUIRE_FALSE(cold_.committed(record));
            committed_ = committed_.next();
        }
        applies_some();
        confirmed_ = last();
        const auto told = warm_.confirmed(last());
        const auto same = cold_.confirmed(last());
        REQUIRE(told.size() == same.size());
        for (std::size_t i = 0; i < told.size(); ++i) {
            CHECK(told[i].reply == same[i].reply);
        }
        return told;
    }

    void applies_all() {
        warm_.apply_to_base(committed_);
        cold_.apply_to_base(committed_);
        CHECK(warm_base_.digest() == cold_base_.rows().digest());
    }

    void time_passes(duration time) { wall_ += time; }

    [[nodiscard]] log_index last() const { return log_.back().index; }
    [[nodiscard]] base::generator& luck() { return luck_; }
    [[nodiscard]] desk& warm() { return warm_; }
    [[nodiscard]] desk& cold() { return cold_; }
    [[nodiscard]] int asked() const { return asked_; }
    [[nodiscard]] turn next_turn() {
        turn now{.next = {.index = last().next(),
                          .time = wall_time{std::chrono::duration_cast<std::chrono::milliseconds>(
                              wall_)}},
                 .confirmed_upto = confirmed_};
        for (std::byte& random : now.random) {
            random = static_cast<std::byte>(luck_.below(256));
        }
        return now;
    }

  private:
    void applies_some() {
        const log_index upto{luck_.below(committed_.value() + 1)};
        warm_.apply_to_base(upto);
        cold_.apply_to_base(upto);
    }

    base::generator luck_;
    memory_key_space warm_base_;
    cold_key_space cold_base_{[this](std::string_view) { return luck_.below(5) > 0; }};
    kv::service service_;
    desk warm_;
    desk cold_;
    std::vector<test::log_entry> log_;
    log_index committed_;
    log_index confirmed_;
    duration wall_ = std::chrono::hours{1000};
    int asked_ = 0;
};

/// Clients of both, each with a session that may have ended meanwhile.
class crowd {
  public:
    explicit crowd(two_desks& servers) : servers_(servers) {}

    void opens() {
        const open_request what{.request = request_id{1},
                                .device = id_number<device_id>(1),
                                .nonce = id_number<open_nonce>(number(20))};
        servers_.decides([&](desk& at, const turn& now, const inputs& supplied) {
            return at.open_session(now, connection_id{99}, what, supplied);
        });
        for (const delivery& told : servers_.confirms_all()) {
            sessions_.push_back(told.session);
        }
    }

    void attaches() {
        const session_id session = any();
        const connection_id over{servers_.luck().below(5)};
        const auto expected = servers_.warm().attach(over, session);
        const auto found = servers_.asks_cold([&](const inputs& supplied) {
            return servers_.cold().attach(over, session, supplied);
        });
        CHECK(found.index() == expected.index());
        if (const auto* const done = std::get_if<attached>(&expected)) {
            CHECK(std::get<attached>(found).last_known == done->last_known);
            CHECK(std::get<attached>(found).to_close == done->to_close);
        }
    }

    void operates() {
        const auto body = some_body();
        const operation_request what{.request = request_id{1},
                                     .session = any(),
                                     .seq = sequence{1 + servers_.luck().below(12)},
                                     .first_unacked = sequence{1 + servers_.luck().below(6)},
                                     .body = body};
        const connection_id over{servers_.luck().below(5)};
        const auto told = servers_.decides([&](desk& at, const turn& now, const inputs& supplied) {
            return at.operation(now, over, what, supplied);
        });
        if (told.kind == "kind 4") { // probe_first
            const auto why = servers_.asks_cold([&](const inputs& supplied) {
                return servers_.cold().why_not(what.session, what.seq, supplied);
            });
            CHECK(std::get<reply>(why) == servers_.warm().why_not(what.session, what.seq));
        }
    }

    void closes() {
        const close_request what{.request = request_id{1}, .session = any()};
        const connection_id over{servers_.luck().below(5)};
        servers_.decides([&](desk& at, const turn& now, const inputs& supplied) {
            return at.close_session(now, over, what, supplied);
        });
    }

    void reads() {
        const auto body = servers_.luck().chance(1, 2)
                              ? kv_body(kv::get{.key = key()})
                              : kv_body(kv::list{.prefix = "k", .rows = number(6)});
        const auto found = servers_.asks_cold(
            [&](const inputs& supplied) { return servers_.cold().read(body, supplied); });
        const answer expected = servers_.warm().read(body);
        CHECK(std::get<answer>(found).reply == expected.reply);
        CHECK(std::get<answer>(found).index == expected.index);
    }

    void sweeps() {
        servers_.time_passes(std::chrono::hours{24 * servers_.luck().below(20)});
        const turn now = servers_.next_turn();
        const auto expected = servers_.warm().sweep(now);
        auto found = servers_.asks_cold(
            [&](const inputs& supplied) { return servers_.cold().sweep(now, supplied); });
        auto* const entry = std::get_if<proposed>(&found);
        REQUIRE((entry != nullptr) == expected.has_value());
        if (entry != nullptr) {
            CHECK(entry->payload == expected->payload);
            servers_.took(*entry);
        }
    }

  private:
    [[nodiscard]] std::uint8_t number(std::uint8_t bound) {
        return static_cast<std::uint8_t>(1 + servers_.luck().below(bound));
    }
    [[nodiscard]] std::string key() { return fmt::format("k{}", servers_.luck().below(8)); }
    [[nodiscard]] session_id any() {
        return sessions_.empty() ? session_id{}
                                 : sessions_[servers_.luck().below(sessions_.size())];
    }
    [[nodiscard]] base::byte_vector some_body() {
        switch (servers_.luck().below(4)) {
        case 0:
            return kv_body(kv::put{.key = key(), .value = test::bytes_of("v")});
        case 1:
            return kv_body(kv::add{.key = key(), .delta = 1});
        case 2:
            return kv_body(kv::remove{.key = key()});
        default:
            return kv_body(kv::cas{.key = key(),
                                   .expected_version = log_index{servers_.luck().below(20)},
                                   .value = test::bytes_of("w")});
        }
    }

    two_desks& servers_;
    std::vector<session_id> sessions_;
};

limits few_sessions() {
    limits bounds;
    bounds.sessions = 6;
    bounds.most_sessions = 9;
    bounds.window = 4;
    bounds.sweep_rows = 3;
    return bounds;
}

/// An operation on a base of which everything is cold, until it is said otherwise.
struct frozen {
    frozen() { session = server.has_session(connection); }

    struct little {
        bool is_cold = false;
        cold_key_space base{[this](std::string_view) { return is_cold; }};
        kv::service service;
        desk at{base, service};
        std::vector<test::log_entry> log;

        little() {
            log.push_back({.index = log_index{1},
                           .of = epoch{1},
                           .kind = payload_kind::other,
                           .payload = {}});
            REQUIRE_FALSE(at.entered_office(log_index{1}, std::vector{log.back().record()}));
            confirms();
        }
        turn now() const {
            return {.next = {.index = log.back().index.next(), .time = {}},
                    .confirmed_upto = log.back().index};
        }
        void took(const decision& what) {
            log.push_back({.index = log.back().index.next(),
                           .of = epoch{1},
                           .payload = expect<proposed>(what).payload});
        }
        std::vector<delivery> confirms() {
            REQUIRE_FALSE(at.committed(log.back().record()));
            at.apply_to_base(log.back().index);
            return at.confirmed(log.back().index);
        }
        session_id has_session(connection_id over) {
            took(at.open_session(now(), over, {.nonce = id_number<open_nonce>(1)}));
            const session_id opened = confirms().at(0).session;
            static_cast<void>(at.attach(over, opened));
            return opened;
        }
    };

    decision hears(std::uint64_t seq, const base::byte_vector& body, const inputs& supplied = {}) {
        return server.at.operation(server.now(), connection,
                                   {.request = request_id{1},
                                    .session = session,
                                    .seq = sequence{seq},
                                    .first_unacked = sequence{1},
                                    .body = body},
                                   supplied);
    }

    connection_id connection{1};
    little server;
    session_id session;
};

} // namespace

TEST_CASE("architecture 2: a desk decides the same, whatever of base is cold and for how long") {
    two_desks servers{GENERATE(1U, 2U, 3U, 4U, 5U, 6U), few_sessions()};
    crowd clients{servers};
    for (int step = 0; step < 500; ++step) {
        const std::uint64_t what = servers.luck().below(20);
        if (what < 3) {
            clients.opens();
        } else if (what < 6) {
            clients.attaches();
        } else if (what < 14) {
            clients.operates();
        } else if (what < 15) {
            clients.closes();
        } else if (what < 18) {
            clients.reads();
        } else {
            clients.sweeps();
        }
        if (servers.luck().chance(1, 3)) {
            servers.confirms_all();
        }
    }
    servers.confirms_all();
    servers.applies_all();
    CHECK(servers.asked() > 100);
}

TEST_CASE("architecture 2: an operation says which rows it needs, and nothing has happened") {
    frozen f;
    f.server.is_cold = true;
    const auto body = kv_body(kv::add{.key = "a", .delta = 1});
    const auto first = expect<needs_inputs>(f.hears(1, body));
    CHECK(first.wanted.rows == needs::keys{session_key(f.session)});
    CHECK(*first.hold == f.server.at.log_beyond_base().applied());
    CHECK(f.server.at.waiting() == 0);

    inputs supplied = f.server.base.fetch(first.wanted);
    supplied.keep(first.hold);
    const auto second = expect<needs_inputs>(f.hears(1, body, supplied));
    CHECK(second.wanted.rows == needs::keys{"kv/a"});
    supplied.add(f.server.base.fetch(second.wanted));
    f.server.took(f.hears(1, body, supplied));
    CHECK(f.server.confirms().size() == 1);
}

TEST_CASE("architecture 2: what was supplied is current although the row changed meanwhile") {
    frozen f;
    f.server.took(f.hears(1, kv_body(kv::add{.key = "a", .delta = 1})));
    f.server.confirms();
    f.server.is_cold = true;
    const auto body = kv_body(kv::add{.key = "a", .delta = 10});
    inputs supplied;
    // Of a session that has operated everything is known.
    const auto wanted = expect<needs_inputs>(f.hears(3, body));
    CHECK(wanted.wanted.rows == needs::keys{"kv/a"});
    supplied.keep(wanted.hold);
    supplied.add(f.server.base.fetch(wanted.wanted));
    f.server.is_cold = false;
    f.server.took(f.hears(2, kv_body(kv::add{.key = "a", .delta = 100})));
    f.server.confirms(); // And base has it, but the overlay keeps it.
    f.server.is_cold = true;
    f.server.took(f.hears(3, body, supplied));
    const auto told = f.server.confirms();
    REQUIRE(told.size() == 1);
    CHECK(test::kv_message<kv::added>(told[0].reply).value == 111);
}

} // namespace almenara::state
