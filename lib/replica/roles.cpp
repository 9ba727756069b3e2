#include "base/check.hpp"
#include "replica/machine.hpp"
#include "replica/rules.hpp"
#include "wire/codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

/// B.1, B.3: who is what. Roles change here and nowhere else, and so does the epoch.
namespace almenara::replica {

void machine::become_backup(instant election_at, election_reason reason) {
    if (is_primary()) {
        leave_office(resign_reason::higher_epoch, std::nullopt);
    }
    role_.emplace<backup>(backup{.election_at = election_at, .reason = reason, .paused = false});
}

void machine::become_prospect(election_reason reason) {
    ALMENARA_CHECK(!is_primary());
    generation_ = generation_.next();
    prospect p;
    p.generation = generation_;
    p.reason = reason;
    p.deadline = now_.monotonic + settings_.timers.reply_wait;
    role_.emplace<prospect>(std::move(p));
}

void machine::become_candidate(almenara::epoch claim_epoch, std::optional<permit> with) {
    ALMENARA_CHECK(claim_epoch > epoch() && !is_primary());
    adopt_epoch(claim_epoch, promised{.id = self_, .incarnation = incarnation_});
    claimed c;
    c.epoch = claim_epoch;
    c.rank = own_rank();
    c.permit = with;
    claimed_ = std::move(c);
    // B.13: it must exceed a slow sync of `meta`, one's own as well as theirs.
    duration wait = promise_wait_;
    if (holds(rule::promise_wait_doubles)) {
        wait = std::clamp(3 * ballot_.last_sync(), wait,
                          std::max(wait, settings_.timers.promise_wait_most));
    }
    role_.emplace<candidate>(candidate{.deadline = now_.monotonic + wait});
    note_that(note_kind::role, fmt::format("candidate for epoch {}", claim_epoch));
}

/// What an office begins with: who counts, who is trusted to keep up, and the clock of the log.
primary machine::new_office() const {
    std::set<server_id> all;
    std::set<server_id> trusted{self_};
    std::map<server_id, progress> others;
    for (const member& m : log_.config()->members) {
        if (!m.voter) {
            continue;
        }
        all.insert(m.id);
        if (m.id != self_) {
            others[m.id];
            const auto l = links_.find(m.id);
            if (l != links_.end() && l->second.open() &&
                now_.monotonic - l->second.last_heard < settings_.timers.suspect) {
                trusted.insert(m.id);
            }
        }
    }
    // B.4: log time may jump forward only to what most of those who promised agree on.
    std::vector<wall_time> clocks = claimed_->clocks;
    clocks.push_back(now_.wall);
    return {.epoch = epoch(),
            .epoch_start = holds(rule::epoch_start) ? log_.last().index.next() : log_index{},
            .since = now_.monotonic,
            .voters = std::move(others),
            .sync = sync_set(settings_.timers, all, trusted, log_.last().index, now_.monotonic),
            .probe = {},
            .reads = {},
            .confirmed = {},
            .excused = false,
            .log_time = log_clock(log_.newest_time(), std::move(clocks), now_.monotonic),
            .leaving = {},
            // B.10: else servers whose disks are all slow pass it around.
            .stays_until =
                claimed_->permit ? now_.monotonic + settings_.timers.handover_pause : instant{},
            .heartbeat_now = false,
            .commit_untold_since = {},
            .accused = {},
            .corrupt_reads = {}};
}

/// B.6, taking office.
void machine::become_primary() {
    role_.emplace<primary>(new_office());
    forget_primary();
    primary_of_epoch_ = {epoch(), self_};
    refusals_.clear();
    attempts_ = 0;
    rounds_ = 0;
    promise_wait_ = settings_.timers.promise_wait;
    note_that(note_kind::office_taken, fmt::format("primary of epoch {}", epoch()));
    out_.office.push_back(
        entered_office{.epoch = epoch(), .first_uncommitted = handed_out_.next()});
    out_.announce = announcement{.epoch = epoch(), .primary = self_, .addresses = addresses_};
    const auto told =
        std::make_shared<const message>(coordinator{.primary = self_,
                                                    .addresses = addresses_,
                                                    .config_index = log_.config_index(),
                                                    .epoch_start = log_.last().index.next()});
    for (auto& [id, p] : std::get<primary>(role_).voters) {
        reset_progress(id);
        p.next = log_.last().index.next();
        p.probing = false; // Most are up to date; who is not says where its log ends.
        send_office(id, told);
    }
    if (holds(rule::epoch_start)) {
        append_own(entry_type::epoch_start, {});
    }
    force_cut_ = true;
    own_log_synced();
}

void machine::leave_office(resign_reason why, std::optional<server_id> successor) {
    auto* office = std::get_if<primary>(&role_);
    if (office == nullptr) {
        return;
    }
    note_that(note_kind::office_left, fmt::format("office of epoch {} left: {}", office->epoch,
                                                  wire::enumerator_name(why)));
    if (!successor) {
        for (const auto& [id, p] : office->voters) {
            send_office(id, std::make_shared<const message>(
                                resign{.reason = why, .last_index = log_.last().index}));
        }
    }
    out_.office.push_back(left_office{.reason = why, .successor = successor});
    catch_up_reads_.clear();
    for (auto& [id, l] : links_) {
        l.wants_bulk = false;
    }
    // Proposals that were not cut yet go to the disk now: a backup's log has no driver's batch.
    role_.emplace<backup>(backup{.election_at = now_.monotonic + settings_.timers.suspect,
                                 .reason = election_reason::resigned,
                                 .paused = false});
    claimed_.reset();
    verified_in_ = {};
    verified_ = {};
}

/// Every change of the own epoch (I2: in memory at once, answers wait for the disk).
void machine::adopt_epoch(almenara::epoch e, std::optional<promised> to) {
    ALMENARA_CHECK(e >= epoch());
    if (e > epoch()) {
        outbox_.drop_below(e);
        forget_primary();
        claimed_.reset();
        caught_up_ = false;
        named_commit_ = {};
        if (auto* p = std::get_if<prospect>(&role_)) {
            if (p->pulling) {
                end_pull("the epoch changed", false); // E6.
            }
        }
    }
    ballot_.adopt(e, to);
}

void machine::forget_primary() {
    known_primary_.reset();
    named_floor_ = {};
}

/// E0 for control connections. Gives whether the frame is of the primary of my epoch, whom I follow
/// from now on if I did not yet.
bool machine::accept_primary(const sender& from, bool can_be_answered) {
    if (from.epoch < epoch()) {
        if (can_be_answered) {
            send_reply(from.id, append_nack{.reason = nack_reason::epoch,
                                            .previous = {},
                                            .hint = {},
                                            .last_index = log_.last().index,
                                            .hash = {}});
        }
        return false;
    }
    if (from.epoch == almenara::epoch{0}) {
        return false;
    }
    if (from.epoch > epoch()) {
        if (is_primary()) {
            leave_office(resign_reason::higher_epoch, from.id);
        }
        adopt_epoch(from.epoch,
                    promised{.id = from.id, .incarnation = links_[from.id].said.incarnation});
    }
    if (primary_of_epoch_ && primary_of_epoch_->first == epoch() &&
        primary_of_epoch_->second != from.id) {
        note_that(note_kind::foreign_message,
                  fmt::format("server {} says it is primary of epoch {}, which is {}'s", from.id,
                              epoch(), primary_of_epoch_->second));
        return false; // I1: it lies, or its memory does.
    }
    primary_of_epoch_ = {epoch(), from.id};
    if (!std::holds_alternative<backup>(role_)) {
        become_backup(now_.monotonic + settings_.timers.suspect, election_reason::silent);
    }
    primary_heard_ = now_.monotonic;
    rearmed_ = false;
    return true;
}

/// A frame that a primary sends while it is one.
void machine::primary_known(server_id id) {
    primary_heard_ = now_.monotonic;
    rearmed_ = false;
    if (known_primary_ == id) {
        return;
    }
    known_primary_ = id;
    attempts_ = 0;
    rounds_ = 0;
    deferred_to_ = {};
    bad_sources_.clear();
    refuse_pause_ = settings_.timers.refuse_pause;
    promise_wait_ = settings_.timers.promise_wait;
    note_that(note_kind::role, fmt::format("backup of server {} in epoch {}", id, epoch()));
    out_.announce = announcement{.epoch = epoch(), .primary = id, .addresses = {}};
    if (log_.config() != nullptr) {
        if (const member* m = find_member(*log_.config(), id)) {
            out_.announce->addresses = m->addresses;
        }
    }
    end_if_done();
}

/// A server spoke in a higher epoch: it is remembered, not persisted, and the office is over. With
/// the most recent log it is back in two round trips (B.6).
void machine::step_down(resign_reason why, almenara::epoch seen) {
    if (incredible(seen)) {
        return;
    }
    remembered_ = std::max(remembered_, seen);
    if (!is_primary()) {
        return;
    }
    leave_office(why, std::nullopt);
    if (may_run() && why == resign_reason::higher_epoch) {
        become_prospect(election_reason::resigned);
        start_round();
    }
}

} // namespace almenara::replica
