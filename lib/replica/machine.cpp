#include "replica/machine.hpp"

#include "base/check.hpp"
#include "replica/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace almenara::replica {

namespace {

/// What `meta` remembers and what this start's scan found, as one: the lower start and the higher
/// end, and UNKNOWN stays UNKNOWN (B.8).
std::optional<damage> joined(std::optional<damage> remembered, std::optional<damage> found) {
    if (!remembered || !found) {
        return remembered ? remembered : found;
    }
    damage both{.from = std::min(remembered->from, found->from),
                .end = std::nullopt,
                .uncut = remembered->uncut};
    if (remembered->end && found->end) {
        both.end = std::max(*remembered->end, *found->end);
    }
    return both;
}

} // namespace

machine::machine(start_state start, settings chosen, moment now)
    : self_(start.self),
      uuid_(start.uuid),
      incarnation_(start.incarnation),
      addresses_(start.addresses),
      own_priority_(start.priority),
      listed_(start.listed),
      listed_confirm_(start.confirm),
      options_(start.options),
      secret_(start.secret),
      waits_(start.waits_for_go),
      settings_(chosen),
      random_(start.seed),
      now_(now),
      log_(start),
      writer_(log_.last().index, start.found_damaged.has_value()),
      ballot_(start.meta),
      commit_(std::min(start.applied, log_.last().index)),
      handed_out_(start.applied),
      applied_(start.applied),
      unclean_(start.unclean_boot),
      refuse_pause_(chosen.timers.refuse_pause),
      promise_wait_(chosen.timers.promise_wait),
      whois_at_(now.monotonic) {
    std::sort(listed_.begin(), listed_.end());
    if (log_.last().epoch > epoch()) {
        ballot_.adopt(log_.last().epoch, std::nullopt); // B.8: epoch = max(meta, last entry).
    }
    std::optional<damage> all = joined(start.meta.damaged, start.found_damaged);
    if (all && holds(rule::damaged_record)) {
        if (all->uncut) {
            // B.8: the process that found it ended before the cut, and a scan finds nothing wrong.
            cut_behind(
                std::max(log_index{all->from.value() - 1}, log_index{log_.first().value() - 1}));
            commit_ = std::min(commit_, log_.last().index);
        }
        if (!(ballot_.word().damaged && *ballot_.word().damaged == *all)) {
            ballot_.set_damaged(all);
        }
        note_that(note_kind::damaged,
                  fmt::format("log cannot be read from {} on, true end {}", all->from,
                              all->end ? fmt::format("{}.{}", all->end->epoch, all->end->index)
                                       : "unknown"));
    }
    for (const server_id peer : known_peers()) {
        links_[peer].dial_control.next = now.monotonic;
    }
    if (log_.config() == nullptr) {
        role_.emplace<boot>().retry_at = now.monotonic;
    } else {
        // B.8: others that have a live primary will say so meanwhile.
        role_.emplace<backup>().election_at =
            now.monotonic + settings_.timers.suspect +
            random_between(duration{0}, settings_.timers.start_jitter);
    }
}

void machine::step(moment now, event what) {
    ALMENARA_CHECK(now.monotonic >= now_.monotonic);
    now_ = now;
    if (out_.die) {
        return; // Nothing may be done any more: the driver ends the process.
    }
    std::visit([this](auto& e) { on(e); }, what);
}

void machine::on(const tick& t) {
    if (t.gap > settings_.timers.gap_rearm && !rearmed_ && known_primary_ &&
        now_.monotonic - primary_heard_ >= settings_.timers.suspect) {
        // D.3: heartbeats may still be unread in the kernel, and after an own pause nobody is to
        // blame but oneself. Once: a loop that is always late must suspect too.
        rearmed_ = true;
        primary_heard_ = now_.monotonic + 2 * settings_.timers.heartbeat - settings_.timers.suspect;
    }
    dial_due();
    ping_due();
    boot_due();
    backup_due();
    round_due();
    candidate_due();
    whois_due();
    if (is_primary()) {
        primary_due(t);
    }
    handover_due();
    end_if_done();
}

