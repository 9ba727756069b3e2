#include "replica/machine.hpp"
#include "replica/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

/// B.6: a majority of persisted promises decides who rules.
namespace almenara::replica {

// -- Claiming -------------------------------------------------------------------------------------

void machine::claim_now(std::optional<permit> with) {
    almenara::epoch highest = std::max({epoch(), remembered_, log_.last().epoch});
    if (const auto* p = std::get_if<prospect>(&role_)) {
        for (const auto& [id, a] : p->answers) {
            highest = std::max(highest, a.epoch);
        }
    }
    if (with) {
        highest = std::max(highest, with->epoch);
    }
    if (highest.next() < highest) {
        // A peer spoke of the last epoch there is: it lies, and nothing can be claimed above it.
        remembered_ = {};
        return become_backup(now_.monotonic + settings_.timers.suspect, election_reason::silent);
    }
    become_candidate(highest.next(), with);
    send_claim();
    check_office(); // One voter needs nobody else, but its own disk.
}

void machine::send_claim() {
    const claim m{.rank = claimed_->rank,
                  .handover = claimed_->permit.has_value(),
                  .unanimous = false,
                  .permit = claimed_->permit};
    const auto shared = std::make_shared<const message>(m);
    for (const server_id id : known_peers()) {
        const auto l = links_.find(id);
        if (voter(id) && l != links_.end() && l->second.open()) {
            // It may leave in parallel with the own sync: it asks, it promises nothing.
            send_on(*l->second.control, id, claimed_->epoch, shared, {});
        }
    }
}

/// B.6: office needs the own promise on the disk and a majority of promises, and nobody else in
/// the epoch. A promise that comes late counts too, whatever this server does meanwhile.
void machine::check_office() {
    if (!claimed_ || is_primary() || claimed_->epoch != epoch()) {
        return;
    }
    const persistent& durable = ballot_.durable();
    const bool own = durable.epoch == claimed_->epoch && durable.promised_to &&
                     *durable.promised_to == promised{.id = self_, .incarnation = incarnation_};
    if (!own && holds(rule::own_sync_before_office)) {
        return;
    }
    const bool still_mine =
        ballot_.word().promised_to &&
        *ballot_.word().promised_to == promised{.id = self_, .incarnation = incarnation_};
    std::size_t count = voter(self_) && (own || !holds(rule::own_sync_before_office)) ? 1 : 0;
    for (const server_id id : claimed_->granted) {
        count += voter(id) ? 1U : 0U;
    }
    const bool nobody_else =
        !known_primary_ && (!primary_of_epoch_ || primary_of_epoch_->first != epoch());
    if (still_mine && nobody_else && count >= quorum() && may_run() &&
        end_of(log_.last()) >= end_of(claimed_->rank) && log_.last().epoch < claimed_->epoch) {
        become_primary();
    }
}

void machine::candidate_due() {
    const auto* c = std::get_if<candidate>(&role_);
    if (c != nullptr && c->deadline <= now_.monotonic) {
        claim_failed(true);
    }
}

void machine::claim_failed(bool timed_out) {
    if (timed_out && holds(rule::promise_wait_doubles)) {
        promise_wait_ = std::min(2 * promise_wait_, settings_.timers.promise_wait_most);
    }
    if (!holds(rule::late_promise_counts)) {
        claimed_.reset();
    }
    become_prospect(election_reason::silent);
    back_off();
}

void machine::on_promise(const sender& from, const promise& m) {
    if (!m.granted && !incredible(from.epoch)) {
        remembered_ = std::max(remembered_, from.epoch);
    }
    if (!claimed_ || m.claimed != claimed_->epoch || claimed_->epoch != epoch() || is_primary()) {
        return;
    }
    if (m.granted) {
        if (claimed_->granted.insert(from.id).second) {
            const bool says_clock = m.clock != wall_time{};
            claimed_->clocks.push_back(says_clock ? m.clock : wall_part(from.hlc));
        }
        return check_office();
    }
    claimed_->denied.insert(from.id);
    if (!std::holds_alternative<candidate>(role_)) {
        return;
    }
    if (claimed_->permit) {
        if (m.reason == denial::epoch && !claimed_->again) {
            // B.10.4: once more, above it, with the same permit.
            claim_now(claimed_->permit);
            claimed_->again = true;
            return;
        }
        if (m.reason == denial::alive) {
            return become_backup(now_.monotonic + settings_.timers.suspect,
                                 election_reason::handover);
        }
    }
    if (m.reason == denial::epoch && from.epoch > claimed_->epoch) {
        return claim_failed(false);
    }
    std::size_t possible = voter_count();
    for (const server_id id : claimed_->denied) {
        possible -= voter(id) && !claimed_->granted.contains(id) ? 1U : 0U;
    }
    if (possible < quorum()) {
        claim_failed(false);
    }
}

// -- Answering ------------------------------------------------------------------------------------

void machine::on_claim(const sender& from, const claim& m) {
    // One sync of `meta` at a time, and its answers before the next question (B.6).
    const bool repeat = ballot_.word().epoch == from.epoch && ballot_.word().promised_to &&
                        ballot_.word().promised_to->id == from.id;
    if (ballot_.busy() && !(repeat && !holds(rule::promise_repeat_synced))) {
        held_claims_.insert_or_assign(from.id, std::pair{from, m});
        return;
    }
    answer_claim(from, m);
}

void machine::answer_held_claims() {
    while (!held_claims_.empty() && !ballot_.busy()) {
        const auto newest = std::max_element(held_claims_.begin(), held_claims_.end(),
                                             [](const auto& a, const auto& b) {
                                                 return a.second.first.epoch < b.second.first.epoch;
                                             });
        const auto held = newest->second;
        held_claims_.erase(newest);
        const auto l = links_.find(held.first.id);
        if (l != links_.end() && l->second.control == held.first.connection) {
            answer_claim(held.first, held.second);
        }
    }
}

/// B.6, B.10: tested before anything is persisted, so that one that comes late changes nothing.
bool machine::permit_valid(const sender& from, const claim& m) const {
    if (!m.permit) {
        return false;
    }
    const permit& p = *m.permit;
    const log_end theirs = end_of(m.rank);
    if (const auto* office = std::get_if<primary>(&role_)) {
        if (!holds(rule::permit_current)) {
            return p.old_primary == self_;
        }
        return office->leaving && office->leaving->permit && *office->leaving->permit == p &&
               office->leaving->target == from.id &&
               theirs == log_end{.epoch = p.epoch, .index = p.last_index} &&
               theirs >= end_of(log_.last());
    }
    if (known_primary_ != p.old_primary || epoch() != p.epoch) {
        return false;
    }
    return !holds(rule::permit_current) ||
           (theirs == log_end{.epoch = p.epoch, .index = p.last_index} && theirs >= own_end());
}

denial machine::judge_claim(const sender& from, const claim& m) const {
    const log_end theirs = end_of(m.rank);
    const bool short_log = theirs < own_end() && holds(rule::promise_log_test);
    const auto& to = ballot_.word().promised_to;
    if (from.epoch < epoch()) {
        return denial::epoch;
    }
    if (from.epoch == epoch() && to &&
        !(*to == promised{.id = from.id, .incarnation = links_.at(from.id).said.incarnation})) {
        return denial::taken;
    }
    if (from.epoch == epoch() && primary_of_epoch_ && primary_of_epoch_->first == epoch()) {
        return denial::taken; // The epoch has its primary.
    }
    if (short_log) {
        return denial::log;
    }
    return abstains() ? denial::abstain : denial::none;
}

void machine::answer_claim(const sender& from, const claim& m) {
    if (known_primary_ == from.id) {
        forget_primary(); // A role other than PRIMARY.
    }
    const bool allowed = permit_valid(from, m);
    const bool served = (is_primary() && live_quorum()) ||
                        (!is_primary() && live_primary() && *known_primary_ != from.id);
    if (!holds(rule::permit_before_persist) && from.epoch > epoch() && served && !allowed) {
        adopt_epoch(from.epoch, std::nullopt);
    }
    if (served && !allowed) {
        return deny_promise(from, denial::alive); // The disruption guard: no epoch changes.
    }
    const denial why = judge_claim(from, m);
    const promised to{.id = from.id, .incarnation = links_[from.id].said.incarnation};
    const bool newer = from.epoch > epoch();
    if (newer) {
        const bool was_primary = is_primary();
        if (was_primary) {
            leave_office(allowed ? resign_reason::handover : resign_reason::higher_epoch,
                         why == denial::none ? std::optional{from.id} : std::nullopt);
        }
        adopt_epoch(from.epoch, why == denial::none ? std::optional{to} : std::nullopt);
        if (std::holds_alternative<candidate>(role_)) {
            become_prospect(election_reason::silent);
            back_off();
        } else if (auto* k = std::get_if<backup>(&role_); k != nullptr && why != denial::none) {
            // Nobody rules, and it cannot be the claimant.
            k->election_at = std::min(
                k->election_at,
                now_.monotonic + random_between(duration{0}, settings_.timers.backoff_least));
        }
    }
    if (why != denial::none) {
        return deny_promise(from, why);
    }
    const bool repeated = !newer && ballot_.word().promised_to.has_value();
    if (!newer && !repeated) {
        ballot_.adopt(epoch(), to);
    }
    grant_promise(from, to, repeated);
}

void machine::grant_promise(const sender& from, const promised& to, bool repeated) {
    promised_at_ = now_.monotonic;
    if (from.id != self_) {
        become_backup(now_.monotonic + settings_.timers.defer_wait, election_reason::silent);
    }
    forget_primary();
    note_that(note_kind::promise_given,
              fmt::format("epoch {} promised to server {}", from.epoch, to.id));
    const bool at_once =
        !holds(rule::promise_synced) || (repeated && !holds(rule::promise_repeat_synced));
    until when;
    if (ballot_.busy() && !at_once) {
        when.meta = ballot_.record();
    }
    const promise yes{.claimed = from.epoch,
                      .granted = true,
                      .reason = denial::none,
                      .rank = own_rank(),
                      .clock = now_.wall};
    const auto l = links_.find(from.id);
    if (l != links_.end() && l->second.open()) {
        send_on(*l->second.control, from.id, from.epoch, std::make_shared<const message>(yes),
                when);
    }
}

void machine::deny_promise(const sender& from, denial why) {
    note_that(note_kind::promise_denied, fmt::format("epoch {} denied to server {}: {}", from.epoch,
                                                     from.id, wire::enumerator_name(why)));
    send_reply(from.id, promise{.claimed = from.epoch,
                                .granted = false,
                                .reason = why,
                                .rank = own_rank(),
                                .clock = now_.wall});
}

} // namespace almenara::replica
