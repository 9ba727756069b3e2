#pragma once

#include "base/ids.hpp"
#include "sim/check/findings.hpp"
#include "sim/check/known_entries.hpp"

#include <map>
#include <set>

namespace almenara::sim::check {

/// I28: which sessions a primary must not let expire, by what passes between it and its clients and
/// not by its own book. One per process.
class session_watch {
  public:
    explicit session_watch(findings& found) : found_(found) {}

    /// ATTACH_OK leaves: the session's newest connection is this one.
    void attached(const session_bytes& session, connection_id connection);
    void connection_ended(connection_id connection);
    /// An operation of it was taken, be it a new one or a repeat.
    void operated(const session_bytes& session) { operated_.insert(session); }
    /// An office begins or ends: whoever was attached is so no more.
    void office_changed();

    /// The server proposes that the session is gone.
    void expires(server_id server, const session_bytes& session);

  private:
    findings& found_;
    std::map<session_bytes, connection_id> attached_;
    std::set<session_bytes> operated_;
};

} // namespace almenara::sim::check
