#include "state/waiters.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <utility>

namespace almenara::state {

void waiters::add(log_index index, const asker& who, result what) {
    load& of_session = loads_[what.session];
    ++of_session.operations;
    of_session.bytes += what.bytes;
    bytes_ += what.bytes;
    asked_by_[who.connection].push_back(index);
    const std::size_t before = waiting_.size();
    const auto at = waiting_.try_emplace(waiting_.end(), index); // Mostly it is the newest.
    ALMENARA_CHECK(waiting_.size() == before + 1);
    at->second.askers.push_back(who);
    at->second.what = std::move(what);
}

bool waiters::ask_again(log_index index, const asker& who) {
    auto& askers = waiting_.at(index).askers;
    if (std::find(askers.begin(), askers.end(), who) != askers.end()) {
        return true;
    }
    if (askers.size() >= most_askers) {
        return false;
    }
    askers.push_back(who);
    asked_by_[who.connection].push_back(index);
    return true;
}

std::vector<delivery> waiters::confirmed(log_index last) {
    std::vector<delivery> results;
    while (!waiting_.empty() && waiting_.begin()->first <= last) {
        deliver_front(results);
    }
    return results;
}

void waiters::closed(connection_id connection) {
    const auto found = asked_by_.find(connection);
    if (found == asked_by_.end()) {
        return;
    }
    for (const log_index index : found->second) {
        auto& askers = waiting_.at(index).askers;
        askers.erase(
            std::remove_if(askers.begin(), askers.end(),
                           [connection](const asker& who) { return who.connection == connection; }),
            askers.end());
    }
    asked_by_.erase(found);
}

std::vector<delivery> waiters::take_all() {
    std::vector<delivery> all;
    while (!waiting_.empty()) {
        deliver_front(all);
    }
    return all;
}

std::size_t waiters::in_flight(session_id session) const {
    const auto found = loads_.find(session);
    return found == loads_.end() ? 0 : found->second.operations;
}

std::size_t waiters::bytes_in_flight(session_id session) const {
    const auto found = loads_.find(session);
    return found == loads_.end() ? 0 : found->second.bytes;
}

void waiters::deliver_front(std::vector<delivery>& to) {
    const auto front = waiting_.begin();
    result& what = front->second.what;
    bytes_ -= what.bytes;
    const auto of_session = loads_.find(what.session);
    of_session->second.bytes -= what.bytes;
    if (--of_session->second.operations == 0) {
        loads_.erase(of_session);
    }
    const auto& askers = front->second.askers;
    for (const asker& who : askers) {
        forget(who.connection, front->first);
        delivery& one = to.emplace_back(delivery{.connection = who.connection,
                                                 .request = who.request,
                                                 .label = what.label,
                                                 .session = what.session,
                                                 .seq = what.seq,
                                                 .index = front->first,
                                                 .reply = {}});
        one.reply = &who == &askers.back() ? std::move(what.reply) : what.reply;
    }
    waiting_.erase(front);
}

void waiters::forget(connection_id connection, log_index index) {
    const auto found = asked_by_.find(connection);
    if (found == asked_by_.end()) {
        return;
    }
    auto& indexes = found->second;
    const auto one = std::find(indexes.begin(), indexes.end(), index);
    if (one != indexes.end()) {
        indexes.erase(one);
    }
    if (indexes.empty()) {
        asked_by_.erase(found);
    }
}

} // namespace almenara::state
