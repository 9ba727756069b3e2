#pragma once

#include "base/ids.hpp"
#include "base/session_ids.hpp"
#include "base/time.hpp"
#include "server/client_requests.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace almenara::server {

/// Why a request is not served yet.
enum class held_for : std::uint8_t {
    primary,   ///< WHOIS: until one is known (C.3)
    slot,      ///< B.10: the office is being handed over
    catch_up,  ///< B.9: a stale read whose client has seen more than is here
    next_turn, ///< B.5.1: its probe round came back
    office,    ///< this server is entering it, and is not through with its own log
    news,      ///< C.0: its client has seen a higher epoch, and the others are asked
};

struct held_request {
    connection_id connection;
    client_request request;
    held_for reason = held_for::primary;
    instant until; ///< then it is answered, whatever is known
};

/// Requests that wait for something that may soon be so, in the order in which they came. Bounded
/// in number and in bytes (style 11).
class waiting_room {
  public:
    struct bounds {
        std::size_t requests = 4096;
        std::size_t bytes = 16U << 20U;
    };

    explicit waiting_room(bounds most) : most_(most) {}

    /// False, and nothing is taken, if there is no room.
    [[nodiscard]] bool hold(held_request& who);

    /// Those who wait for that, all of them.
    [[nodiscard]] std::vector<held_request> take(held_for reason);
    /// Stale reads for which the state has become new enough.
    [[nodiscard]] std::vector<held_request> take_caught_up(log_index committed);
    /// Those who have waited long enough.
    [[nodiscard]] std::vector<held_request> take_due(instant now);

    /// What an earlier request of the connection or of the session waits for, if it is something
    /// behind which it will be served.
    [[nodiscard]] std::optional<held_for> reason_of_earlier(connection_id connection,
                                                            session_id session) const;

    /// What it has here goes at the next look: many may end in one turn.
    void connection_ended(connection_id connection);

    [[nodiscard]] bool has(held_for reason) const { return count_of(reason) > 0; }
    [[nodiscard]] std::optional<instant> next_deadline() const;
    [[nodiscard]] std::size_t size() const { return held_.size(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

  private:
    [[nodiscard]] std::size_t count_of(held_for reason) const {
        return counts_[static_cast<std::size_t>(reason)];
    }
    template <class Predicate>
    [[nodiscard]] std::vector<held_request> take_if(Predicate wanted);
    void count_in(const held_request& who);
    void count_out(const held_request& who);

    /// Of one connection or session.
    struct share {
        std::size_t all = 0;
        std::size_t in_order = 0; ///< of these: those that will be served
        held_for newest = held_for::office;
    };
    template <class Key>
    static void count_in(std::map<Key, share>& shares, Key whose, held_for reason);
    template <class Key>
    static void count_out(std::map<Key, share>& shares, Key whose, held_for reason);

    bounds most_;
    std::vector<held_request> held_;
    std::array<std::size_t, 6> counts_{}; ///< by reason
    std::map<connection_id, share> of_connections_;
    std::map<session_id, share> of_sessions_;
    std::set<connection_id> gone_; ///< and something of theirs is still here
    std::size_t bytes_ = 0;
};

/// What a request weighs while it waits.
[[nodiscard]] std::size_t weight_of(const client_request& what);

} // namespace almenara::server
