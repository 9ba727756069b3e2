#pragma once

#include "base/ids.hpp"
#include "state/ids.hpp"
#include "state/update.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace almenara::state {

/// What a client is told about one request. `index` is that of its entry.
struct delivery {
    connection_id connection;
    request_id request;
    session_id session;
    sequence seq; ///< 0: the session was opened
    log_index index;
    state::reply reply;
};

/// Results whose entries are not confirmed yet, by index. One at most waits for each: a session
/// has one connection (C.1).
class waiters {
  public:
    struct waiter {
        std::optional<connection_id> connection; ///< none: it went, the operation did not
        request_id request;
        session_id session;
        sequence seq;
        std::size_t bytes = 0; ///< of the operation; 0 for one of an earlier office
        state::reply reply;
    };

    void add(log_index index, waiter who);

    /// Somebody else asks for the result of that entry. False if nobody waited for it so far.
    [[nodiscard]] bool ask_again(log_index index, connection_id connection, request_id request);

    /// Results up to here may leave.
    [[nodiscard]] std::vector<delivery> confirmed(log_index last);

    void closed(connection_id connection);

    /// Everybody who still waits; nothing is left.
    [[nodiscard]] std::vector<delivery> take_all();

    [[nodiscard]] std::size_t size() const { return waiting_.size(); }
    [[nodiscard]] std::size_t in_flight(session_id session) const;
    [[nodiscard]] std::size_t bytes_in_flight(session_id session) const;

  private:
    struct load {
        std::size_t operations = 0;
        std::size_t bytes = 0;
    };

    void deliver_front(std::vector<delivery>& to);

    std::map<log_index, waiter> waiting_;
    std::map<session_id, load> loads_;
};

} // namespace almenara::state
