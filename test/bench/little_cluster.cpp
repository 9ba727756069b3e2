#include "bench/little_cluster.hpp"

#include "base/check.hpp"
#include "support/link_frames.hpp"
#include "support/replica_start.hpp"
#include "support/streams.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace almenara::bench {

namespace {

using namespace std::chrono_literals;

server_id id_of(std::size_t place) {
    return server_id{static_cast<std::uint16_t>(place + 1)};
}

std::size_t place_of(server_id id) {
    return id.value() - std::size_t{1};
}

} // namespace

little_cluster::little_cluster()
    : now_{.monotonic = instant{1s}, .wall = wall_time{1'700'000'000s}} {
    const replica::cluster_config config = test::cluster_of(size);
    for (std::size_t place = 0; place < size; ++place) {
        auto start = test::first_start(config, id_of(place));
        start.incarnation = replica::incarnation{100 + place};
        servers_[place].core.emplace(std::move(start), replica::settings{}, now_);
        servers_[place].inbox.emplace_back(replica::tick{});
    }
    constexpr int patience = 5000;
    for (int i = 0; confirmed_upto() == log_index{0}; ++i) {
        ALMENARA_CHECK(i < patience);
        advance(5ms);
        tick_and_settle();
    }
    // Long enough for everybody to be in the sync set and for catch-up to be over.
    for (int i = 0; i < 100; ++i) {
        advance(5ms);
        tick_and_settle();
    }
}

void little_cluster::propose(base::byte_vector payload) {
    replica::core& core = *servers_[primary_].core;
    ALMENARA_CHECK(core.next_slot(now_));
    core.step(now_, replica::proposal{.session = {std::byte{7}},
                                      .seq = 1'000'017,
                                      .first_unacked = 1'000'001,
                                      .payload = std::move(payload)});
}

bool little_cluster::has_work(const server& one) const {
    return !one.inbox.empty() || !one.readable.empty() || (one.wake && *one.wake <= now_.monotonic);
}

void little_cluster::settle() {
    take_turn(primary_);
    bool worked = true;
    while (worked) {
        worked = false;
        for (std::size_t i = 0; i < size; ++i) {
            // The others first: their words are what the primary waits for.
            const std::size_t place = (primary_ + 1 + i) % size;
            if (has_work(servers_[place])) {
                take_turn(place);
                worked = true;
            }
        }
    }
}

void little_cluster::primary_speaks_to_nobody() {
    take_turn(primary_, false);
}

void little_cluster::tick_and_settle() {
    for (std::size_t i = 0; i < size; ++i) {
        const std::size_t place = (primary_ + i) % size;
        servers_[place].inbox.emplace_back(replica::tick{});
    }
    settle();
}

log_index little_cluster::confirmed_upto() const {
    return office_ ? servers_[primary_].core->confirmed_upto() : log_index{0};
}

replica::core_status little_cluster::primary_status() const {
    return servers_[primary_].core->status();
}

bool little_cluster::accepts_proposals() const {
    return servers_[primary_].core->next_slot(now_).has_value();
}

std::chrono::nanoseconds little_cluster::primary_time() const {
    return servers_[primary_].time;
}

std::chrono::nanoseconds little_cluster::backups_time() const {
    std::chrono::nanoseconds sum{0};
    for (const server& one : servers_) {
        sum += one.time;
    }
    return sum - primary_time();
}

void little_cluster::reset_times() {
    for (server& one : servers_) {
        one.time = {};
    }
}

void little_cluster::take_turn(std::size_t place, bool is_heard) {
    using clock = std::chrono::steady_clock;
    const auto start = clock::now();
    server& one = servers_[place];
    step_inbox(one);
    read_all(one);
    if (one.wake && *one.wake <= now_.monotonic) {
        one.core->step(now_, replica::tick{});
    }
    execute(place, one.core->take_output(now_, true), is_heard);
    one.time += clock::now() - start;
}

void little_cluster::step_inbox(server& one) {
    while (!one.inbox.empty()) {
        one.core->step(now_, std::move(one.inbox.front()));
        one.inbox.pop_front();
    }
}

void little_cluster::read_all(server& one) {
    for (const std::size_t end : one.readable) {
        read(one, end);
    }
    one.readable.clear();
}

void little_cluster::read(server& one, std::size_t end) {
    const connection_id connection{end / 2};
    ear& from = ears_[end];
    if (from.deaf) {
        return;
    }
    while (true) {
        const auto next = from.bytes.next();
        ALMENARA_CHECK(next);
        if (!*next) {
            break;
        }
        auto message = test::read_link_frame(**next);
        ALMENARA_CHECK(message);
        one.core->step(now_, replica::frame_received{.connection = connection,
                                                     .epoch = (*next)->header.epoch,
                                                     .message = std::move(*message),
                                                     .hlc = (*next)->header.hlc});
    }
    if (from.closed) {
        one.core->step(now_, replica::connection_closed{connection});
    }
}

void little_cluster::execute(std::size_t place, replica::output out, bool is_heard) {
    server& one = servers_[place];
    ALMENARA_CHECK(!out.die);
    if (out.meta) {
        one.inbox.emplace_back(replica::meta_synced{.number = out.meta->number});
    }
    if (!out.log.empty()) {
        one.inbox.emplace_back(replica::log_synced{.batch = out.log.back().batch});
    }
    for (const replica::outgoing& what : out.send) {
        if (is_heard) {
            send(what, place);
        }
    }
    if (!out.apply.empty()) {
        one.inbox.emplace_back(replica::applied{out.apply.back()->index});
    }
    for (const replica::office_event& change : out.office) {
        if (const auto* const entered = std::get_if<replica::entered_office>(&change)) {
            office_ = entered->epoch;
            primary_ = place;
        }
    }
    for (const replica::dial_request& what : out.dial) {
        dial(what, place);
    }
    for (const connection_id connection : out.close) {
        close(connection, place);
    }
    one.wake = out.wake;
}

std::size_t little_cluster::other_end(connection_id connection, std::size_t place) const {
    const std::size_t end = connection.value() * 2;
    return ears_[end].owner == place ? end + 1 : end;
}

void little_cluster::send(const replica::outgoing& what, std::size_t place) {
    // The same APPEND to everybody is encoded once.
    if (what.message != encoded_message_ || what.epoch != encoded_epoch_) {
        encoded_message_ = what.message;
        encoded_epoch_ = what.epoch;
        encoded_.clear();
        test::append_link_frame(*what.message, encoded_, {.epoch = what.epoch});
    }
    const std::size_t end = other_end(what.connection, place);
    if (ears_[end].closed || ears_[end].deaf) {
        return;
    }
    test::feed(ears_[end].bytes, encoded_);
    mark_readable(end);
}

void little_cluster::mark_readable(std::size_t end) {
    auto& readable = servers_[ears_[end].owner].readable;
    if (std::find(readable.begin(), readable.end(), end) == readable.end()) {
        readable.push_back(end);
    }
}

void little_cluster::dial(const replica::dial_request& what, std::size_t place) {
    const connection_id connection{ears_.size() / 2};
    const std::size_t other = place_of(what.peer);
    ears_.emplace_back().owner = place;
    ears_.emplace_back().owner = other;
    servers_[place].inbox.emplace_back(replica::connection_opened{
        .connection = connection, .kind = what.kind, .dialled = what.peer});
    servers_[other].inbox.emplace_back(replica::connection_opened{.connection = connection});
}

void little_cluster::close(connection_id connection, std::size_t place) {
    const std::size_t end = other_end(connection, place);
    ears_[end ^ 1U].deaf = true;
    ears_[end].closed = true;
    mark_readable(end);
}

} // namespace almenara::bench