void machine::on(frame_received& f) {
    const auto found = connections_.find(f.connection);
    if (found == connections_.end()) {
        return; // Closed by this side meanwhile.
    }
    if (auto* h = std::get_if<hello>(&f.message)) {
        return on_hello(f.connection, *h);
    }
    if (auto* h = std::get_if<hello_ok>(&f.message)) {
        return on_hello_ok(f.connection, *h);
    }
    if (auto* r = std::get_if<link_reject>(&f.message)) {
        return on_reject(f.connection, *r);
    }
    const connection& c = found->second;
    if (!c.peer) {
        note_that(note_kind::foreign_message, "a connection spoke before its HELLO");
        return close_connection(f.connection);
    }
    link& l = links_[*c.peer];
    const sender from{.id = *c.peer, .connection = f.connection, .epoch = f.epoch, .hlc = f.hlc};
    if (c.kind == connection_kind::bulk) {
        if (l.bulk == f.connection) {
            l.last_heard = now_.monotonic;
            on_bulk(from, f.message);
        }
        return;
    }
    // B.2: frames of a connection that was replaced belong to an older link session.
    if (l.control != f.connection && holds(rule::link_session_isolation)) {
        return;
    }
    if (implausible(f.epoch)) {
        note_that(note_kind::foreign_message,
                  fmt::format("server {} speaks of epoch {}", from.id, f.epoch));
        return close_connection(f.connection);
    }
    l.last_heard = now_.monotonic;
    if (!holds(rule::primary_frames_only) && known_primary_ == from.id) {
        primary_heard_ = now_.monotonic;
    }
    on_control(from, f.message);
}

/// Epochs are counted one by one: a jump like this is a lie or a broken memory, and following it
/// would leave nothing to count on with.
bool machine::implausible(almenara::epoch e) const {
    return leaps(e, std::uint64_t{1} << 62U);
}

/// E0: what somebody only says of an epoch, without a promise or an office in it, is believed in
/// much smaller steps. So the claim that follows from it is never too far for the others.
bool machine::incredible(almenara::epoch e) const {
    return leaps(e, std::uint64_t{1} << 32U);
}

bool machine::leaps(almenara::epoch e, std::uint64_t most) const {
    return e > epoch() && e.value() - epoch().value() > most;
}

void machine::on_control(const sender& from, message& m) {
    if (std::holds_alternative<reconnect>(m)) {
        links_[from.id].close_announced = true;
        return;
    }
    if (const auto* i = std::get_if<init>(&m)) {
        return on_init(from, *i);
    }
    if (const auto* i = std::get_if<init_ack>(&m)) {
        return on_init_ack(from, *i);
    }
    if (const auto* i = std::get_if<init_go>(&m)) {
        return on_init_go(from, *i);
    }
    if (is_boot()) {
        const auto* ping = std::get_if<link_ping>(&m);
        if (writer_.durable() < log_index{1} || (ping && ping->role == role_name::boot)) {
            return; // No config, so nothing can be judged yet; or who speaks has none either.
        }
        leave_boot(false); // The others speak as members already.
    }
    on_member(from, m);
}

/// What members of one cluster say to each other.
void machine::on_member(const sender& from, message& m) {
    std::visit(
        [&](auto& body) {
            using kind = std::decay_t<decltype(body)>;
            if constexpr (std::is_same_v<kind, heartbeat>) {
                on_heartbeat(from, body);
            } else if constexpr (std::is_same_v<kind, heartbeat_ack>) {
                on(from, body);
            } else if constexpr (std::is_same_v<kind, append>) {
                on_append(from, body);
            } else if constexpr (std::is_same_v<kind, append_ack>) {
                on_ack(from, body.match, body.probe, body.disk_lag_ms);
            } else if constexpr (std::is_same_v<kind, append_nack>) {
                on_nack(from, body);
            } else if constexpr (std::is_same_v<kind, link_ping>) {
                if (body.role != role_name::primary && known_primary_ == from.id) {
                    suspect(election_reason::resigned);
                }
            } else if constexpr (std::is_same_v<kind, election>) {
                on_election(from, body);
            } else if constexpr (std::is_same_v<kind, answer>) {
                on_answer(from, body);
            } else if constexpr (std::is_same_v<kind, claim>) {
                on_claim(from, body);
            } else if constexpr (std::is_same_v<kind, promise>) {
                on_promise(from, body);
            } else if constexpr (std::is_same_v<kind, coordinator>) {
                if (accept_primary(from, true)) {
                    primary_known(from.id);
                }
            } else if constexpr (std::is_same_v<kind, resign>) {
                if (accept_primary(from, false)) {
                    suspect(election_reason::resigned);
                }
            } else if constexpr (std::is_same_v<kind, handover>) {
                on_handover(from, body);
            } else if constexpr (std::is_same_v<kind, fetch>) {
                on_fetch(from, body);
            } else if constexpr (std::is_same_v<kind, log_chunk>) {
                on_pull_chunk(from, body);
            } else if constexpr (std::is_same_v<kind, link_whois>) {
                if (is_primary()) {
                    send_now(from.id,
                             coordinator{.primary = self_,
                                         .addresses = addresses_,
                                         .config_index = log_.config_index(),
                                         .epoch_start = std::get<primary>(role_).epoch_start});
                }
            }
        },
        m);
}

