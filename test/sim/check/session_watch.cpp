#include "sim/check/session_watch.hpp"

#include "base/bytes.hpp"

namespace almenara::sim::check {

void session_watch::attached(const session_bytes& session, connection_id connection) {
    // A connection speaks for one session, and a session listens to one connection.
    connection_ended(connection);
    attached_.insert_or_assign(session, connection);
}

void session_watch::connection_ended(connection_id connection) {
    std::erase_if(attached_, [&](const auto& one) { return one.second == connection; });
}

void session_watch::office_changed() {
    attached_.clear();
    operated_.clear();
}

void session_watch::expires(server_id server, const session_bytes& session) {
    if (attached_.contains(session)) {
        found_.report("I28", "server {} lets session {} expire, which is attached", server,
                      base::to_hex(session));
    } else if (operated_.contains(session)) {
        found_.report("I28",
                      "server {} lets session {} expire, which had an operation in this term of "
                      "office",
                      server, base::to_hex(session));
    }
}

} // namespace almenara::sim::check
