#include "state/attachments.hpp"

#include "state/rules.hpp"

namespace almenara::state {

std::optional<connection_id> attachments::attach(connection_id connection, session_id session) {
    closed(connection);
    by_connection_[connection] = session;
    const auto [speaker, is_first] = speaks_for_.try_emplace(session, connection);
    if (is_first) {
        return std::nullopt;
    }
    const connection_id older = speaker->second;
    speaker->second = connection;
    if (!holds(rule::attachment_newest_only)) {
        return std::nullopt;
    }
    by_connection_.erase(older);
    return older;
}

std::optional<session_id> attachments::closed(connection_id connection) {
    const auto found = by_connection_.find(connection);
    if (found == by_connection_.end()) {
        return std::nullopt;
    }
    std::optional<session_id> silent;
    const auto speaker = speaks_for_.find(found->second);
    if (speaker != speaks_for_.end() && speaker->second == connection) {
        silent = speaker->first;
        speaks_for_.erase(speaker);
    }
    by_connection_.erase(found);
    return silent;
}

bool attachments::may_operate(connection_id connection, session_id session) const {
    const auto found = by_connection_.find(connection);
    return found != by_connection_.end() && found->second == session;
}

void attachments::forget_all() {
    speaks_for_.clear();
    by_connection_.clear();
    operated_.clear();
}

} // namespace almenara::state