void machine::on_bulk(const sender& from, message& m) {
    if (auto* chunk = std::get_if<log_chunk>(&m)) {
        return on_catch_up_chunk(from, *chunk);
    }
    note_that(note_kind::foreign_message,
              fmt::format("server {} said on bulk what does not belong there", from.id));
    close_connection(from.connection);
}

void machine::on(const log_synced& e) {
    if (!e.ok) {
        // E.1, B.5.4: nothing is retried, and the index is not used again in this epoch.
        leave_office(resign_reason::disk, std::nullopt);
        return die(ending::disk_failed, "syncing the log failed");
    }
    const bool advanced = writer_.synced(e.batch, now_.monotonic);
    cut_synced(e.batch);
    outbox_.log_synced(e.batch);
    if (advanced) {
        own_log_synced();
    }
    pull_synced();
    see_if_caught_up();
    go_if_all_have_it();
}

void machine::on(const meta_synced& e) {
    if (!e.ok) {
        leave_office(resign_reason::disk, std::nullopt);
        return die(ending::disk_failed, "syncing meta failed");
    }
    if (!ballot_.synced(e.number, now_.monotonic)) {
        return;
    }
    outbox_.meta_synced(e.number);
    const auto& to = ballot_.word().promised_to;
    const bool ruled = primary_of_epoch_ && primary_of_epoch_->first == epoch();
    if (auto* k = std::get_if<backup>(&role_);
        k != nullptr && to && to->id != self_ && !ruled && !ballot_.busy()) {
        // B.6: the claimant gets its defer_wait from when it hears of the promise, else two servers
        // with slow disks take turns in claiming above each other.
        k->election_at = std::max(k->election_at, now_.monotonic + settings_.timers.defer_wait);
    }
    cut_damaged_log();
    check_office();
    answer_held_claims();
}

void machine::on(const applied& e) {
    applied_ = std::max(applied_, std::min(e.index, handed_out_));
    log_.trim(std::min({applied_, writer_.durable(), log_.last().index}),
              settings_.limits.entry_cache_bytes);
}

/// B.8: nobody is asked about, or given, what is gone. It was below the floor, so nobody lacks it
/// who was not damaged since.
void machine::on(const recycled& e) {
    const log_index upto = std::min({e.upto, applied_, log_index{log_.last().index.value() - 1}});
    if (upto < log_.first()) {
        return;
    }
    log_.forget(upto);
    if (auto* office = std::get_if<primary>(&role_)) {
        for (auto& [id, p] : office->voters) {
            if (p.next < log_.first()) {
                probe_from(p, log_.first());
            }
        }
    }
}

/// E.1: who has little room left still takes entries, but others rule rather than it.
void machine::on(const disk_report& e) {
    // What the state's database frees and takes again does not count as a change.
    const std::uint64_t least = settings_.limits.free_space;
    const bool is_little = e.free_space < (has_little_room_ ? least + least / 4 : least);
    if (std::exchange(has_little_room_, is_little) != is_little) {
        note_that(note_kind::space,
                  is_little ? fmt::format("{} MiB are free on the disk: what adds something is "
                                          "refused where a majority has no more",
                                          e.free_space >> 20U)
                            : "there is room on the disk again");
    }
}

void machine::on(log_read& e) {
    if (const auto c = catch_up_reads_.extract(e.request)) {
        auto* office = std::get_if<primary>(&role_);
        if (office != nullptr) {
            const auto p = office->voters.find(c.mapped());
            if (p != office->voters.end() && p->second.reading == e.request) {
                on_catch_up_read(c.mapped(), p->second, e);
            }
        }
    } else if (const auto f = fetch_reads_.extract(e.request)) {
        answer_fetch(f.mapped().first, f.mapped().second, std::move(e.entries), e.hole);
    } else if (auto* office = std::get_if<primary>(&role_)) {
        if (const auto w = office->corrupt_reads.extract(e.request)) {
            on_corrupt_read(w.mapped().first, w.mapped().second, e);
        }
    }
}

void machine::on(const terminate&) {
    if (terminating_) {
        return;
    }
    terminating_ = true;
    end_by_ = now_.monotonic + settings_.timers.handover_exit;
    if (is_primary() && voter_count() > 1) {
        start_handover(resign_reason::stopping, std::nullopt);
    } else if (is_primary()) {
        leave_office(resign_reason::stopping, std::nullopt);
        end_by_ = now_.monotonic;
    } else {
        end_by_ = now_.monotonic;
    }
    end_if_done();
}

