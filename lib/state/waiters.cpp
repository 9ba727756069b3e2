#include "state/waiters.hpp"

#include "base/check.hpp"

#include <utility>

namespace almenara::state {

void waiters::add(log_index index, waiter who) {
    load& of_session = loads_[who.session];
    ++of_session.operations;
    of_session.bytes += who.bytes;
    const bool is_new = waiting_.emplace(index, std::move(who)).second;
    ALMENARA_CHECK(is_new);
}

bool waiters::ask_again(log_index index, connection_id connection, request_id request) {
    const auto found = waiting_.find(index);
    if (found == waiting_.end()) {
        return false;
    }
    found->second.connection = connection;
    found->second.request = request;
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
    for (auto& [index, who] : waiting_) {
        if (who.connection == connection) {
            who.connection.reset();
        }
    }
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
    waiter& who = front->second;
    const auto of_session = loads_.find(who.session);
    of_session->second.bytes -= who.bytes;
    if (--of_session->second.operations == 0) {
        loads_.erase(of_session);
    }
    if (who.connection) {
        to.push_back({.connection = *who.connection,
                      .request = who.request,
                      .session = who.session,
                      .seq = who.seq,
                      .index = front->first,
                      .reply = std::move(who.reply)});
    }
    waiting_.erase(front);
}

} // namespace almenara::state
