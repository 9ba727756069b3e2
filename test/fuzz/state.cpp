// Any entries and any requests, in any order, to a state: one server may rule, another one only
// applies what is committed. What cannot be applied is named by both and touches nothing, and
// otherwise equal logs give equal states (I9), whatever was pending, dropped and restarted.
#include "fuzz/state_input.hpp"
#include "fuzz/steps.hpp"
#include "fuzz/target.hpp"
#include "services/body.hpp"
#include "services/kv/messages.hpp"
#include "services/kv/service.hpp"
#include "state/desk.hpp"
#include "state/memory_key_space.hpp"
#include "state/session_table.hpp"
#include "wire/codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace almenara::fuzz {

namespace {

namespace kv = services::kv;
using state::change;
using state::change_kind;

/// Splices reach far with few bytes; an input may not fill the memory by that.
constexpr std::uint64_t most_spliced = 64U << 20U;
constexpr std::size_t most_entries = 2000;

state::limits narrow_limits() {
    state::limits bounds;
    bounds.window = 4;
    bounds.operations_in_flight = 6;
    bounds.pending_entries = 16;
    bounds.pending_bytes = 16U << 10U;
    bounds.sessions = 3;
    bounds.most_sessions = 5;
    bounds.sweep_rows = 3;
    bounds.swept_at_once = 2;
    bounds.oldest_known = 4;
    return bounds;
}

template <class Id>
Id id_of(std::uint8_t number) {
    typename Id::rep bytes{};
    bytes.back() = static_cast<std::byte>(number % 8U);
    return Id{bytes};
}

/// A place where a state lives: base outlives the desk, as a disk does.
struct place {
    place() { restart(); }
    void restart() { desk.emplace(base, service, narrow_limits()); }

    kv::service service;
    state::memory_key_space base;
    std::optional<state::desk> desk;
};

class play {
  public:
    void step(numbers& input);
    void end();

    [[nodiscard]] bool is_over() const {
        return log_.size() > most_entries || spliced_ > most_spliced;
    }

  private:
    struct entry {
        state::payload_kind kind = state::payload_kind::update;
        base::byte_vector payload;
    };

    [[nodiscard]] state::desk& desk() { return *ruler_.desk; }
    [[nodiscard]] log_index last() const { return log_index{log_.size()}; }
    [[nodiscard]] state::log_record record(log_index at) const {
        const entry& one = log_[at.value() - 1];
        return {.index = at,
                .epoch = epoch{1},
                .hash = at.value(),
                .kind = one.kind,
                .payload = one.payload};
    }
    [[nodiscard]] state::turn now() {
        state::turn turn{.next = {.index = last().next(), .time = wall_time{time_}},
                         .confirmed_upto = confirmed_};
        turn.random.front() = static_cast<std::byte>(++randoms_);
        turn.random[1] = static_cast<std::byte>(randoms_ >> 8U);
        return turn;
    }
    [[nodiscard]] static connection_id connection(numbers& input) {
        return connection_id{1U + input.next() % 4U};
    }
    [[nodiscard]] session_id session(numbers& input) {
        const std::uint8_t which = input.next();
        return sessions_.empty() ? id_of<session_id>(which) : sessions_[which % sessions_.size()];
    }

    void came(base::byte_vector payload);
    void took(state::decision&& decided);
    void told(const std::vector<state::delivery>& all);
    void enter();
    void leave(bool is_cut);
    void operate(numbers& input, base::byte_view body, connection_id over, session_id whose);
    void commit_next();
    void restart();
    void check();

