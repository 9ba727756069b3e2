#include "replica/machine.hpp"
#include "replica/rules.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>
#include <vector>

/// What every other file asks: who this server is just now, whom it can reach, and how a message
/// leaves. Nothing is decided here.
namespace almenara::replica {

role_name machine::role_of() const {
    constexpr std::array names{role_name::boot, role_name::backup, role_name::prospect,
                               role_name::candidate, role_name::primary};
    return names[role_.index()];
}

bool machine::voter(server_id id) const {
    return log_.config() != nullptr && is_voter(*log_.config(), id);
}

std::size_t machine::voter_count() const {
    return log_.config() == nullptr ? 0 : voters(*log_.config());
}

std::size_t machine::quorum() const {
    return log_.config() == nullptr ? 1 : majority(*log_.config());
}

bool machine::damaged() const {
    // B.1: its removal is synced before the first GRANT, PROMISE or run after it.
    return ballot_.word().damaged.has_value() || ballot_.durable().damaged.has_value();
}

bool machine::abstains() const {
    const auto& now = ballot_.word().damaged;
    const auto& before = ballot_.durable().damaged;
    const bool unknown = (now && !now->end) || (before && !before->end);
    return unknown && holds(rule::unknown_end_abstains);
}

std::uint8_t machine::eligible() const {
    if (!voter(self_) || damaged() || terminating_ || is_boot()) {
        return 0;
    }
    const auto since = writer_.pending_since();
    const bool slow = since && now_.monotonic - *since > settings_.timers.disk_stall;
    const std::uint8_t if_nobody_better = holds(rule::eligible_one_runs) ? 1 : 0;
    return unclean_ || slow || no_space() ? if_nobody_better : 2;
}

/// E.1: a quorum of those who are there must have room. Who is away is no question of space: where
/// the others are no quorum at all nothing is committed, and what is asked waits for one. Who is
/// there and said nothing of it yet has some: its first HEARTBEAT_ACK says so, and until then
/// little is written.
bool machine::may_grow() const {
    const auto* office = std::get_if<primary>(&role_);
    if (office == nullptr) {
        return true; // It is asked nothing.
    }
    std::size_t there = voter(self_) ? 1 : 0;
    std::size_t with_space = voter(self_) && !no_space() ? 1 : 0;
    for (const auto& [id, p] : office->voters) {
        const auto l = links_.find(id);
        if (voter(id) && l != links_.end() && l->second.open()) {
            ++there;
            with_space += p.no_space.value_or(false) ? 0U : 1U;
        }
    }
    return there < quorum() || with_space >= quorum();
}

std::uint8_t machine::reach() const {
    std::uint8_t heard = voter(self_) ? 1 : 0;
    for (const auto& [id, l] : links_) {
        if (voter(id) && l.open() && now_.monotonic - l.last_heard < settings_.timers.suspect) {
            ++heard;
        }
    }
    return heard;
}

bool machine::may_run() const {
    return eligible() > 0 && !is_primary();
}

log_end machine::own_end() const {
    // B.6: for a damaged log "mine" is the end of what it once held.
    log_end end = end_of(log_.last());
    for (const auto* word : {&ballot_.word(), &ballot_.durable()}) {
        if (word->damaged && word->damaged->end) {
            end = std::max(end, *word->damaged->end);
        }
    }
    return end;
}

rank machine::own_rank() const {
    const log_end end = own_end();
    return {.last_epoch = end.epoch,
            .last_index = end.index,
            .eligible = eligible(),
            .priority = own_priority_,
            .id = self_};
}

bool machine::live_primary() const {
    if (!known_primary_) {
        return false;
    }
    const auto l = links_.find(*known_primary_);
    return l != links_.end() && l->second.open() &&
           now_.monotonic - primary_heard_ < settings_.timers.suspect;
}

bool machine::live_quorum() const {
    return is_primary() && now_.monotonic < quorum_deadline();
}

/// When this primary will have been alone for check_quorum, if nobody says anything meanwhile. A
/// new one's quorum counts as live for that long.
instant machine::quorum_deadline() const {
    const auto& office = std::get<primary>(role_);
    std::vector<instant> heard;
    for (const auto& [id, p] : office.voters) {
        if (voter(id)) {
            heard.push_back(std::max(p.acked_at.value_or(office.since), office.since));
        }
    }
    const std::size_t others = quorum() - (voter(self_) ? 1 : 0);
    if (others == 0) {
        return instant::max();
    }
    if (heard.size() < others) {
        return office.since + settings_.timers.check_quorum;
    }
    std::sort(heard.begin(), heard.end(), std::greater<>{});
    return heard[others - 1] + settings_.timers.check_quorum;
}

std::uint32_t machine::disk_lag_ms() const {
    const auto lag =
        std::chrono::duration_cast<std::chrono::milliseconds>(writer_.lag(now_.monotonic)).count();
    return static_cast<std::uint32_t>(lag);
}

duration machine::random_between(duration least, duration most) {
    return random_.between(least, most);
}

// -- Sending --------------------------------------------------------------------------------------

/// Changes no epoch at the receiver: its header carries what is durable, so it need not wait.
void machine::send_now(server_id to, message m) {
    const auto l = links_.find(to);
    if (l != links_.end() && l->second.open()) {
        send_on(*l->second.control, to, is_primary() ? epoch() : ballot_.durable().epoch,
                std::make_shared<const message>(std::move(m)), {});
    }
}

/// I2: no reply leaves in an epoch that is not durable.
void machine::send_reply(server_id to, message m) {
    send_when(to, std::move(m), {});
}

void machine::send_when(server_id to, message m, until when) {
    const auto l = links_.find(to);
    if (l == links_.end() || !l->second.open()) {
        return;
    }
    if (ballot_.durable().epoch < epoch()) {
        when.meta = std::max(when.meta.value_or(meta_number{}), ballot_.record());
    }
    send_on(*l->second.control, to, epoch(), std::make_shared<const message>(std::move(m)), when);
}

/// In office, where the epoch is durable by definition (B.6); what goes to several is built once.
void machine::send_office(server_id to, const message_ptr& m) {
    const auto l = links_.find(to);
    if (l != links_.end() && l->second.open()) {
        l->second.last_office_sent = now_.monotonic;
        send_on(*l->second.control, to, epoch(), m, {});
    }
}

void machine::send_on(connection_id c, server_id to, almenara::epoch e, message_ptr m, until when) {
    const auto l = links_.find(to);
    if (l != links_.end() && l->second.control == c && !when.batch && !when.meta) {
        l->second.last_sent = now_.monotonic;
    }
    outbox_.put({.peer = to, .connection = c, .epoch = e, .message = std::move(m)}, when);
}

void machine::to_other_voters(const message& m) {
    for (const server_id id : known_peers()) {
        if (voter(id)) {
            send_now(id, m);
        }
    }
}

} // namespace almenara::replica
