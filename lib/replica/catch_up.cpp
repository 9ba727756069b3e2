#include "base/check.hpp"
#include "replica/machine.hpp"
#include "replica/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

/// B.8: what goes to a peer: new entries on control, in a window; old ones that only the disk has
/// on bulk, so that they delay no heartbeat, until the window can take over.
namespace almenara::replica {

void machine::send_entries() {
    auto& office = std::get<primary>(role_);
    std::map<log_index, message_ptr> built; // One for all that need the same (B.5).
    for (auto& [id, p] : office.voters) {
        const auto l = links_.find(id);
        if (l != links_.end() && l->second.open()) {
            send_entries_to(id, p, built);
        }
    }
}

bool machine::window_open(const progress& p) const {
    return p.bytes_in_flight < settings_.limits.in_flight_bytes &&
           p.entries_in_flight + most_at_once() <= settings_.limits.in_flight_entries;
}

/// Entries of one frame, so that the window is never overrun.
std::size_t machine::most_at_once() const {
    return std::max<std::size_t>(1, settings_.limits.in_flight_entries / 4);
}

void machine::send_entries_to(server_id peer,
                              progress& p,
                              std::map<log_index, message_ptr>& built) {
    // A receiver may have dropped what it was not ready for.
    if (!p.in_flight.empty() && now_.monotonic - p.moved_at >= settings_.timers.resend) {
        probe_from(p, p.match.next());
    }
    if (p.over_bulk) {
        return send_chunks(peer, p);
    }
    if (p.probing) {
        // A probe may be lost on a receiver that was not ready for it: it is sent again.
        const duration pause =
            p.out_of_reach ? settings_.timers.resend : settings_.timers.sync_drop;
        const bool again = !p.probed_at || now_.monotonic - *p.probed_at >= pause;
        if (again) {
            p.probed_at = now_.monotonic;
            send_append(peer, p, built);
        }
        return;
    }
    // What the driver has not cut yet does not leave.
    while (p.next <= cut_upto() && window_open(p)) {
        if (p.next < log_.first_in_memory()) {
            if (!p.acked) {
                return probe_from(p, p.next); // E0: nothing on bulk before the first ack.
            }
            p.over_bulk = true;
            links_[peer].wants_bulk = true;
            note_that(note_kind::catch_up,
                      fmt::format("server {} gets what lies behind {} on bulk", peer, p.match));
            dial_due();
            return send_chunks(peer, p);
        }
        send_append(peer, p, built);
    }
}

/// Proposals leave together with the own write, when the driver cuts the batch.
log_index machine::cut_upto() const {
    return writer_.has_jobs() ? writer_.before_jobs() : log_.last().index;
}

message_ptr machine::build_append(log_index from, bool verified) const {
    const auto& office = std::get<primary>(role_);
    const auto committed = log_.at(commit_);
    append m{.primary = self_,
             .previous = *log_.at(log_index{from.value() - 1}),
             .commit = commit_,
             .commit_epoch = committed ? committed->epoch : almenara::epoch{},
             .probe = office.probe,
             .verified = verified,
             .entries = {}};
    std::size_t bytes = 0;
    const log_index upto = verified ? from : cut_upto();
    const std::size_t most =
        std::min<std::size_t>(most_at_once(), upto >= from ? upto.value() - from.value() + 1 : 0);
    m.entries.reserve(most);
    for (log_index i = from; i <= upto && m.entries.size() < most &&
                             (m.entries.empty() || bytes < settings_.limits.append_bytes);
         i = i.next()) {
        const entry_ptr e = log_.find(i);
        if (e == nullptr) {
            break;
        }
        bytes += weight(*e);
        m.entries.push_back(*e);
    }
    return std::make_shared<const message>(std::move(m));
}

void machine::send_append(server_id peer, progress& p, std::map<log_index, message_ptr>& built) {
    message_ptr& shared = built[p.next];
    if (!shared) {
        shared = build_append(p.next, false);
    }
    const auto& m = std::get<append>(*shared);
    send_office(peer, shared);
    p.told_in_turn = true;
    p.told_commit = m.commit;
    if (m.entries.empty()) {
        return;
    }
    progress::flight what{.last = m.entries.back().index, .entries = m.entries.size(), .bytes = 0};
    for (const entry& e : m.entries) {
        what.bytes += weight(e);
    }
    if (p.probing) {
        p.probe_carried = what;
    } else {
        sent(p, what);
    }
}

void machine::sent(progress& p, progress::flight what) {
    if (p.in_flight.empty()) {
        p.moved_at = now_.monotonic;
    }
    p.next = what.last.next();
    p.bytes_in_flight += what.bytes;
    p.entries_in_flight += what.entries;
    p.in_flight.push_back(what);
}

// -- Over bulk ------------------------------------------------------------------------------------

/// E0: a bulk transfer opens only after the first ack of the epoch on the link, which is what ends
/// probing.
void machine::send_chunks(server_id peer, progress& p) {
    link& l = links_[peer];
    if (!l.bulk) {
        l.wants_bulk = true;
        return;
    }
    const bool all_acked = p.in_flight.empty() && p.match.next() == p.next;
    if (all_acked && p.next >= log_.first_in_memory()) {
        p.over_bulk = false;
        l.wants_bulk = false;
        note_that(note_kind::catch_up, fmt::format("server {} goes on live", peer));
        std::map<log_index, message_ptr> built;
        return send_entries_to(peer, p, built);
    }
    while (!p.reading && p.next <= cut_upto() && window_open(p)) {
        if (p.next < log_.first_in_memory()) {
            const log_index to{std::min({log_.first_in_memory().value() - 1, cut_upto().value(),
                                         p.next.value() + most_at_once() - 1})};
            p.reading = request_read(read_purpose::catch_up, p.next, to);
            catch_up_reads_[*p.reading] = peer;
            return;
        }
        std::vector<entry_ptr> entries;
        std::size_t bytes = 0;
        for (log_index i = p.next; i <= cut_upto() && entries.size() < most_at_once() &&
                                   (entries.empty() || bytes < settings_.limits.chunk_bytes);
             i = i.next()) {
            entries.push_back(log_.find(i));
            bytes += weight(*entries.back());
        }
        send_chunk(peer, p, entries);
    }
}

void machine::send_chunk(server_id peer, progress& p, const std::vector<entry_ptr>& entries) {
    const link& l = links_[peer];
    log_chunk m{.generation = {},
                .session = l.session,
                .previous = *log_.at(log_index{p.next.value() - 1}),
                .entries = {},
                .reason = chunk_reason::more,
                .hint = {},
                .rank = own_rank()};
    std::size_t bytes = 0;
    for (const entry_ptr& e : entries) {
        m.entries.push_back(*e);
        bytes += weight(*e);
    }
    sent(p, {.last = entries.back()->index, .entries = entries.size(), .bytes = bytes});
    send_on(*l.bulk, peer, epoch(), std::make_shared<const message>(std::move(m)), {});
}

std::uint64_t machine::request_read(read_purpose why, log_index from, log_index to) {
    out_.read_log.push_back({.request = ++request_,
                             .purpose = why,
                             .from = from,
                             .to = to,
                             .max_bytes = settings_.limits.chunk_bytes});
    return request_;
}

void machine::on_catch_up_read(server_id peer, progress& p, log_read& r) {
    p.reading.reset();
    if (!p.over_bulk || !links_[peer].bulk) {
        return;
    }
    if (r.hole) {
        return find_damaged(p.next, end_of(log_.last()), "an entry cannot be read back");
    }
    if (r.entries.empty() || r.entries.front()->index != p.next) {
        return;
    }
    for (const entry_ptr& e : r.entries) {
        if (!log_.verifies(*e)) {
            return find_damaged(e->index, end_of(log_.last()), "an entry read back is another");
        }
    }
    send_chunk(peer, p, r.entries);
}

} // namespace almenara::replica
