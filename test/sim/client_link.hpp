#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "server/client_requests.hpp"
#include "support/check/history.hpp"

#include <cstdint>
#include <vector>

/// What clients and servers of the simulator say to each other: the messages of C.0 without their
/// framing, and the gate of a client. Everything goes over connections of the simulated network,
/// which are ordered, lose nothing while they live, and end in any of the ways that connections
/// end.
namespace almenara::sim {

using test::check::client_number;

using client_request = almenara::server::client_request;
using server_answer = almenara::server::client_answer;

// -- The gate of a client -------------------------------------------------------------------------

struct client_send {
    connection_id connection;
    client_request request;
};

/// C.2: it may be lost.
struct client_datagram {
    server_id to;
    base::byte_vector bytes;
};

/// Executed in this order; `wake` is when tick() is due, at the latest.
struct client_output {
    std::vector<client_send> send;
    std::vector<connection_id> close; ///< connection_ended does not follow
    std::vector<server_id> dial;      ///< answered by dialled or dial_failed
    std::vector<client_datagram> datagrams;
    instant wake = instant::max();
};

/// A client is a core of its own: events in, one output out, virtual time only. A connection that
/// was dialled is given its id by the network.
class client {
  public:
    client() = default;
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    virtual ~client() = default;

    virtual void dialled(instant now, server_id server, connection_id connection) = 0;
    virtual void dial_failed(instant now, server_id server) = 0;
    virtual void heard(instant now, connection_id connection, const server_answer& answer) = 0;
    virtual void connection_ended(instant now, connection_id connection) = 0;
    virtual void datagram(instant now, base::byte_view bytes) = 0;
    virtual void tick(instant now) = 0;

    /// The load ends: nothing new is begun, what is open goes on until it has ended.
    virtual void finish(instant now) = 0;
    /// Nothing is open any more.
    [[nodiscard]] virtual bool idle() const = 0;

    [[nodiscard]] virtual client_output take_output(instant now) = 0;
};

} // namespace almenara::sim
