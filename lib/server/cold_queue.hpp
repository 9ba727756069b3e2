#pragma once

#include "base/ids.hpp"
#include "base/session_ids.hpp"
#include "server/client_requests.hpp"
#include "server/replication.hpp"
#include "state/inputs.hpp"
#include "state/needs.hpp"
#include "state/requests.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace almenara::server {

/// How far a request has come that asked for rows which are not in memory (architecture 2).
struct progress {
    state::inputs supplied;
    unsigned rounds = 0;   ///< that it asked
    bool is_first = false; ///< of its session's line: whoever comes later waits for it
};

/// A request that is tried again, from its beginning, when its rows are there.
struct attempt {
    connection_id connection;
    std::optional<client_request> request; ///< none: the sweep of sessions (C.1)
    bool explains = false;                 ///< B.5.2: it was refused, and is to hear why
    progress so_far{};
};

/// Who waits for rows that are not in memory, or for an earlier request of the same session that
/// does. Bounded in requests and bytes, and in what is fetched at a time (style 11).
class cold_queue {
  public:
    struct bounds {
        std::size_t requests = 4096;
        std::size_t bytes = 64U << 20U; ///< of requests, and of what was fetched for them
        std::size_t of_a_session = 64;
        std::size_t fetches = 64; ///< under way at a time
        /// What was fetched stays with its request, so it asks again only if it went another way
        /// than before, because rows changed meanwhile.
        unsigned rounds = 16;
    };
    struct order {
        fetch_ticket ticket;
        state::needs wanted;
    };

    explicit cold_queue(const bounds& most) : most_(most) {}

    /// For rows. False, and nothing is taken: there is no room, or it has asked too often.
    [[nodiscard]] bool wait(attempt& who, state::needs_inputs& missing);

    /// Whether an earlier request of the session waits.
    [[nodiscard]] bool has_line(session_id session) const { return lines_.contains(session); }
    /// Behind that one. False, and nothing is taken: there is no room.
    [[nodiscard]] bool wait_in_line(attempt& who);

    /// What is to be fetched next.
    [[nodiscard]] std::optional<order> next_order();
    /// It is there. Who asked may be gone.
    void arrived(fetch_ticket ticket, state::inputs more);

    [[nodiscard]] bool has_ready() const { return !ready_.empty(); }
    /// Who may try now. went_on() is called behind that.
    [[nodiscard]] std::optional<attempt> take_ready();
    /// The first of the session's line was tried: if it does not wait again, the next may try.
    void went_on(session_id session);

    /// All of them, but for reads that any server may answer (B.9).
    [[nodiscard]] std::vector<attempt> take_those_of_the_office();
    void connection_ended(connection_id connection);

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

  private:
    struct fetching {
        attempt who;
        state::needs wanted; ///< until they are asked for
    };
    /// One session's: the first is fetching, ready or being tried; the others are here.
    struct line {
        bool has_first = true;
        std::deque<attempt> behind{};
    };

    [[nodiscard]] bool has_room(const attempt& who) const;
    void count_in(const attempt& who);
    void count_out(const attempt& who);
    template <class Wanted>
    [[nodiscard]] std::vector<attempt> take_if(const Wanted& wanted);

    bounds most_;
    std::map<fetch_ticket, fetching> fetching_;
    std::deque<fetch_ticket> not_asked_; ///< of these; some may be gone
    std::deque<attempt> ready_;
    std::map<session_id, line> lines_;
    std::size_t asked_ = 0; ///< and not answered, whoever waits for it
    std::size_t size_ = 0;
    std::size_t bytes_ = 0;
    fetch_ticket last_;
};

/// The session whose requests are tried in their order.
[[nodiscard]] std::optional<session_id> line_of(const attempt& who);

} // namespace almenara::server
