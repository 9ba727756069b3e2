#pragma once

#include "base/hlc.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/gate.hpp"
#include "scripts/words.hpp"

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace almenara::scripts {

/// What travels on a connection; no message is its end (FIN or RST).
struct parcel {
    instant due;
    almenara::epoch epoch;
    replica::message_ptr message;
    hlc_stamp hlc{};
};

/// One TCP connection: two ordered directions, two ends that may know different things.
struct connection {
    connection_id id;
    replica::connection_kind kind = replica::connection_kind::control;
    std::array<server_id, 2> ends; ///< the first one dialled
    std::array<bool, 2> open{true, true};
    std::array<std::deque<parcel>, 2> towards;
    /// Since when an end waits for TCP to acknowledge something, over a cut.
    std::array<std::optional<instant>, 2> unacknowledged;

    [[nodiscard]] std::size_t end_of(server_id id_of_end) const {
        return ends[0] == id_of_end ? 0 : 1;
    }
};

/// A dial under way.
struct dial {
    instant due;
    server_id from;
    replica::dial_request request;
};

/// All connections of the stage. It moves parcels; who gets them is said by the stage.
class network {
  public:
    /// Fixed, so that a transcript can be read.
    static constexpr duration delay = std::chrono::milliseconds{1};
    /// TCP_USER_TIMEOUT is suspect_timeout (B.2); a SYN without answer is given up as late.
    static constexpr duration patience = std::chrono::milliseconds{400};

    std::map<connection_id, connection> connections;
    std::deque<dial> dials;

    /// Nothing passes; TCP notices after its patience.
    void set_cut(direction way, bool on, instant now);
    [[nodiscard]] bool is_cut(direction way) const { return cuts_.contains(way); }
    /// The parcels wait; TCP notices nothing: the script decides when they go on.
    void set_held(direction way, bool on, instant now);
    [[nodiscard]] bool is_held(direction way) const { return held_.contains(way); }

    connection& connect(const dial& which);
    void send(connection_id on, server_id from, parcel what);
    /// This end says goodbye: what it sent before still arrives.
    void close(connection_id on, server_id from, instant now);
    /// This end is gone and the other one is told nothing, until it sends something.
    void vanish(connection_id on, server_id at);

    /// The next parcel that may arrive, leaving out those to servers that do not read.
    struct arrival {
        instant due;
        connection_id on;
        std::size_t to = 0;
    };
    [[nodiscard]] std::optional<arrival> next(const std::function<bool(server_id)>& reads) const;
    [[nodiscard]] parcel take(const arrival& which);

    /// The end whose TCP gives up first.
    struct expiry {
        instant due;
        connection_id on;
        std::size_t at = 0;
    };
    [[nodiscard]] std::optional<expiry> next_expiry() const;

    /// The open connection of this kind between two servers, if there is one; the newest.
    [[nodiscard]] connection* between(direction way, replica::connection_kind kind);
    /// Connections with anything between two servers, open or not.
    [[nodiscard]] std::vector<connection*> all_between(direction way);

  private:
    [[nodiscard]] static direction way_of(const connection& c, std::size_t to) {
        return {.from = c.ends[1 - to], .to = c.ends[to]};
    }
    void note_unacknowledged(connection& c, std::size_t end, instant now) const;

    std::set<direction> cuts_;
    std::set<direction> held_;
    std::uint64_t last_id_ = 0;
};

} // namespace almenara::scripts
