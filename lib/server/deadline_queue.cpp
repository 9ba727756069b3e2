#include "server/deadline_queue.hpp"

namespace almenara::server {

void deadline_queue::set(connection_id id, instant at) {
    const auto [found, is_new] = deadlines_.try_emplace(id, deadline{at, at});
    deadline& wanted = found->second;
    wanted.at = at;
    if (is_new || at < wanted.queued) {
        queue(id, wanted, at);
    }
}

void deadline_queue::remove(connection_id id) {
    deadlines_.erase(id);
}

std::optional<instant> deadline_queue::next() const {
    if (queue_.empty()) {
        return std::nullopt;
    }
    return queue_.top().at;
}

std::vector<connection_id> deadline_queue::take_due(instant now) {
    std::vector<connection_id> due;
    while (!queue_.empty() && queue_.top().at <= now) {
        const entry first = queue_.top();
        queue_.pop();
        const auto found = deadlines_.find(first.id);
        // Gone, or an entry that an earlier one has replaced.
        if (found == deadlines_.end() || found->second.queued != first.at) {
            continue;
        }
        if (found->second.at <= now) {
            due.push_back(first.id);
            deadlines_.erase(found);
        } else {
            queue(first.id, found->second, found->second.at);
        }
    }
    return due;
}

void deadline_queue::queue(connection_id id, deadline& wanted, instant at) {
    wanted.queued = at;
    queue_.push({at, id});
}

} // namespace almenara::server