    place ruler_;
    place follower_;
    std::vector<entry> log_;
    log_index committed_;
    log_index confirmed_;
    std::chrono::milliseconds time_ = std::chrono::hours{1000};
    unsigned randoms_ = 0;
    std::uint64_t spliced_ = 0;
    std::vector<session_id> sessions_;
};

base::byte_vector row_bytes(std::uint8_t row, std::uint8_t number) {
    base::byte_vector bytes;
    switch (row) {
    case 0:
        wire::encode(state::session_row{.results = number,
                                        .active = wall_time{std::chrono::milliseconds{
                                            number % 2 == 0 ? std::int64_t{number} << 55U : -1}}},
                     bytes);
        break;
    case 1:
        wire::encode(state::nonce_row{.session = id_of<session_id>(number)}, bytes);
        break;
    case 2:
        wire::encode(state::result_row{.index = log_index{number}}, bytes);
        break;
    case 3:
        wire::encode(state::session_count_row{number}, bytes);
        break;
    case 4:
        wire::encode(kv::kv_row{.version = log_index{number}, .value = {}}, bytes);
        break;
    default:
        bytes.assign(number, std::byte{number});
    }
    return bytes;
}

std::string row_key(std::uint8_t row, std::uint8_t id) {
    const std::string bytes{base::as_text(id_of<session_id>(id).value())};
    switch (row) {
    case 0:
        return "session/" + bytes;
    case 1:
        return "nonce/" + std::string(16, '\0') + bytes;
    case 2:
        return "result/" + bytes + std::string(7, '\0') + static_cast<char>(id);
    case 3:
        return "sessions";
    case 4:
        return fmt::format("kv/{}", id % 8);
    default:
        return fmt::format("unknown/{}", id % 8);
    }
}

change change_from(numbers& input) {
    change what{.kind = change_kind{static_cast<std::uint8_t>(input.next() % 4U)}};
    const auto row = static_cast<std::uint8_t>(input.next() % row_names);
    what.key = row_key(row, input.next());
    const auto form = row_form{
        static_cast<std::uint8_t>(input.next() % static_cast<std::uint8_t>(row_form::count_))};
    const std::uint8_t number = input.next();
    if (form != row_form::empty) {
        what.bytes = row_bytes(row, number);
    }
    if (form == row_form::wrong) {
        what.bytes.push_back(std::byte{number});
    }
    if (what.kind == change_kind::splice) {
        what.offset = number < 250 ? number : std::uint64_t{1} << (number % 64U);
    }
    return what;
}

/// An entry of another primary, which this one has in its log.
void play::came(base::byte_vector payload) {
    if (desk().in_office()) {
        leave(true);
    }
    if (const auto what = wire::decode<state::update>(payload)) {
        for (const change& one : what->changes) {
            if (one.kind == change_kind::splice && state::splice_fits(one.offset, one.bytes)) {
                spliced_ += one.offset + one.bytes.size();
            }
        }
    }
    log_.push_back({.payload = std::move(payload)});
}

void play::took(state::decision&& decided) {
    if (auto* const next = std::get_if<state::proposed>(&decided)) {
        if (next->label == state::update_label::session_open) {
            sessions_.push_back(next->session);
        }
        log_.push_back({.payload = std::move(next->payload)});
        ALMENARA_CHECK(desk().log_beyond_base().last() == last());
    } else if (const auto* const later = std::get_if<state::waits>(&decided)) {
        ALMENARA_CHECK(later->index > confirmed_ && later->index <= last());
    } else if (const auto* const before = std::get_if<state::known>(&decided)) {
        ALMENARA_CHECK(before->index <= confirmed_);
    } else if (const auto* const away = std::get_if<state::turned_away>(&decided)) {
        ALMENARA_CHECK(!state::leaves_entry(away->reply.code));
    }
}

void play::told(const std::vector<state::delivery>& all) {
    for (const state::delivery& one : all) {
        ALMENARA_CHECK(one.index <= last());
    }
}

void play::enter() {
    if (desk().in_office()) {
        return;
    }
    log_.push_back({.kind = state::payload_kind::other, .payload = {}});
    const log_index held = desk().log_beyond_base().last();
    std::vector<state::log_record> tail;
    for (log_index at = held.next(); at <= last(); at = at.next()) {
        tail.push_back(record(at));
    }
    confirmed_ = {};
    if (const auto bad = desk().entered_office(committed_.next(), tail)) {
        ALMENARA_CHECK(!desk().in_office() && desk().log_beyond_base().last() == held);
        ALMENARA_CHECK(bad->index > committed_ && bad->index <= last());
        log_.resize(bad->index.value() - 1);
    } else {
        ALMENARA_CHECK(desk().in_office() && desk().log_beyond_base().last() == last());
    }
}

void play::leave(bool is_cut) {
    if (!desk().in_office()) {
        return;
    }
    told(desk().left_office());
    ALMENARA_CHECK(desk().waiting() == 0);
    if (is_cut) {
        log_.resize(committed_.value());
    }
}

void play::operate(numbers& input, base::byte_view body, connection_id over, session_id whose) {
    const state::sequence seq{input.next() % 16U};
    const state::sequence unacked{input.next() % 16U};
    took(desk().operation(now(), over,
                          {.request = request_id{1},
                           .session = whose,
                           .seq = seq,
                           .first_unacked = unacked,
                           .body = body}));
}

void play::commit_next() {
    if (committed_ == last()) {
        return;
    }
    const log_index next = committed_.next();
    const log_index held = follower_.desk->log_beyond_base().last();
    const auto bad = follower_.desk->committed(record(next));
    ALMENARA_CHECK(desk().committed(record(next)) == bad);
    if (!bad) {
        committed_ = next;
        return;
    }
    // Both end here. The log goes on without that entry, so that there is more to see.
    ALMENARA_CHECK(bad->index == next && follower_.desk->log_beyond_base().last() == held);
    ALMENARA_CHECK(!desk().in_office());
    log_.resize(committed_.value());
    follower_.desk->apply_to_base(committed_);
    follower_.restart();
    desk().apply_to_base(committed_);
    restart();
}

void play::restart() {
    leave(false);
    ruler_.restart();
    for (log_index at = ruler_.base.applied().index.next(); at <= committed_; at = at.next()) {
        ALMENARA_CHECK(!desk().committed(record(at)));
    }
}

void play::check() {
    const state::overlay& over = desk().log_beyond_base();
    ALMENARA_CHECK(over.applied() <= over.committed() && over.committed() <= over.last());
    ALMENARA_CHECK(over.last() <= last());
    if (over.applied() == follower_.base.applied().index) {
        ALMENARA_CHECK(ruler_.base.digest() == follower_.base.digest());
    }
}

void play::step(numbers& input) {
    using enum state_step;
    const auto what = static_cast<state_step>(input.next() % static_cast<unsigned>(count_));
    const bool rules = desk().in_office();
    switch (what) {
    case payload: {
        const base::byte_view bytes = input.bytes(input.next());
        came({bytes.begin(), bytes.end()});
        break;
    }
    case changes: {
        state::update made;
        for (unsigned count = input.next() % 8U; count > 0; --count) {
            made.changes.push_back(change_from(input));
        }
        base::byte_vector bytes;
        wire::encode(made, bytes);
        came(std::move(bytes));
        break;
    }
    case enter:
        this->enter();
        break;
    case leave:
        this->leave(input.next() % 2U == 0);
        break;
    case open: {
        const connection_id over = connection(input);
        const std::uint8_t nonce = input.next();
        if (rules) {
            took(desk().open_session(now(), over,
                                     {.request = request_id{nonce},
                                      .device = {},
                                      .nonce = id_of<state::open_nonce>(nonce)}));
        }
        break;
    }
    case attach: {
        const connection_id over = connection(input);
        const session_id whose = session(input);
        if (rules) {
            static_cast<void>(desk().attach(over, whose));
        }
        break;
    }
    case operate: {
        const connection_id over = connection(input);
        const session_id whose = session(input);
        const base::byte_view body = input.bytes(input.next());
        if (rules) {
            this->operate(input, body, over, whose);
        }
        break;
    }
    case add: {
        const connection_id over = connection(input);
        const session_id whose = session(input);
        const auto body = services::body_of<kv::kv_messages>(
            kv::add{.key = fmt::format("{}", input.next() % 8), .delta = 1});
        if (rules) {
            this->operate(input, body, over, whose);
        }
        break;
    }
    case close: {
        const connection_id over = connection(input);
        const session_id whose = session(input);
        if (rules) {
            took(desk().close_session(now(), over, {.request = request_id{9}, .session = whose}));
        }
        break;
    }
    case hang_up:
        desk().connection_closed(connection(input));
        break;
    case sweep:
        if (rules) {
            if (auto found = desk().sweep(now())) {
                took(std::move(*found));
            }
        }
        break;
    case wait:
        time_ += std::chrono::hours{input.next()};
        break;
    case commit:
        for (unsigned count = input.next(); count > 0; --count) {
            commit_next();
        }
        break;
    case confirm:
        if (rules) {
            told(desk().confirmed(committed_));
            confirmed_ = committed_;
        }
        break;
    case apply: {
        const std::uint64_t fewer = std::min<std::uint64_t>(input.next(), committed_.value());
        desk().apply_to_base(log_index{committed_.value() - fewer});
        follower_.desk->apply_to_base(ruler_.base.applied().index);
        break;
    }
    case ask: {
        const auto said = desk().read(input.bytes(input.next()));
        ALMENARA_CHECK(said.index == desk().log_beyond_base().committed());
        break;
    }
    case list: {
        const kv::list question{.prefix = {}, .rows = input.next(), .with_values = true};
        const auto said = desk().read(services::body_of<kv::kv_messages>(question));
        ALMENARA_CHECK(said.reply.code == state::result_code::ok);
        break;
    }
    case restart:
        this->restart();
        break;
    case count_:
        break;
    }
    check();
}

void play::end() {
    leave(false);
    while (committed_ < last()) {
        commit_next();
    }
    for (place* const each : {&ruler_, &follower_}) {
        each->desk->apply_to_base(committed_);
        const state::overlay& over = each->desk->log_beyond_base();
        ALMENARA_CHECK(over.applied() == committed_ && over.size() == 0 && over.memory() == 0);
        ALMENARA_CHECK(over.pending() == 0 && over.pending_bytes() == 0);
    }
    check();
}

} // namespace

} // namespace almenara::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace almenara::fuzz;
    if (size == 0) {
        return -1;
    }
    numbers input{almenara::fuzz::input(data, size)};
    play one;
    while (input.any_left() && !one.is_over()) {
        one.step(input);
    }
    one.end();
    return 0;
}