// -- Output ---------------------------------------------------------------------------------------

output machine::take_output(moment now, bool cut) {
    ALMENARA_CHECK(now.monotonic >= now_.monotonic);
    now_ = now;
    send_probe();
    answer_fetches();
    write_log(cut);
    if (is_primary()) {
        send_entries();
        heartbeat_due();
    }
    hand_out_committed();
    answer_reads();
    out_.meta = ballot_.take(now.monotonic);
    out_.send = outbox_.take();
    if (!out_.die) {
        out_.wake = next_deadline();
    }
    output out = std::exchange(out_, {});
    out_.die = out.die; // Nothing is done after it.
    return out;
}

void machine::write_log(bool cut) {
    // Only a primary's proposals wait for the driver's word; a backup's entries are a batch of
    // somebody else already.
    if (!writer_.has_jobs() || (is_primary() && !cut && !force_cut_)) {
        return;
    }
    if (ballot_.word().cluster && !ballot_.durable().cluster) {
        return; // B.1: the cluster's id is on the disk before entry 1.
    }
    if (ballot_.word().damaged && ballot_.word().damaged != ballot_.durable().damaged) {
        return; // B.1: so is what is damaged, before the first write after it was found.
    }
    force_cut_ = false;
    out_.log = writer_.take(now_.monotonic);
    if (auto* office = std::get_if<primary>(&role_)) {
        office->sync.cut(log_.last().index, now_.monotonic);
    }
}

void machine::hand_out_committed() {
    // B.5.5: what is applied is on the own disk too, so the state is never ahead of the log.
    const log_index upto = may_hand_out();
    const auto* office = std::get_if<primary>(&role_);
    const bool is_own = office != nullptr && handed_out_ >= office->epoch_start;
    const entry_bounds most = is_own ? entry_bounds{.entries = settings_.limits.handed_out_own}
                                     : settings_.limits.handed_out;
    std::size_t bytes = 0;
    while (handed_out_ < upto && out_.apply.size() < most.entries && bytes < most.bytes) {
        entry_ptr e = log_.find(handed_out_.next());
        ALMENARA_CHECK(e != nullptr);
        bytes += weight(*e);
        out_.apply.push_back(std::move(e));
        handed_out_ = handed_out_.next();
    }
}

log_index machine::may_hand_out() const {
    return std::min(commit_, writer_.durable());
}

instant machine::next_deadline() const {
    instant at = std::min(role_deadline(), links_deadline());
    if (end_by_) {
        at = std::min(at, *end_by_);
    }
    if (handed_out_ < may_hand_out()) {
        at = now_.monotonic; // The rest of them.
    }
    return std::max(at, now_.monotonic);
}

instant machine::role_deadline() const {
    const timers& t = settings_.timers;
    instant at = instant::max();
    if (!may_run() && !is_primary() && !is_boot() && !live_primary()) {
        at = whois_at_;
    }
    if (const auto* b = std::get_if<boot>(&role_)) {
        at = std::min(at, b->retry_at);
    } else if (const auto* k = std::get_if<backup>(&role_)) {
        at = std::min(at, known_primary_
                              ? primary_heard_ + t.suspect
                              : (may_run() && !ballot_.busy() ? k->election_at : instant::max()));
    } else if (const auto* round = std::get_if<prospect>(&role_)) {
        at = std::min(at, round->deadline);
    } else if (const auto* c = std::get_if<candidate>(&role_)) {
        at = std::min(at, c->deadline);
    } else if (const auto* o = std::get_if<primary>(&role_)) {
        at = std::min(at, handover_deadline());
        for (const auto& [id, p] : o->voters) {
            const auto l = links_.find(id);
            if (l != links_.end() && l->second.open()) {
                at = std::min(at, l->second.last_office_sent + t.heartbeat);
            }
            at = std::min(at, o->sync.next_change(id, p.match));
        }
        if (o->commit_untold_since) {
            at = std::min(at, *o->commit_untold_since + t.commit_told);
        }
        at = std::min(at, quorum_deadline());
        if (const auto since = writer_.pending_since();
            since && *since + t.disk_stall > now_.monotonic) {
            at = std::min(at, *since + t.disk_stall);
        }
        at = std::min(at, o->sync.next_change(self_, writer_.durable()));
    }
    return at;
}

void machine::note_that(note_kind kind, std::string text) {
    out_.notes.push_back({.kind = kind, .text = std::move(text)});
}

void machine::die(ending how, std::string text) {
    if (!out_.die) {
        out_.die = fatal{.how = how, .text = std::move(text)};
    }
}

} // namespace almenara::replica
