#pragma once

#include "base/ids.hpp"
#include "base/session_ids.hpp"
#include "base/time.hpp"
#include "server/client_requests.hpp"
#include "server/replication.hpp"
#include "state/inputs.hpp"
#include "state/needs.hpp"
#include "state/requests.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace almenara::server {

/// How far a request has come that asked for rows which are not in memory (architecture 2).
struct progress {
    state::inputs supplied;
    unsigned rounds = 0;            ///< that it asked
    bool is_first = false;          ///< of its session's line: whoever comes later waits for it
    bool is_new = false;            ///< an operation of which no earlier attempt left anything
    std::optional<instant> until{}; ///< then it hears that it took too long; none: not said yet
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
    /// Whether requests of that connection wait in the line of another session: it cannot be kept
    /// in order with those.
    [[nodiscard]] bool has_other_line(connection_id connection, session_id session) const;

    /// What is to be fetched next.
    [[nodiscard]] std::optional<order> next_order();
    /// It is there. Who asked may be gone.
    void arrived(fetch_ticket ticket, state::inputs more);

    [[nodiscard]] bool has_ready() const { return !ready_.empty(); }
    [[nodiscard]] std::optional<instant> next_deadline() const;
    /// Who has waited long enough.
    [[nodiscard]] std::vector<attempt> take_due(instant now);
    /// Who may try now. went_on() is called behind that.
    [[nodiscard]] std::optional<attempt> take_ready();
    /// The first of the session's line was tried: if it does not wait again, the next may try.
    void went_on(session_id session);

    /// All of them, but for reads that any server may answer (B.9).
    [[nodiscard]] std::vector<attempt> take_those_of_the_office();
    void connection_ended(connection_id connection);

    [[nodiscard]] std::size_t size() const { return all_.size(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

  private:
    using place = fetch_ticket; ///< of who waits; later ones are greater
    enum class stage : std::uint8_t { to_be_asked, asked, ready, in_line };
    struct waiting {
        attempt who;
        stage at = stage::in_line;
        state::needs wanted{}; ///< until they are asked for
    };
    /// One session's: the first is fetching, ready or being tried.
    struct line {
        bool has_first = true;
        std::set<place> behind{};
    };
    /// What one connection has here.
    struct share {
        std::set<place> all{};
        std::map<session_id, std::size_t> lines{}; ///< how many of them are in which
    };

    [[nodiscard]] bool has_room(const attempt& who) const;
    place enter(waiting&& what);
    attempt leave(place where);
    attempt leave_for_good(place where);
    void move_to(waiting& what, place where, stage next);
    void drop_from(place where, const waiting& what);

    bounds most_;
    std::map<place, waiting> all_;
    std::set<place> to_be_asked_;
    std::set<place> ready_;
    std::set<std::pair<instant, place>> deadlines_;
    std::map<session_id, line> lines_;
    std::map<connection_id, share> shares_;
    std::size_t asked_ = 0; ///< and not answered, whoever waits for it
    std::size_t bytes_ = 0;
    place last_;
};

/// The session whose requests are tried in their order.
[[nodiscard]] std::optional<session_id> line_of(const attempt& who);

} // namespace almenara::server
