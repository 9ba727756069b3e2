#include "server/admission.hpp"

#include "base/check.hpp"

#include <utility>

namespace almenara::server {

void admission::arrived(connection_id id, const std::string& host) {
    const auto at = hosts_.try_emplace(host).first;
    const bool is_new = guests_.emplace(id, guest{at}).second;
    ALMENARA_CHECK(is_new);
    ++at->second.guests;
}

bool admission::wants_to_speak(connection_id id) {
    guest& who = guests_.at(id);
    ALMENARA_CHECK(who.at == stage::silent);
    // Nobody overtakes those of the same host who wait already: they fill its places.
    if (has_place(who.host->second)) {
        let_speak(who);
        return true;
    }
    who.at = stage::waiting;
    who.asked = ++last_turn_;
    who.host->second.waiting.emplace(who.asked, id);
    ++waiting_;
    update_callable(who.host);
    return false;
}

void admission::done(connection_id id) {
    const auto found = guests_.find(id);
    if (found == guests_.end()) {
        return;
    }
    const guest who = found->second;
    guests_.erase(found);
    // It may have been called and gone in the same turn.
    std::erase(called_, id);
    host_places& host = who.host->second;
    if (who.at == stage::waiting) {
        host.waiting.erase(who.asked);
        --waiting_;
    } else if (who.at == stage::speaking) {
        --host.speaking;
        --speaking_;
    }
    --host.guests;
    update_callable(who.host);
    if (host.guests == 0) {
        hosts_.erase(who.host);
    }
    call_waiting();
}

std::vector<connection_id> admission::guests_after(connection_id id, std::size_t most) const {
    std::vector<connection_id> ids;
    for (auto next = guests_.upper_bound(id); next != guests_.end() && ids.size() < most; ++next) {
        ids.push_back(next->first);
    }
    return ids;
}

std::vector<connection_id> admission::take_called() {
    return std::exchange(called_, {});
}

bool admission::has_place(const host_places& host) const {
    return speaking_ < limits_.speaking && host.speaking < limits_.speaking_per_host;
}

void admission::let_speak(guest& who) {
    who.at = stage::speaking;
    ++who.host->second.speaking;
    ++speaking_;
}

void admission::update_callable(host_map::iterator at) {
    host_places& host = at->second;
    if (host.callable_as) {
        callable_.erase(*std::exchange(host.callable_as, std::nullopt));
    }
    if (!host.waiting.empty() && host.speaking < limits_.speaking_per_host) {
        host.callable_as = host.waiting.begin()->first;
        callable_.emplace(*host.callable_as, at);
    }
}

void admission::call_waiting() {
    while (speaking_ < limits_.speaking && !callable_.empty()) {
        const auto at = callable_.begin()->second;
        const auto first = at->second.waiting.begin();
        const connection_id id = first->second;
        at->second.waiting.erase(first);
        --waiting_;
        let_speak(guests_.at(id));
        called_.push_back(id);
        update_callable(at);
    }
}

} // namespace almenara::server
