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
    asked_by_[who.connection].insert(index);
    const bool is_new =
        waiting_.emplace(index, waiter{.askers = {who}, .what = std::move(what)}).second;
    ALMENARA_CHECK(is_new);
}

bool waiters::ask_again(log_index index, const asker& who) {
    std::vector<asker>& askers = waiting_.at(index).askers;
    if (std::find(askers.begin(), askers.end(), who) != askers.end()) {
        return true;
    }
    if (askers.size() >= most_askers) {
        return false;
    }
    askers.push_back(who);
    asked_by_[who.connection].insert(index);
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
        std::erase_if(waiting_.at(index).askers,
                      [connection](const asker& who) { return who.connection == connection; });
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
    const result& what = front->second.what;
    bytes_ -= what.bytes;
    const auto of_session = loads_.find(what.session);
    of_session->second.bytes -= what.bytes;
    if (--of_session->second.operations == 0) {
        loads_.erase(of_session);
    }
    for (const asker& who : front->second.askers) {
        forget(who.connection, front->first);
        to.push_back({.connection = who.connection,
                      .request = who.request,
                      .label = what.label,
                      .session = what.session,
                      .seq = what.seq,
                      .index = front->first,
                      .reply = what.reply});
    }
    waiting_.erase(front);
}

void waiters::forget(connection_id connection, log_index index) {
    const auto found = asked_by_.find(connection);
    if (found != asked_by_.end() && found->second.erase(index) > 0 && found->second.empty()) {
        asked_by_.erase(found);
    }
}

} // namespace almenara::state
