#pragma once

#include "base/ids.hpp"
#include "state/ids.hpp"

#include <map>
#include <optional>
#include <set>

namespace almenara::state {

/// C.1: which connection speaks for which session, in this term of office. A session listens to
/// its newest ATTACH only, so that a late copy of an operation cannot be executed after another
/// copy of it was refused.
class attachments {
  public:
    /// The connection now speaks for the session. Gives the one that did before: it is closed.
    [[nodiscard]] std::optional<connection_id> attach(connection_id connection, session_id session);

    /// The connection is gone. Gives the session that nobody speaks for any more.
    std::optional<session_id> closed(connection_id connection);

    /// Whether operations of the session are taken from this connection.
    [[nodiscard]] bool may_operate(connection_id connection, session_id session) const;

    [[nodiscard]] bool is_attached(session_id session) const {
        return speaks_for_.contains(session);
    }

    /// It had an operation in this term of office.
    void operated(session_id session) { operated_.insert(session); }

    /// There will be no other: the session was closed.
    void session_closed(session_id session) { operated_.erase(session); }

    /// I28: whether EXPIRE must leave it alone.
    [[nodiscard]] bool is_protected(session_id session) const {
        return is_attached(session) || operated_.contains(session);
    }

    /// Taking office voids all of them.
    void forget_all();

  private:
    std::map<session_id, connection_id> speaks_for_;
    std::map<connection_id, session_id> by_connection_;
    std::set<session_id> operated_;
};

} // namespace almenara::state
