#pragma once

#include "base/bytes.hpp"
#include "base/hlc.hpp"
#include "base/ids.hpp"
#include "base/strong.hpp"
#include "base/time.hpp"
#include "replica/messages.hpp"
#include "sim/agenda.hpp"
#include "sim/client_link.hpp"
#include "sim/dice.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <variant>
#include <vector>

namespace almenara::sim {

/// A machine. Servers have their id for a number, clients come behind them.
using node = base::strong<struct node_tag, std::uint32_t>;
inline constexpr std::uint32_t most_nodes = 32;
inline constexpr node first_client{16};

[[nodiscard]] inline node node_of(server_id id) {
    return node{id.value()};
}
[[nodiscard]] inline bool is_server(node n) {
    return n < first_client;
}
[[nodiscard]] inline server_id server_of(node n) {
    return server_id{static_cast<std::uint16_t>(n.value())};
}

enum class line_kind : std::uint8_t { control, bulk, client };

/// The end of the stream: FIN behind the data, or RST instead of it.
struct line_end {
    bool reset = false;
};

struct link_frame {
    almenara::epoch epoch;
    hlc_stamp hlc;
    replica::message_ptr message;
};

using content = std::variant<line_end, link_frame, client_request, server_answer>;

/// How datagrams fare: each has a delay of its own, so they overtake one another.
struct datagram_habits {
    latency delay{std::chrono::microseconds{150}, std::chrono::milliseconds{50}};
    std::uint64_t lost_percent = 0;
    std::uint64_t twice_percent = 0;
};

struct network_habits {
    latency delay{std::chrono::microseconds{150}, std::chrono::milliseconds{5}};
    /// Of a thousand segments so many are lost once; what is behind them waits, as in TCP.
    std::uint64_t lost_per_mille = 0;
    duration retransmission = std::chrono::milliseconds{200};
    duration control_timeout = std::chrono::milliseconds{400}; ///< TCP_USER_TIMEOUT (B.2)
    duration other_timeout = std::chrono::seconds{2};
    duration dial_timeout = std::chrono::seconds{1};
    datagram_habits datagrams{};
};

/// What is at the ends of the lines: processes on machines.
class hosts {
  public:
    hosts() = default;
    hosts(const hosts&) = delete;
    hosts& operator=(const hosts&) = delete;
    virtual ~hosts() = default;

    [[nodiscard]] virtual bool powered(node) const = 0; ///< its kernel answers
    [[nodiscard]] virtual bool listens(
        node) const = 0; ///< a process is there, even if it is paused
    [[nodiscard]] virtual std::uint64_t life(node) const = 0; ///< number of its process

    virtual void accepted(node at, connection_id connection, line_kind kind) = 0;
    virtual void dialled(node at, node peer, connection_id connection, line_kind kind) = 0;
    virtual void dial_failed(node at, node peer, line_kind kind) = 0;
    virtual void received(node at, connection_id connection, content&& what) = 0;
    virtual void ended(node at, connection_id connection) = 0;
    virtual void datagram(node at, node from, base::byte_view bytes) = 0;
};

enum class death : std::uint8_t {
    exit,  ///< its kernel says FIN, or RST if something was unread
    power, ///< nobody says anything
};

/// TCP as it looks from above: connections that keep order, lose nothing while they live, and end
/// in every way that connections end; some of which only one side gets to know.
class network {
  public:
    network(agenda& time, dice luck, hosts& ends, const network_habits& habits);

    void dial(node from, node to, line_kind kind);
    void send(connection_id connection, node from, content what);
    /// FIN behind what was sent; `by` hears nothing of this connection any more.
    void close(connection_id connection, node by);
    /// UDP: it may be lost, come twice, or come late.
    void cast(node from, node to, base::byte_vector bytes);
    void process_ended(node at, death how);
    /// The machine is on again: what was sent to it meanwhile is sent again, and refused.
    void powered_up(node at);

    /// Nothing passes in this direction, until as many unblock() came. What is sent waits for it,
    /// as long as its sender's patience lasts.
    void block(node from, node to);
    void unblock(node from, node to);
    /// The same without loss of patience: acks pass, data does not.
    void clog(node from, node to);
    void unclog(node from, node to);

    /// A middlebox forgets a connection, be it between two servers or a client's: one side is told
    /// so (RST), or none is. False if there is none.
    bool reset_one_side(dice& luck);
    bool swallow_one(dice& luck);

    void set_habits(const network_habits& habits) { habits_ = habits; }
    void on(const appointment& due);

  private:
    struct parcel {
        instant due;
        content what;
    };
    struct direction {
        std::deque<parcel> queue;
        instant last_due;
        bool stalled = false;
        std::optional<instant> unacked_since;
    };
    /// ways[i] leads away from ends[i].
    struct line {
        line_kind kind = line_kind::control;
        std::array<node, 2> ends;
        std::array<bool, 2> open{true, true};
        std::array<direction, 2> ways;
        bool swallowed = false;
    };
    struct pending_dial {
        node from;
        node to;
        line_kind kind = line_kind::control;
        std::uint64_t life = 0;
        std::optional<connection_id> connection;
    };
    struct flying {
        node from;
        node to;
        base::byte_vector bytes;
    };
    struct path {
        std::uint16_t cuts = 0;
        std::uint16_t clogs = 0;
    };

    [[nodiscard]] path& between(node from, node to);
    [[nodiscard]] bool passes(node from, node to);
    [[nodiscard]] bool acks_pass(node from, node to);
    [[nodiscard]] instant arrival(const direction& way);
    [[nodiscard]] line* find(connection_id connection);
    void land(std::uint64_t number);
    void handshake(std::uint64_t number);
    void dial_over(std::uint64_t number);
    void post(connection_id connection, std::size_t way, content what);
    void arrive(connection_id connection, std::size_t way);
    [[nodiscard]] bool hand_over_front(connection_id connection, line& of, std::size_t way);
    void wait_for_ack(connection_id connection, line& of, std::size_t way);
    void patience_over(connection_id connection, std::size_t way);
    void end_locally(connection_id connection, line& of, std::size_t end);
    void flow_again(node from, node to, duration pause);
    void resend(connection_id connection, line& of, std::size_t way, duration pause);
    void forget_if_over(connection_id connection);
    [[nodiscard]] std::optional<connection_id> any_line(dice& luck);

    agenda& time_;
    dice luck_;
    hosts& hosts_;
    network_habits habits_;
    std::array<path, std::size_t{most_nodes} * most_nodes> paths_{};
    std::map<connection_id, line> lines_;
    std::map<std::uint64_t, pending_dial> dials_;
    connection_id last_connection_;
    std::uint64_t last_dial_ = 0;
    std::map<std::uint64_t, flying> flying_;
    std::uint64_t last_flying_ = 0;
};

} // namespace almenara::sim
