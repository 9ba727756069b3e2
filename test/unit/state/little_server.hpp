#pragma once

#include "base/hash.hpp"
#include "services/body.hpp"
#include "services/kv/messages.hpp"
#include "services/kv/service.hpp"
#include "state/desk.hpp"
#include "state/memory_key_space.hpp"
#include "support/printing.hpp"
#include "wire/codec.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// A server without a replication core: a desk, and a log that the test commits by hand.
namespace almenara::test {

namespace kv = services::kv;

struct log_entry {
    log_index index;
    epoch of;
    state::payload_kind kind = state::payload_kind::update;
    base::byte_vector payload;

    [[nodiscard]] state::log_record record() const {
        return {.index = index,
                .epoch = of,
                .hash = base::xxh3_64(payload, index.value()),
                .kind = kind,
                .payload = payload};
    }
};

template <wire::described_struct Message>
[[nodiscard]] base::byte_vector kv_body(const Message& message) {
    return services::body_of<kv::kv_messages>(message);
}

template <wire::described_struct Message>
[[nodiscard]] Message kv_message(const state::reply& reply) {
    auto found = services::message_in<kv::kv_messages, Message>(reply.body);
    if (!found) {
        FAIL("the body is no " << wire::name_of<Message>() << ": " << wire::to_text(reply));
    }
    return std::move(*found);
}

[[nodiscard]] inline base::byte_vector bytes_of(std::string_view text) {
    const base::byte_view bytes = base::as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

template <class Id>
[[nodiscard]] Id id_number(std::uint8_t number) {
    typename Id::rep bytes{};
    bytes.back() = std::byte{number};
    return Id{bytes};
}

/// The expected kind of decision; the test fails if it is another one.
template <class Kind>
Kind expect(state::decision decided) {
    Kind* const found = std::get_if<Kind>(&decided);
    if (found == nullptr) {
        FAIL("the decision is of kind " << decided.index());
    }
    return std::move(*found);
}

[[nodiscard]] inline state::result_code code_of(const state::decision& decided) {
    if (const auto* const away = std::get_if<state::turned_away>(&decided)) {
        return away->reply.code;
    }
    if (const auto* const again = std::get_if<state::known>(&decided)) {
        return again->reply.code;
    }
    FAIL("the decision has no reply yet: its kind is " << decided.index());
    return {};
}

class little_server {
  public:
    bool may_grow = true;

    explicit little_server(const state::limits& bounds = {}) : desk_(base_, service_, bounds) {}

    /// An epoch begins, with its first entry.
    void takes_office(std::uint64_t epoch_number) {
        epoch_ = epoch{epoch_number};
        const log_index first_uncommitted = committed_.next();
        log_.push_back({.index = last().next(), .of = epoch_, .kind = state::payload_kind::other});
        std::vector<state::log_record> tail;
        for (const log_entry& one : log_) {
            if (one.index > desk_.log_beyond_base().last()) {
                tail.push_back(one.record());
            }
        }
        confirmed_ = {};
        REQUIRE_FALSE(desk_.entered_office(first_uncommitted, tail));
    }

    [[nodiscard]] std::vector<state::delivery> leaves_office() { return desk_.left_office(); }

    state::decision opens(connection_id connection, state::open_request what) {
        return took(desk_.open_session(now(), connection, what));
    }

    /// A confirmed session that speaks through this connection.
    state::session_id has_session(connection_id connection, std::uint8_t nonce = 1) {
        opens(connection, {.nonce = id_number<state::open_nonce>(nonce)});
        const auto told = confirms_all();
        REQUIRE(told.size() == 1);
        attaches(connection, told.front().session);
        return told.front().session;
    }

    state::attached attaches(connection_id connection, state::session_id session) {
        auto outcome = desk_.attach(connection, session);
        REQUIRE(std::holds_alternative<state::attached>(outcome));
        return std::get<state::attached>(outcome);
    }

    state::decision closes(connection_id connection,
                           state::session_id session,
                           std::uint32_t request = 1) {
        return took(desk_.close_session(now(), connection,
                                        {.request = request_id{request}, .session = session}));
    }

    template <wire::described_struct Message>
    state::decision says(connection_id connection,
                         state::session_id session,
                         std::uint64_t seq,
                         const Message& message,
                         std::uint64_t first_unacked = 1) {
        const auto body = kv_body(message);
        return says_bytes(connection, session, seq, body, first_unacked);
    }

    state::decision says_bytes(connection_id connection,
                               state::session_id session,
                               std::uint64_t seq,
                               base::byte_view body,
                               std::uint64_t first_unacked = 1) {
        return took(desk_.operation(now(), connection,
                                    {.request = request_id{static_cast<std::uint32_t>(seq)},
                                     .session = session,
                                     .seq = state::sequence{seq},
                                     .first_unacked = state::sequence{first_unacked},
                                     .body = body}));
    }

    std::optional<state::proposed> sweeps() {
        auto found = desk_.sweep(now());
        if (found) {
            static_cast<void>(took(*found));
        }
        return found;
    }

    /// Everything in the log is committed, and durable here.
    void commits_all() { commits(last()); }
    void commits(log_index upto) {
        for (const log_entry& one : log_) {
            if (one.index > committed_ && one.index <= upto) {
                REQUIRE_FALSE(desk_.committed(one.record()));
            }
        }
        committed_ = std::max(committed_, upto);
        if (!base_waits_) {
            desk_.apply_to_base(upto);
        }
    }

    /// Nothing reaches base until it goes on.
    void base_waits() { base_waits_ = true; }
    void base_goes_on() {
        base_waits_ = false;
        desk_.apply_to_base(committed_);
    }

    [[nodiscard]] std::vector<state::delivery> confirms_all() {
        commits_all();
        confirmed_ = last();
        return desk_.confirmed(last());
    }

    /// The log becomes the other's, up to an index; nothing of it is committed by that.
    void copies_log(const little_server& other, log_index upto) {
        log_.clear();
        for (const log_entry& one : other.log_) {
            if (one.index <= upto) {
                log_.push_back(one);
            }
        }
    }

    template <wire::described_struct Message>
    [[nodiscard]] state::reply asks(const Message& question) const {
        const auto body = kv_body(question);
        return desk_.read(body).reply;
    }

    void waits(duration time) { wall_ += time; }

    [[nodiscard]] state::desk& desk() { return desk_; }
    [[nodiscard]] const state::memory_key_space& base() const { return base_; }
    [[nodiscard]] const std::vector<log_entry>& log() const { return log_; }
    [[nodiscard]] log_index last() const { return log_.empty() ? log_index{0} : log_.back().index; }
    [[nodiscard]] log_index confirmed() const { return confirmed_; }
    void confirmed_nothing_yet() { confirmed_ = {}; }

    /// What the newest entry says.
    [[nodiscard]] state::update newest_update() const {
        auto what = wire::decode<state::update>(log_.back().payload);
        REQUIRE(what.has_value());
        return std::move(*what);
    }

  private:
    [[nodiscard]] state::turn now() {
        state::turn turn{.next = {.index = last().next(), .time = wall_time_now()},
                         .confirmed_upto = confirmed_,
                         .may_grow = may_grow};
        ++random_;
        turn.random.front() = static_cast<std::byte>(random_ >> 8U);
        turn.random[1] = static_cast<std::byte>(random_ & 0xffU);
        return turn;
    }

    [[nodiscard]] wall_time wall_time_now() const {
        return wall_time{std::chrono::duration_cast<std::chrono::milliseconds>(wall_)};
    }

    state::decision took(state::decision decided) {
        if (const auto* const proposal = std::get_if<state::proposed>(&decided)) {
            log_.push_back({.index = last().next(), .of = epoch_, .payload = proposal->payload});
        }
        return decided;
    }

    state::memory_key_space base_;
    kv::service service_;
    state::desk desk_;
    std::vector<log_entry> log_;
    epoch epoch_;
    log_index committed_;
    log_index confirmed_;
    duration wall_ = std::chrono::hours{1000};
    std::uint32_t random_ = 0;
    bool base_waits_ = false;
};

/// A primary with one session that speaks through connection 1.
struct little_primary : little_server {
    explicit little_primary(const state::limits& bounds = {}) : little_server(bounds) {
        takes_office(1);
        static_cast<void>(confirms_all());
        session = has_session(client);
    }

    template <wire::described_struct Message>
    state::decision hears(std::uint64_t seq, const Message& message, std::uint64_t unacked = 1) {
        return says(client, session, seq, message, unacked);
    }

    connection_id client{1};
    state::session_id session;
};

} // namespace almenara::test
