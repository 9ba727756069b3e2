#include "replica/machine.hpp"
#include "replica/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <vector>

/// B.9: a read is answered when a majority has said, after it came, that this server still rules.
/// No clock is trusted; the round is shared by all reads of a turn.
namespace almenara::replica {

void machine::on(const read_request& r) {
    auto* office = std::get_if<primary>(&role_);
    if (office == nullptr) {
        // left_office told the driver that nothing which waits will be answered.
        ask_for_client(r.epoch_seen);
        return;
    }
    if (office->reads.size() >= settings_.limits.reads_waiting) {
        out_.refused_reads.push_back(r.ticket);
        return;
    }
    if (r.epoch_seen > epoch()) {
        note_that(note_kind::foreign_message,
                  fmt::format("a client says it has seen epoch {}", r.epoch_seen));
        if (!holds(rule::client_epoch_probe)) {
            return step_down(resign_reason::higher_epoch, r.epoch_seen);
        }
    }
    const bool asks = holds(rule::read_probed);
    office->reads.push_back({.ticket = r.ticket,
                             .probe = asks ? office->probe.next() : probe_number{},
                             .at_least = std::max(commit_, office->epoch_start)});
}

/// C.0: a client has seen a primary that this server has not. It may lie, so not for each word.
void machine::ask_for_client(almenara::epoch seen) {
    if (seen > epoch() && !is_boot() && now_.monotonic >= ask_for_client_at_) {
        ask_for_client_at_ = now_.monotonic + settings_.timers.link_ping;
        to_other_voters(link_whois{.role = role_of()});
    }
}

/// Once per turn: reads that came since the last probe get one of their own.
void machine::send_probe() {
    auto* office = std::get_if<primary>(&role_);
    if (office != nullptr && !office->reads.empty() && office->reads.back().probe > office->probe) {
        office->probe = office->probe.next();
        office->heartbeat_now = true;
    }
}

probe_number machine::majority_probe() const {
    const auto& office = std::get<primary>(role_);
    std::vector<probe_number> heard;
    if (voter(self_)) {
        heard.push_back(office.probe);
    }
    for (const auto& [id, p] : office.voters) {
        if (voter(id)) {
            heard.push_back(p.probe);
        }
    }
    if (heard.size() < quorum()) {
        return {};
    }
    std::sort(heard.begin(), heard.end(), std::greater<>{});
    return heard[quorum() - 1];
}

void machine::answer_reads() {
    auto* office = std::get_if<primary>(&role_);
    if (office == nullptr || office->reads.empty() || commit_ < office->epoch_start) {
        return;
    }
    const probe_number heard = majority_probe();
    // What was committed when it came must be visible, so it was handed to the state.
    while (!office->reads.empty() && office->reads.front().probe <= heard &&
           office->reads.front().at_least <= handed_out_) {
        out_.readable.push_back(office->reads.front().ticket);
        office->reads.pop_front();
    }
}

} // namespace almenara::replica
