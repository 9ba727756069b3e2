#pragma once

#include "base/ids.hpp"
#include "state/ids.hpp"
#include "state/requests.hpp"
#include "state/update.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <map>
#include <vector>

namespace almenara::state {

/// What a client is told about one request. `index` is that of its entry.
struct delivery {
    connection_id connection;
    request_id request;
    update_label label = update_label::update; ///< what was asked for: an opening has no sequence
    session_id session;
    sequence seq;
    log_index index;
    state::reply reply;
};

/// Results whose entries are not confirmed yet, by index. An operation is asked for by one
/// connection, its session's newest (C.1), but perhaps by several requests; an opening by whoever
/// has its nonce.
class waiters {
  public:
    struct asker {
        connection_id connection;
        request_id request;
        friend bool operator==(const asker&, const asker&) = default;
    };
    struct result {
        update_label label = update_label::update;
        session_id session;
        sequence seq;
        std::size_t bytes = 0; ///< of the operation; 0 for one of an earlier office
        state::reply reply;
    };

    /// Requests that may wait for one entry.
    static constexpr std::size_t most_askers = 4;

    void add(log_index index, const asker& who, result what);

    [[nodiscard]] bool is_awaited(log_index index) const { return waiting_.contains(index); }
    /// Somebody asks for the result of an entry that is awaited. False if too many do already.
    [[nodiscard]] bool ask_again(log_index index, const asker& who);

    /// Results up to here may leave.
    [[nodiscard]] std::vector<delivery> confirmed(log_index last);

    /// It asks no more. What it asked for happens all the same.
    void closed(connection_id connection);

    /// Everybody who still waits; nothing is left.
    [[nodiscard]] std::vector<delivery> take_all();

    [[nodiscard]] std::size_t size() const { return waiting_.size(); }
    /// Of all operations that wait.
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    [[nodiscard]] std::size_t in_flight(session_id session) const;
    [[nodiscard]] std::size_t bytes_in_flight(session_id session) const;

  private:
    struct waiter {
        /// None: they went, the operation did not.
        boost::container::small_vector<asker, 1> askers;
        result what;
    };
    struct load {
        std::size_t operations = 0;
        std::size_t bytes = 0;
    };

    void deliver_front(std::vector<delivery>& to);
    void forget(connection_id connection, log_index index);

    std::map<log_index, waiter> waiting_;
    /// In no order. A connection asks for few at a time, and mostly for one.
    std::map<connection_id, boost::container::small_vector<log_index, 4>> asked_by_;
    std::map<session_id, load> loads_;
    std::size_t bytes_ = 0;
};

} // namespace almenara::state
