#pragma once

#include "server/reception.hpp"
#include "services/kv/service.hpp"
#include "support/cold_key_space.hpp"
#include "support/printing.hpp"
#include "unit/state/little_server.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A reception without a replication core: its log, its probes and its office are the test's.
namespace almenara::test {

inline constexpr server_id own_id{1};
inline constexpr connection_id nobody{};

class reception_stand : public server::replication {
  public:
    using probe_ticket = server::probe_ticket;

    explicit reception_stand(const server::reception_limits& limits = {},
                             const state::limits& bounds = {})
        : hall_(base_, kv_, bounds, *this, limits) {
        here_.self = own_id;
    }
    virtual ~reception_stand() = default;

    // -- What the core would say --

    /// An epoch begins, with its first entry, which is confirmed.
    void takes_office(std::uint64_t epoch_number) {
        begins_office(epoch_number);
        while (hall_.is_entering()) {
            REQUIRE_FALSE(enters_further());
        }
        confirms_all();
    }

    /// The same, as far as the first share of the own log goes, and nothing is confirmed.
    void begins_office(std::uint64_t epoch_number) {
        here_.epoch = epoch{epoch_number};
        here_.primary.reset();
        const log_index first_uncommitted = here_.commit.next();
        log_.push_back({.index = last().next(),
                        .of = here_.epoch,
                        .kind = state::payload_kind::other,
                        .payload = {}});
        REQUIRE_FALSE(hall_.entered_office(first_uncommitted));
        is_announced_if_in();
    }

    /// The next turn of that.
    [[nodiscard]] std::optional<state::unusable_entry> enters_further() {
        auto bad = hall_.enter_further();
        is_announced_if_in();
        return bad;
    }

    /// What was not confirmed is gone; nobody knows who is next.
    void leaves_office() {
        here_.primary.reset();
        confirmed_ = {};
        drains = false;
        hall_.left_office();
        log_.erase(std::find_if(log_.begin(), log_.end(),
                                [&](const auto& one) { return one.index > here_.commit; }),
                   log_.end());
    }

    void hears_of_primary(server_id id, std::uint64_t epoch_number) {
        here_.epoch = epoch{epoch_number};
        here_.primary = wire::member_address{.id = id, .addresses = {"127.0.0.1:7402"}};
        here_.primary_heard = now_;
        hall_.announced();
    }

    void confirms_all() {
        commits_all();
        confirmed_ = last();
        hall_.confirmed({.last = last(), .durable_on = 2, .voters = 3});
    }

    void commits_all() { commits(last()); }
    void commits(log_index upto) {
        for (const log_entry& one : log_) {
            if (one.index > here_.commit && one.index <= upto) {
                REQUIRE_FALSE(hall_.committed(one.record()));
            }
        }
        here_.commit = std::max(here_.commit, upto);
        hall_.desk().apply_to_base(here_.commit);
    }

    /// What another server's log has behind the own one; nothing of it is committed by that.
    void takes_tail(const reception_stand& other) {
        for (const log_entry& one : other.log_) {
            if (one.index > last()) {
                log_.push_back(one);
            }
        }
    }
    void takes(log_entry one) { log_.push_back(std::move(one)); }

    /// Another server's log, up to an index, committed.
    void copies(const reception_stand& other, log_index upto) {
        for (const log_entry& one : other.log_) {
            if (one.index > last() && one.index <= upto) {
                log_.push_back(one);
            }
        }
        commits_all();
    }

    /// Every probe round that runs comes back.
    void probes_return() {
        for (const auto& [ticket, seen] : std::exchange(probes_, {})) {
            hall_.readable(ticket);
        }
    }

    /// What was asked for is read now, and is there later.
    void reads_ahead() {
        for (fetch_under_way& one : fetches_) {
            one.rows = base_.fetch(one.wanted);
        }
    }
    /// It is there: in any order, and read now at the latest.
    void fetch_returns(std::size_t which = 0) {
        const auto at = fetches_.begin() + static_cast<std::ptrdiff_t>(which);
        fetch_under_way one = std::move(*at);
        fetches_.erase(at);
        hall_.fetched(one.ticket, one.rows ? std::move(*one.rows) : base_.fetch(one.wanted));
        hall_.tick();
    }
    void fetches_return() {
        while (!fetches_.empty()) {
            fetch_returns();
        }
    }
    [[nodiscard]] std::size_t fetches() const { return fetches_.size(); }

    void waits(duration time) {
        now_ = now_ + time;
        hall_.tick();
    }

    // -- What clients say and hear --

    template <class Request>
    void says(connection_id connection, Request what) {
        hall_.request(connection, std::move(what));
    }

    /// The oldest answer to this connection that was not heard yet.
    [[nodiscard]] server::leaving hears_any(connection_id connection) {
        collect();
        auto& mine = heard_[connection];
        if (mine.empty()) {
            FAIL("nothing was said to connection " << connection.value());
        }
        server::leaving first = std::move(mine.front());
        mine.erase(mine.begin());
        return first;
    }

    template <class Answer>
    [[nodiscard]] Answer hears(connection_id connection) {
        server::leaving told = hears_any(connection);
        auto* const expected = std::get_if<Answer>(&told.what);
        if (expected == nullptr) {
            FAIL("no " << wire::name_of<Answer>() << " but "
                       << std::visit([](const auto& it) { return wire::to_text(it); }, told.what));
        }
        return std::move(*expected);
    }

    [[nodiscard]] bool hears_nothing(connection_id connection) {
        collect();
        return heard_[connection].empty();
    }

