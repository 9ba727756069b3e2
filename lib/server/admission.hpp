#pragma once

#include "base/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace almenara::server {

struct admission_limits {
    /// How many may be read at a time before their hello: in all, and of one address (F).
    std::size_t speaking = 1024;
    std::size_t speaking_per_host = 64;
};

/// Who may be read, and who waits. A connection that says nothing holds no place; one that speaks
/// while its places are taken waits unread and is not refused: after a failover 256 clients behind
/// one router come back at once (decision 003).
class admission {
  public:
    explicit admission(admission_limits limits) : limits_(limits) {}

    /// Accepted; silent so far.
    void arrived(connection_id id, const std::string& host);

    /// Its first bytes wait. True: read them now. False: it is queued, see take_called().
    [[nodiscard]] bool wants_to_speak(connection_id id);

    /// Its hello was good, or the connection is gone: its place is free.
    void done(connection_id id);

    /// Those who waited and may be read now, in the order in which they came.
    [[nodiscard]] std::vector<connection_id> take_called();

    /// Those at the door who came after that one, in the order in which they came.
    [[nodiscard]] std::vector<connection_id> guests_after(connection_id id, std::size_t most) const;

    [[nodiscard]] std::size_t at_the_door() const { return guests_.size(); }
    [[nodiscard]] std::size_t speaking() const { return speaking_; }
    [[nodiscard]] std::size_t waiting() const { return waiting_; }
    /// Addresses from which somebody is at the door.
    [[nodiscard]] std::size_t hosts() const { return hosts_.size(); }

  private:
    enum class stage { silent, waiting, speaking };
    using turn = std::uint64_t; ///< in the order of asking
    struct host_places {
        std::size_t guests = 0;
        std::size_t speaking = 0;
        std::map<turn, connection_id> waiting;
        std::optional<turn> callable_as; ///< its entry in callable_
    };
    using host_map = std::map<std::string, host_places>;
    struct guest {
        host_map::iterator host;
        stage at = stage::silent;
        turn asked = 0; ///< while it waits
    };

    [[nodiscard]] bool has_place(const host_places& host) const;
    void let_speak(guest& who);
    void update_callable(host_map::iterator host);
    void call_waiting();

    admission_limits limits_;
    std::map<connection_id, guest> guests_;
    host_map hosts_;
    /// Hosts with somebody who waits and a free place of their own, by their first one's turn: a
    /// host whose places are all taken does not hold up the others.
    std::map<turn, host_map::iterator> callable_;
    std::vector<connection_id> called_;
    turn last_turn_ = 0;
    std::size_t speaking_ = 0;
    std::size_t waiting_ = 0;
};

} // namespace almenara::server
