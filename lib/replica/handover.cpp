#include "replica/machine.hpp"
#include "replica/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

/// B.10: a planned change of primary costs one round trip and one sync. New proposals are held by
/// the driver meanwhile: next_slot() gives none.
namespace almenara::replica {

void machine::on(const transfer& t) {
    if (is_primary() && voter_count() > 1) {
        start_handover(resign_reason::handover, t.target);
    }
}

void machine::start_handover(resign_reason why, std::optional<server_id> wanted) {
    auto& office = std::get<primary>(role_);
    if (office.leaving) {
        if (why == resign_reason::stopping) {
            // Who must go does not wait for the one that somebody wished for.
            office.leaving->why = why;
            office.leaving->wanted.reset();
            if (!office.leaving->target) {
                office.leaving->began = now_.monotonic;
                handover_due();
            }
        }
        return;
    }
    handing_over h;
    h.why = why;
    h.began = now_.monotonic;
    h.wanted = wanted;
    office.leaving = std::move(h);
    note_that(note_kind::handover, fmt::format("handing over: {}", wire::enumerator_name(why)));
    force_cut_ = true; // What was proposed until now goes with the office.
    handover_due();
}

/// B.10, E.1: the own disk is too slow or nearly full, and another one's is not.
void machine::leave_a_bad_disk() {
    const auto& office = std::get<primary>(role_);
    if (office.leaving || now_.monotonic < office.stays_until) {
        return;
    }
    const auto since = writer_.pending_since();
    if (since && now_.monotonic - *since >= settings_.timers.disk_stall &&
        best_successor(resign_reason::disk)) {
        return start_handover(resign_reason::disk, std::nullopt);
    }
    if (no_space() && best_successor(resign_reason::no_space)) {
        start_handover(resign_reason::no_space, std::nullopt);
    }
}

/// What a successor must have said if the office is to leave because of the own disk, or it would
/// only be passed around.
bool machine::has_better_disk(resign_reason why, const progress& p) const {
    if (why == resign_reason::no_space) {
        return p.no_space == std::optional{false};
    }
    // Clearly faster: what takes nearly as long there as here is the same load or the same disk.
    return why != resign_reason::disk ||
           (p.disk_lag_ms &&
            std::chrono::milliseconds{*p.disk_lag_ms} <= settings_.timers.disk_stall / 2);
}

/// B.8, B.10: a log that was damaged begins anew here, and somebody lacks what was before that. Who
/// still has it rules from here on. Each time the office goes to a log that begins earlier, so it
/// is never passed back.
void machine::leave_to_who_reaches(const progress& lost) {
    const auto& office = std::get<primary>(role_);
    if (office.leaving || now_.monotonic < office.reach_refused_until) {
        return;
    }
    std::optional<std::pair<log_index, server_id>> earliest;
    for (const auto& [id, p] : office.voters) {
        if (p.log_first && *p.log_first <= lost.lacks_from && can_succeed(id, p)) {
            const std::pair found{*p.log_first, id};
            earliest = std::min(earliest.value_or(found), found);
        }
    }
    if (earliest) {
        start_handover(resign_reason::out_of_reach, earliest->second);
    }
}

bool machine::can_succeed(server_id id, const progress& p) const {
    const auto l = links_.find(id);
    const member* m = find_member(*log_.config(), id);
    return m != nullptr && m->voter && !m->witness && l != links_.end() && l->second.open() &&
           std::get<primary>(role_).sync.contains(id) && !p.sick && !p.draining;
}

/// B.10.2: the voter of the sync set that is furthest.
std::optional<server_id> machine::best_successor(resign_reason why) const {
    const auto& office = std::get<primary>(role_);
    std::optional<std::tuple<log_index, bool, std::uint16_t, server_id>> best;
    for (const auto& [id, p] : office.voters) {
        const bool asked_before = office.leaving && office.leaving->tried.contains(id);
        const bool unwanted =
            (office.leaving && office.leaving->wanted && *office.leaving->wanted != id) ||
            !has_better_disk(why, p);
        if (can_succeed(id, p) && !asked_before && !unwanted) {
            best = std::max(
                best, std::optional{std::tuple{p.match, !p.no_space.value_or(false),
                                               find_member(*log_.config(), id)->priority, id}});
        }
    }
    return best ? std::optional{std::get<3>(*best)} : std::nullopt;
}

void machine::handover_due() {
    auto* office = std::get_if<primary>(&role_);
    if (office == nullptr || !office->leaving) {
        return;
    }
    handing_over& h = *office->leaving;
    const timers& t = settings_.timers;
    if (h.target) {
        if (now_.monotonic - h.asked < t.handover_abort) {
            return;
        }
        // B.10.6: the permit is void; the next target once, then nobody is waited for any more.
        note_that(note_kind::handover, fmt::format("server {} did not take over", *h.target));
        h.target.reset();
        h.permit.reset();
        h.began = now_.monotonic;
        if (h.tried.size() >= 2 || !best_successor(h.why)) {
            return give_up_handover();
        }
    }
    const std::optional<server_id> target = best_successor(h.why);
    if (!target) {
        if (now_.monotonic - h.began >= t.handover_no_target) {
            give_up_handover();
        }
        return;
    }
    if (office->voters[*target].match == log_.last().index) {
        ask_successor(*target);
    } else if (now_.monotonic - h.began >= t.handover_abort) {
        give_up_handover(); // It never got there.
    }
}

void machine::ask_successor(server_id target) {
    auto& office = std::get<primary>(role_);
    handing_over& h = *office.leaving;
    h.target = target;
    h.asked = now_.monotonic;
    h.tried.insert(target);
    h.permit = permit{.old_primary = self_,
                      .epoch = log_.last().epoch,
                      .last_index = log_.last().index,
                      .probe = office.probe};
    note_that(note_kind::handover, fmt::format("server {} is asked to take over", target));
    send_office(target,
                std::make_shared<const message>(handover{.target = target, .permit = *h.permit}));
}

/// Who only wished another primary keeps the old one, and so does a disk that is slow or nearly
/// full: without an office it would be no better. So does who cannot reach a server: another one
/// could not either. Who must go, goes.
void machine::give_up_handover() {
    auto& office = std::get<primary>(role_);
    const resign_reason why = office.leaving->why;
    office.leaving.reset();
    if (why != resign_reason::stopping) {
        office.stays_until = now_.monotonic + settings_.timers.handover_pause;
        office.reach_refused_until =
            why == resign_reason::out_of_reach ? office.stays_until : instant{};
        note_that(note_kind::handover, "nobody took over; this server stays primary");
        return;
    }
    leave_office(why, std::nullopt);
}

/// With the promise of this server, as long as it is there.
bool machine::others_could_rule() const {
    const auto others = std::count_if(links_.begin(), links_.end(), [this](const auto& one) {
        return one.second.open() && voter(one.first);
    });
    return static_cast<std::size_t>(others) + (voter(self_) ? 1 : 0) >= quorum();
}

instant machine::handover_deadline() const {
    const auto& office = std::get<primary>(role_);
    if (!office.leaving) {
        return instant::max();
    }
    const handing_over& h = *office.leaving;
    if (h.target) {
        return h.asked + settings_.timers.handover_abort;
    }
    const instant first = h.began + settings_.timers.handover_no_target;
    return first > now_.monotonic ? first : h.began + settings_.timers.handover_abort;
}

/// B.10.4: no ELECTION round; the permit speaks for itself.
void machine::on_handover(const sender& from, const handover& m) {
    if (!accept_primary(from, true)) {
        return;
    }
    primary_known(from.id);
    const bool mine = m.target == self_ && m.permit.old_primary == from.id &&
                      m.permit.last_index == log_.last().index &&
                      m.permit.epoch == log_.last().epoch;
    if (!mine || !may_run()) {
        return; // It lacks what the permit is for; the primary asks another after a while.
    }
    note_that(note_kind::handover, fmt::format("taking over from server {}", from.id));
    claim_now(m.permit);
}

/// After terminate: the process ends when somebody else rules, when nobody could, or when it has
/// waited long enough.
void machine::end_if_done() {
    if (!terminating_ || is_primary()) {
        return;
    }
    const bool waited = end_by_ && *end_by_ <= now_.monotonic;
    if (waited || live_primary() || !others_could_rule()) {
        die(ending::stopped, live_primary() ? "another server is primary" : "stopped");
    }
}

} // namespace almenara::replica
