#include "unit/replica/stand.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace almenara::test {

using namespace std::chrono_literals;

// -- history --------------------------------------------------------------------------------------

history::history(const replica::cluster_config& config)
    : entries_{std::make_shared<const replica::entry>(replica::first_entry(config))} {}

history& history::add(replica::entry raw) {
    base::byte_vector scratch;
    raw.index = last().index.next();
    raw.hash = replica::chain_hash(last().hash, raw, scratch);
    entries_.push_back(std::make_shared<const replica::entry>(std::move(raw)));
    return *this;
}

history& history::add(epoch in, std::size_t count, std::string_view what) {
    for (std::size_t i = 0; i < count; ++i) {
        replica::entry raw{.epoch = in};
        if (last().epoch != in) {
            raw.type = replica::entry_type::epoch_start;
        }
        raw.time = wall_time{1'700'000'000s};
        const base::byte_view bytes = base::as_bytes(what);
        raw.payload.assign(bytes.begin(), bytes.end());
        add(std::move(raw));
    }
    return *this;
}

replica::log_point history::at(log_index index) const {
    return index == log_index{0} ? replica::log_point{} : point_of(*entries_.at(index.value() - 1));
}

std::vector<replica::entry> history::between(log_index first, log_index last) const {
    std::vector<replica::entry> some;
    for (log_index i = first; i <= last; i = i.next()) {
        some.push_back(*entries_.at(i.value() - 1));
    }
    return some;
}

replica::start_state started(const replica::cluster_config& config,
                             server_id self,
                             const history& log) {
    replica::start_state start = first_start(config, self);
    start.positions.clear();
    start.recent = log.entries();
    for (const replica::entry_ptr& e : log.entries()) {
        start.positions.push_back(point_of(*e));
    }
    start.meta.epoch = log.last().epoch;
    return start;
}

// -- Time and disk --------------------------------------------------------------------------------

stand::stand(replica::start_state start, replica::settings chosen)
    : self_(start.self),
      config_(cluster_of(std::max<std::size_t>(start.listed.size(), 1))),
      core_(std::move(start),
            chosen,
            {.monotonic = instant{100s}, .wall = wall_time{1'700'000'100s}}) {
    turn();
}

replica::moment stand::now() const {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now_);
    return {.monotonic = instant{now_}, .wall = wall_time{1'700'000'000s + since + wall_ahead}};
}

void stand::run(duration length) {
    static_cast<void>(run_until([] { return false; }, length));
}

bool stand::run_until(const std::function<bool()>& reached, duration most) {
    const duration end = now_ + most;
    while (!reached()) {
        if (now_ >= end) {
            return false;
        }
        // At least a little passes, so that nothing that is always due stops the clock.
        const duration wake = wake_ ? wake_->since_origin() : end;
        now_ = std::min(end, std::max(wake, now_ + 100us));
        tick();
    }
    return true;
}

void stand::tick(duration gap) {
    step(replica::tick{.gap = gap});
}

void stand::step(replica::event what) {
    core_.step(now(), std::move(what));
    turn();
}

void stand::turn() {
    do {
        absorb(core_.take_output(now(), cut));
    } while (disk_goes_on());
}

void stand::absorb(replica::output out) {
    const auto move_to = [](auto& from, auto& to) {
        std::move(from.begin(), from.end(), std::back_inserter(to));
    };
    if (out.meta) {
        metas_.push_back(out.meta->number);
        metas.push_back(*out.meta);
    }
    for (const replica::log_write& w : out.log) {
        writes_.push_back(w.batch);
    }
    move_to(out.log, writes);
    for (const replica::outgoing& o : out.send) {
        sent.push_back(
            {.to = o.peer, .connection = o.connection, .epoch = o.epoch, .message = *o.message});
    }
    move_to(out.read_log, reads);
    move_to(out.apply, applied);
    move_to(out.confirmed, confirmed);
    move_to(out.readable, readable);
    move_to(out.refused_reads, refused_reads);
    move_to(out.office, office);
    move_to(out.dial, dials);
    for (const connection_id gone : out.close) {
        std::erase_if(peers_, [gone](const auto& p) { return p.second == gone; });
    }
    move_to(out.close, closed);
    move_to(out.notes, notes);
    wake_ = out.wake;
    if (out.die) {
        died = out.die;
    }
}

bool stand::disk_goes_on() {
    if (died) {
        return false;
    }
    if (meta_is_fast && !metas_.empty()) {
        core_.step(now(), replica::meta_synced{.number = metas_.front()});
        metas_.pop_front();
        return true;
    }
    if (disk_is_fast && !writes_.empty()) {
        core_.step(now(), replica::log_synced{.batch = writes_.back()});
        writes_.clear();
        return true;
    }
    return false;
}

void stand::sync_log(bool ok) {
    REQUIRE_FALSE(writes_.empty());
    const replica::batch_number batch = writes_.front();
    writes_.pop_front();
    step(replica::log_synced{.batch = batch, .ok = ok});
}

void stand::sync_meta(bool ok) {
    REQUIRE_FALSE(metas_.empty());
    const replica::meta_number number = metas_.front();
    metas_.pop_front();
    step(replica::meta_synced{.number = number, .ok = ok});
}

// -- The others -----------------------------------------------------------------------------------

replica::greeting stand::greeting_of(server_id peer) const {
    replica::greeting g;
    g.cluster = replica::cluster_of_list(config_);
    g.server = peer;
    g.uuid = disk_of(peer);
    g.incarnation = replica::incarnation{peer.value() * 1000ULL};
    g.rank = rank_of(peer);
    g.config_index = log_index{1};
    std::vector<server_id> ids;
    for (const replica::member& m : config_.members) {
        ids.push_back(m.id);
    }
    g.members_hash = replica::list_hash(ids);
    g.role = replica::role_name::backup;
    return g;
}

connection_id stand::accept(const replica::greeting& hello) {
    const connection_id id{++connections_};
    step(replica::connection_opened{.connection = id, .kind = {}, .dialled = {}});
    const std::size_t before = closed.size();
    step(replica::frame_received{
        .connection = id, .epoch = epoch{1}, .message = replica::hello{.from = hello}});
    if (hello.kind == replica::connection_kind::control &&
        std::find(closed.begin() + static_cast<std::ptrdiff_t>(before), closed.end(), id) ==
            closed.end()) {
        peers_[hello.server] = id;
    }
    return id;
}

connection_id stand::dialled(server_id peer, replica::connection_kind kind) {
    const connection_id id{++connections_};
    step(replica::connection_opened{.connection = id, .kind = kind, .dialled = peer});
    replica::hello_ok ok{.from = greeting_of(peer), .first = {}};
    const auto hello = last_said<replica::hello>(peer);
    ok.from.kind = kind;
    ok.from.session = {.dialler = hello.from.incarnation,
                       .acceptor = ok.from.incarnation,
                       .counter = connections_};
    if (kind == replica::connection_kind::bulk) {
        ok.from.session = hello.from.session;
        ok.from.session.dialler = hello.from.incarnation;
    }
    const std::size_t before = closed.size();
    say_on(id, std::move(ok), epoch{1});
    if (kind == replica::connection_kind::control &&
        std::find(closed.begin() + static_cast<std::ptrdiff_t>(before), closed.end(), id) ==
            closed.end()) {
        peers_[peer] = id;
    }
    return id;
}

void stand::open(server_id peer) {
    accept(greeting_of(peer));
    REQUIRE(peers_.contains(peer));
}

void stand::open_all() {
    each_peer([this](server_id peer) {
        if (!peers_.contains(peer)) {
            open(peer);
        }
    });
}

void stand::close(server_id peer) {
    const connection_id id = peers_.at(peer);
    peers_.erase(peer);
    step(replica::connection_closed{.connection = id});
}

void stand::say(server_id peer, replica::message what, epoch in) {
    say_on(peers_.at(peer), std::move(what), in);
}

void stand::say_on(connection_id connection, replica::message what, epoch in, wall_time clock) {
    const hlc_stamp stamp{static_cast<std::uint64_t>(clock.since_epoch().count()) << 16U};
    step(replica::frame_received{
        .connection = connection, .epoch = in, .message = std::move(what), .hlc = stamp});
}

replica::link_session stand::session_of(server_id id) const {
    return peer(id).session.value();
}

void stand::each_peer(const std::function<void(server_id)>& what) {
    for (const replica::member& m : config_.members) {
        if (m.id != self_) {
            what(m.id);
        }
    }
}

// -- Whole acts -----------------------------------------------------------------------------------

replica::generation stand::ask() {
    const auto asked = [this] {
        return std::any_of(sent.begin(), sent.end(), [](const spoken& s) {
            return std::holds_alternative<replica::election>(s.message);
        });
    };
    REQUIRE(run_until(asked));
    for (auto s = sent.rbegin(); s != sent.rend(); ++s) {
        if (const auto* e = std::get_if<replica::election>(&s->message)) {
            return e->generation;
        }
    }
    return {};
}

void stand::answer(server_id from, replica::answer_kind kind, replica::rank of, epoch in) {
    const auto generation = last_said<replica::election>(from).generation;
    say(from,
        replica::answer{.generation = generation,
                        .kind = kind,
                        .rank = of,
                        .epoch = in,
                        .reach = static_cast<std::uint8_t>(config_.members.size()),
                        .known_primary = {},
                        .primary_epoch = {}},
        in);
}

void stand::promise(server_id from, epoch claimed, wall_time clock) {
    const wall_time said = clock == wall_time{} ? now().wall : clock;
    say_on(control_of(from),
           replica::promise{.claimed = claimed,
                            .granted = true,
                            .reason = {},
                            .rank = rank_of(from),
                            .clock = said},
           claimed, said);
}

void stand::deny(server_id from, epoch claimed, replica::denial why, epoch in) {
    say(from,
        replica::promise{
            .claimed = claimed, .granted = false, .reason = why, .rank = {}, .clock = {}},
        in);
}

epoch stand::take_office() {
    open_all();
    ask();
    each_peer([this](server_id peer) {
        if (role() == replica::role_name::prospect) {
            answer(peer, replica::answer_kind::grant, rank_of(peer), epoch_now());
        }
    });
    REQUIRE(role() == replica::role_name::candidate);
    const epoch claimed = epoch_now();
    each_peer([this, claimed](server_id peer) { promise(peer, claimed); });
    REQUIRE(role() == replica::role_name::primary);
    return claimed;
}

epoch stand::rule() {
    const epoch claimed = take_office();
    ack_all();
    REQUIRE(status().commit == last().index);
    return claimed;
}

void stand::follow(server_id primary, epoch in) {
    open_all();
    heartbeat(primary, in);
    REQUIRE(status().known_primary == primary);
}

void stand::ack(server_id from, log_index match) {
    replica::probe_number probe;
    for (const spoken& s : sent) {
        if (s.to != from) {
            continue;
        }
        if (const auto* m = std::get_if<replica::append>(&s.message)) {
            probe = std::max(probe, m->probe);
        } else if (const auto* h = std::get_if<replica::heartbeat>(&s.message)) {
            probe = std::max(probe, h->probe);
        }
    }
    say(from, replica::append_ack{.match = match, .probe = probe}, epoch_now());
}

log_index stand::propose(std::string_view what) {
    const auto slot = core_.next_slot(now());
    REQUIRE(slot.has_value());
    replica::proposal p;
    const base::byte_view bytes = base::as_bytes(what);
    p.payload.assign(bytes.begin(), bytes.end());
    step(std::move(p));
    return slot->index;
}

void stand::heartbeat(server_id primary, epoch in, log_index commit, epoch commit_epoch) {
    say(primary,
        replica::heartbeat{.primary = primary,
                           .commit = commit,
                           .commit_epoch = commit_epoch,
                           .probe = {},
                           .sync_set = 0},
        in);
}

void stand::append(server_id primary,
                   epoch in,
                   const history& log,
                   log_index first,
                   log_index last,
                   log_index commit) {
    say(primary,
        replica::append{.primary = primary,
                        .previous = log.at(log_index{first.value() - 1}),
                        .commit = commit,
                        .commit_epoch = log.at(commit).epoch,
                        .probe = {},
                        .verified = false,
                        .entries = log.between(first, last)},
        in);
}

// -- What came of it ------------------------------------------------------------------------------

void stand::forget() {
    sent.clear();
    reads.clear();
    applied.clear();
    confirmed.clear();
    readable.clear();
    refused_reads.clear();
    office.clear();
    dials.clear();
    closed.clear();
    notes.clear();
    writes.clear();
    metas.clear();
}

replica::peer_status stand::peer(server_id id) const {
    for (const replica::peer_status& p : status().peers) {
        if (p.id == id) {
            return p;
        }
    }
    FAIL("no such peer");
    return {};
}

replica::rank stand::rank(server_id of,
                          epoch last_epoch,
                          log_index last_index,
                          std::uint8_t eligible) {
    return {.last_epoch = last_epoch,
            .last_index = last_index,
            .eligible = eligible,
            .priority = 0,
            .id = of};
}

/// As long as this one's own log.
replica::rank stand::rank_of(server_id peer) const {
    const auto mine = last();
    return rank(peer, mine.epoch, mine.index);
}

bool stand::noted(replica::note_kind kind) const {
    return std::any_of(notes.begin(), notes.end(),
                       [kind](const replica::note& n) { return n.kind == kind; });
}

bool stand::noted(std::string_view words) const {
    return std::any_of(notes.begin(), notes.end(), [words](const replica::note& n) {
        return n.text.find(words) != std::string::npos;
    });
}

} // namespace almenara::test
