#include "server/admission.hpp"

#include "base/check.hpp"

#include <utility>

namespace almenara::server {

void admission::arrived(connection_id id, const std::string& host) {
    const bool is_new = guests_.emplace(id, guest{host}).second;
    ALMENARA_CHECK(is_new);
    ++hosts_[host].guests;
}

bool admission::wants_to_speak(connection_id id) {
    const auto found = guests_.find(id);
    ALMENARA_CHECK(found != guests_.end() && found->second.at == stage::silent);
    // Nobody overtakes those of the same host who wait already: they fill its places.
    if (may_speak(found->second)) {
        let_speak(found->second);
        return true;
    }
    found->second.at = stage::waiting;
    waiting_.push_back(id);
    return false;
}

void admission::done(connection_id id) {
    const auto found = guests_.find(id);
    if (found == guests_.end()) {
        return;
    }
    const auto host = hosts_.find(found->second.host);
    if (found->second.at == stage::waiting) {
        std::erase(waiting_, id);
    }
    const bool freed = found->second.at == stage::speaking;
    if (freed) {
        --speaking_;
        --host->second.speaking;
    }
    if (--host->second.guests == 0) {
        hosts_.erase(host);
    }
    guests_.erase(found);
    // It may have been called and gone in the same turn.
    std::erase(called_, id);
    if (freed) {
        call_waiting();
    }
}

std::vector<connection_id> admission::take_called() {
    return std::exchange(called_, {});
}

bool admission::may_speak(const guest& who) const {
    return speaking_ < limits_.speaking && hosts_.at(who.host).speaking < limits_.speaking_per_host;
}

void admission::let_speak(guest& who) {
    who.at = stage::speaking;
    ++speaking_;
    ++hosts_.at(who.host).speaking;
}

void admission::call_waiting() {
    // A host whose places are all taken must not hold up the others behind it in the queue.
    std::deque<connection_id> still_waiting;
    for (const connection_id id : std::exchange(waiting_, {})) {
        guest& who = guests_.at(id);
        if (may_speak(who)) {
            let_speak(who);
            called_.push_back(id);
        } else {
            still_waiting.push_back(id);
        }
    }
    waiting_ = std::move(still_waiting);
}

} // namespace almenara::server
