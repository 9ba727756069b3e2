#include "replica/machine.hpp"
#include "replica/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

/// B.6: asking whether to run, and answering those who ask. Nothing here changes an epoch.
namespace almenara::replica {

// -- Asking ---------------------------------------------------------------------------------------

/// The primary is gone, as far as can be seen from here.
void machine::suspect(election_reason why) {
    if (is_primary() || is_boot()) {
        return;
    }
    note_that(note_kind::suspicion,
              fmt::format("server {} is not primary any more: {}",
                          known_primary_.value_or(server_id{}), wire::enumerator_name(why)));
    forget_primary();
    take_back_refusals();
    whois_at_ = now_.monotonic;
    if (auto* k = std::get_if<backup>(&role_)) {
        k->election_at = now_.monotonic;
        k->reason = why;
        backup_due();
    }
}

void machine::backup_due() {
    auto* k = std::get_if<backup>(&role_);
    if (k == nullptr) {
        return;
    }
    if (known_primary_) {
        if (now_.monotonic - primary_heard_ >= settings_.timers.suspect) {
            suspect(election_reason::silent);
        }
        return;
    }
    if (k->election_at > now_.monotonic || !may_run() || ballot_.busy()) {
        return;
    }
    const election_reason why = k->reason;
    become_prospect(why);
    start_round();
}

/// A new generation in role PROSPECT: everybody is asked, and one's own GRANT counts.
void machine::start_round() {
    auto& p = std::get<prospect>(role_);
    if (p.phase != prospect::doing::asking || !p.answers.empty()) {
        become_prospect(p.reason);
    }
    auto& round = std::get<prospect>(role_);
    for (auto it = bad_sources_.begin(); it != bad_sources_.end();) {
        it = --it->second == 0 ? bad_sources_.erase(it) : std::next(it);
    }
    ++rounds_;
    note_round(fmt::format("round {}: {}", round.generation, wire::enumerator_name(round.reason)));
    to_other_voters(election{.generation = round.generation,
                             .rank = own_rank(),
                             .reason = round.reason,
                             .suspect = primary_of_epoch_ ? primary_of_epoch_->second : server_id{},
                             .suspect_epoch = epoch()});
    if (all_connected_answered()) {
        decide();
    }
}

/// There may be several of them in a second, for days: of those that come to nothing the 1st, 2nd,
/// 4th, 8th and so on are noted, so that what was before stays in the journal.
void machine::note_round(std::string text) {
    if (std::has_single_bit(rounds_)) {
        note_that(note_kind::round, std::move(text));
    }
}

void machine::round_due() {
    auto* p = std::get_if<prospect>(&role_);
    if (p == nullptr || p->deadline > now_.monotonic) {
        return;
    }
    switch (p->phase) {
    case prospect::doing::asking:
        return decide();
    case prospect::doing::pulling:
        return end_pull("no chunk came", true);
    case prospect::doing::deferring:
    case prospect::doing::backing_off:
    case prospect::doing::syncing:
        break;
    }
    if (!may_run()) {
        return become_backup(now_.monotonic + settings_.timers.suspect, p->reason);
    }
    start_round();
}

bool machine::all_connected_answered() const {
    const auto& p = std::get<prospect>(role_);
    for (const auto& [id, l] : links_) {
        if (l.open() && voter(id) && !p.answers.contains(id)) {
            return false;
        }
    }
    return true;
}

std::optional<server_id> machine::whom_to_defer_to() const {
    const auto& p = std::get<prospect>(role_);
    const answer* best = nullptr;
    for (const auto& [id, a] : p.answers) {
        const bool able = (a.rank.eligible > 0 && a.reach >= quorum()) || !holds(rule::able_to_run);
        const bool twice =
            deferred_to_[0] == id && deferred_to_[1] == id && holds(rule::defer_limit);
        if (a.kind == answer_kind::bully && voter(id) && able && !twice &&
            (best == nullptr || best->rank < a.rank)) {
            best = &a;
        }
    }
    return best == nullptr ? std::nullopt : std::optional{best->rank.id};
}

std::size_t machine::grants() const {
    const auto& p = std::get<prospect>(role_);
    std::size_t count = voter(self_) ? 1 : 0;
    for (const auto& [id, a] : p.answers) {
        const bool bully_no_better =
            a.kind == answer_kind::bully && end_of(a.rank) <= end_of(log_.last());
        if (voter(id) && (a.kind == answer_kind::grant || bully_no_better)) {
            ++count;
        }
    }
    return count;
}

const answer* machine::refusal() const {
    const auto& p = std::get<prospect>(role_);
    for (const auto& [id, a] : p.answers) {
        if (a.kind == answer_kind::refuse && voter(id) && a.primary_epoch >= epoch()) {
            return &a;
        }
    }
    return nullptr;
}

/// B.6 step 3: the first match wins.
void machine::decide() {
    auto& p = std::get<prospect>(role_);
    const std::optional<server_id> better = whom_to_defer_to();
    deferred_to_ = {better.value_or(server_id{}), deferred_to_[0]};
    if (better) {
        p.phase = prospect::doing::deferring;
        p.deadline = now_.monotonic + settings_.timers.defer_wait;
        note_round(fmt::format("deferring to server {}", *better));
        return;
    }
    if (grants() >= quorum()) {
        return claim_now(std::nullopt);
    }
    if (const answer* a = refusal()) {
        return refused_by(*a);
    }
    if (!start_pull()) {
        back_off();
    }
}

/// A primary that others see is not deposed because one server does not see it: this is the
/// pre-vote, and no epoch was changed.
void machine::refused_by(const answer& a) {
    const timers& t = settings_.timers;
    const auto l = links_.find(a.known_primary);
    const bool fresh = l != links_.end() && l->second.closed_at &&
                       now_.monotonic - *l->second.closed_at < t.fresh_close;
    const election_reason why = std::get<prospect>(role_).reason;
    const instant again =
        now_.monotonic +
        (fresh ? random_between(t.ask_again_least, t.ask_again_most) : refuse_pause_);
    if (!fresh) {
        refuse_pause_ = std::min(2 * refuse_pause_, t.refuse_pause_most);
    }
    note_round(fmt::format("refused: server {} is primary", a.known_primary));
    become_backup(again, why);
    std::get<backup>(role_).paused = true;
}

void machine::back_off() {
    auto& p = std::get<prospect>(role_);
    const timers& t = settings_.timers;
    attempts_ = std::min(attempts_ + 1, 1000U);
    p.phase = prospect::doing::backing_off;
    p.deadline =
        now_.monotonic +
        std::min(attempts_ * random_between(t.backoff_least, t.backoff_most), t.backoff_cap);
}

void machine::on_answer(const sender& from, const answer& m) {
    auto* p = std::get_if<prospect>(&role_);
    if (p == nullptr || m.generation != generation_) {
        auto* k = std::get_if<backup>(&role_);
        if (k != nullptr && m.generation == generation_ && m.kind != answer_kind::refuse &&
            !known_primary_ && holds(rule::refuse_taken_back)) {
            // A REFUSE was taken back: the pause after it ends on news.
            k->election_at = now_.monotonic;
            refuse_pause_ = settings_.timers.refuse_pause;
            backup_due();
        }
        return;
    }
    if (incredible(m.epoch) || implausible(m.rank.last_epoch)) {
        return;
    }
    if (m.kind != answer_kind::refuse) {
        remembered_ = std::max(remembered_, m.epoch);
    }
    answer stored = m;
    stored.rank.id = from.id;
    p->answers[from.id] = stored;
    if (p->phase == prospect::doing::asking && all_connected_answered()) {
        decide();
    }
}

/// Whoever must not run and knows no primary asks for it.
void machine::whois_due() {
    if (is_primary() || is_boot() || may_run() || live_primary() || whois_at_ > now_.monotonic) {
        return;
    }
    whois_at_ = now_.monotonic + settings_.timers.whois_retry;
    to_other_voters(link_whois{.role = role_of()});
}

// -- Answering ------------------------------------------------------------------------------------

void machine::on_election(const sender& from, const election& m) {
    if (known_primary_ == from.id && holds(rule::primary_may_ask)) {
        // hashicorp/raft#605: if the primary itself asks, it is no longer one.
        suspect(election_reason::resigned);
    }
    if (auto* k = std::get_if<backup>(&role_); k != nullptr && !known_primary_) {
        refuse_pause_ = settings_.timers.refuse_pause; // News, but whoever asks goes first.
        if (k->paused) {
            k->election_at = std::min(k->election_at, now_.monotonic + settings_.timers.reply_wait);
        }
    }
    answer_election(from.id, m);
}

/// Never based on the prospect's epoch (canonical/raft#279). First match wins.
void machine::answer_election(server_id to, const election& m) {
    if (is_primary() && live_quorum()) {
        return send_answer(to, m, answer_kind::refuse);
    }
    if (live_primary() && (*known_primary_ != to || !holds(rule::primary_may_ask))) {
        refusals_[to] = {.asked = m, .at = now_.monotonic};
        return send_answer(to, m, answer_kind::refuse);
    }
    if (abstains()) {
        return send_answer(to, m, answer_kind::abstain_damaged);
    }
    rank theirs = m.rank;
    theirs.id = to;
    const bool less_recent = end_of(theirs) < own_end();
    // ClickHouse/NuRaft#134: the answer must apply the same log test as the promise.
    if (less_recent && !holds(rule::answer_log_test)) {
        return send_answer(to, m, answer_kind::grant);
    }
    const bool able = eligible() > 0 && reach() >= quorum();
    if (theirs < own_rank() && able && !is_primary()) {
        send_answer(to, m, answer_kind::bully);
        const bool promised_lately =
            promised_at_ && now_.monotonic - *promised_at_ < settings_.timers.defer_wait;
        if (std::holds_alternative<backup>(role_) && !promised_lately) {
            std::get<backup>(role_).election_at = now_.monotonic;
            backup_due();
        }
        return;
    }
    send_answer(to, m, less_recent ? answer_kind::bully : answer_kind::grant);
}

void machine::send_answer(server_id to, const election& m, answer_kind kind) {
    const bool mine = is_primary();
    send_now(to, answer{.generation = m.generation,
                        .kind = kind,
                        .rank = own_rank(),
                        .epoch = epoch(),
                        .reach = reach(),
                        .known_primary = mine ? self_ : known_primary_.value_or(server_id{}),
                        .primary_epoch = mine || known_primary_ ? epoch() : almenara::epoch{}});
}

/// FIN reaches two servers 0.1 ms apart: who was refused a moment ago is answered again.
void machine::take_back_refusals() {
    if (!holds(rule::refuse_taken_back)) {
        refusals_.clear();
        return;
    }
    const auto refusals = std::exchange(refusals_, {});
    for (const auto& [to, r] : refusals) {
        if (now_.monotonic - r.at < settings_.timers.refuse_memory) {
            answer_election(to, r.asked);
        }
    }
}

} // namespace almenara::replica