    [[nodiscard]] std::vector<connection_id> closed() { return hall_.take_closing(); }

    /// A session that is open and speaks over this connection.
    session_id has_session(connection_id connection, std::uint8_t nonce = 1) {
        says(connection, wire::login{.request = request_id{900},
                                     .user = "ann",
                                     .device_name = {},
                                     .nonce = id_number<open_nonce>(nonce)});
        confirms_all();
        const auto opened = hears<wire::login_ok>(connection);
        REQUIRE(opened.session);
        attaches(connection, *opened.session);
        return *opened.session;
    }

    void attaches(connection_id connection, session_id session) {
        says(connection, wire::attach{.request = request_id{901}, .session = session});
        static_cast<void>(hears<wire::attached>(connection));
    }

    /// `put key seq` as operation `seq` of the session.
    [[nodiscard]] static wire::operation puts(session_id session,
                                              std::uint64_t seq,
                                              std::string key = "k") {
        return {.request = request_id{static_cast<std::uint32_t>(seq)},
                .session = session,
                .seq = sequence{seq},
                .first_unacked = sequence{1},
                .epoch_seen = {},
                .last_seen = {},
                .body = kv_body(kv::put{.key = std::move(key), .value = bytes_of("v")})};
    }

    [[nodiscard]] static wire::read gets(std::string key = "k",
                                         wire::read_mode mode = wire::read_mode::quorum) {
        return {.request = request_id{700},
                .mode = mode,
                .epoch_seen = {},
                .last_seen = {},
                .body = kv_body(kv::get{.key = std::move(key)})};
    }

    [[nodiscard]] server::reception& hall() { return hall_; }
    [[nodiscard]] std::uint64_t digest() const { return base_.digest(); }
    [[nodiscard]] log_index last() const { return log_.empty() ? log_index{} : log_.back().index; }
    [[nodiscard]] bool wants_a_turn() const {
        const auto wake = hall_.wake();
        return wake && *wake <= now_;
    }
    [[nodiscard]] std::size_t probes() const { return probes_.size(); }
    [[nodiscard]] epoch newest_claim() const { return probes_.back().second; }
    [[nodiscard]] probe_ticket newest_probe() const { return probes_.back().first; }
    [[nodiscard]] std::size_t saw_times(server::sighting::kind what) const {
        return static_cast<std::size_t>(
            std::count_if(seen_.begin(), seen_.end(),
                          [what](const server::sighting& one) { return one.what == what; }));
    }

    bool drains = false;      ///< B.10: no proposal is accepted
    bool all_is_cold = false; ///< of base

  private:
    struct fetch_under_way {
        server::fetch_ticket ticket;
        state::needs wanted;
        std::optional<state::inputs> rows;
    };

    void collect() {
        std::vector<server::leaving> answers;
        hall_.take_answers(answers);
        for (server::leaving& one : answers) {
            heard_[one.connection].push_back(std::move(one));
        }
    }

    void is_announced_if_in() {
        if (hall_.in_office()) {
            here_.primary = wire::member_address{.id = own_id, .addresses = {"127.0.0.1:7400"}};
            hall_.announced();
        }
    }

    [[nodiscard]] instant now() const override { return now_; }
    [[nodiscard]] const server::standing& here() const override { return here_; }
    [[nodiscard]] std::optional<state::slot> next_slot() const override {
        if (drains || !hall_.in_office()) {
            return std::nullopt;
        }
        return state::slot{.index = last().next(),
                           .time = wall_time{std::chrono::hours{1000} +
                                             std::chrono::duration_cast<std::chrono::milliseconds>(
                                                 now_.since_origin())}};
    }
    [[nodiscard]] log_index confirmed_upto() const override { return confirmed_; }
    [[nodiscard]] state::random_bytes random() override {
        state::random_bytes bytes{};
        ++random_;
        bytes[0] = static_cast<std::byte>(random_);
        bytes[1] = static_cast<std::byte>(random_ >> 8U);
        return bytes;
    }
    [[nodiscard]] server::log_piece own_log(log_index from,
                                            const server::log_share& most) const override {
        server::log_piece piece;
        for (const log_entry& one : log_) {
            if (one.index >= from && piece.entries.size() < most.entries) {
                piece.entries.push_back(one.record());
                from = one.index.next();
            }
        }
        piece.is_last = from > last();
        return piece;
    }
    void propose(state::proposed&& entry) override {
        log_.push_back(
            {.index = last().next(), .of = here_.epoch, .payload = std::move(entry.payload)});
    }
    void probe(probe_ticket ticket, epoch seen) override { probes_.emplace_back(ticket, seen); }
    void fetch(server::fetch_ticket ticket, state::needs wanted) override {
        fetches_.push_back({.ticket = ticket, .wanted = std::move(wanted), .rows = {}});
    }
    void saw(const server::sighting& what) override { seen_.push_back(what); }

    cold_key_space base_{[this](std::string_view) { return all_is_cold; }};
    services::kv::service kv_;
    server::standing here_;
    instant now_{std::chrono::hours{1}};
    std::vector<log_entry> log_;
    log_index confirmed_;
    std::vector<std::pair<probe_ticket, epoch>> probes_;
    std::vector<fetch_under_way> fetches_;
    std::vector<server::sighting> seen_;
    std::map<connection_id, std::vector<server::leaving>> heard_;
    std::uint16_t random_ = 0;
    server::reception hall_;
};

} // namespace almenara::test
