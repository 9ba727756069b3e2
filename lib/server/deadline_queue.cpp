#include "server/deadline_queue.hpp"

namespace almenara::server {

void deadline_queue::set(connection_id id, instant at) {
    deadline& wanted = deadlines_.try_emplace(id).first->second;
    wanted.at = at;
    if (at < wanted.queued) {
        queue(id, wanted);
    }
    drop_stale();
}

void deadline_queue::remove(connection_id id) {
    deadlines_.erase(id);
    drop_stale();
}

std::optional<instant> deadline_queue::next() const {
    if (queue_.empty()) {
        return std::nullopt;
    }
    return queue_.top().at;
}

std::vector<connection_id> deadline_queue::take_due(instant now, std::size_t most) {
    std::vector<connection_id> due;
    while (due.size() < most && !queue_.empty() && queue_.top().at <= now) {
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
            queue(first.id, found->second);
        }
    }
    drop_stale();
    return due;
}

void deadline_queue::queue(connection_id id, deadline& wanted) {
    wanted.queued = wanted.at;
    // What never comes is not looked for.
    if (wanted.at != instant::max()) {
        queue_.push({wanted.at, id});
    }
}

void deadline_queue::drop_stale() {
    // Style 11: connections that come and go quickly leave entries with a long time to go.
    constexpr std::size_t spare = 64;
    if (!deadlines_.empty() && queue_.size() <= 2 * deadlines_.size() + spare) {
        return;
    }
    queue_ = {};
    for (auto& [id, wanted] : deadlines_) {
        queue(id, wanted);
    }
}

} // namespace almenara::server
