#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/strong.hpp"
#include "base/time.hpp"
#include "state/codes.hpp"
#include "state/ids.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

/// What clients and servers of the simulator say to each other: C.0 without its framing, and the
/// gate of a client. Everything goes over connections of the simulated network, which are ordered,
/// lose nothing while they live, and end in any of the ways that connections end.
namespace almenara::sim {

using client_number = base::strong<struct client_number_tag, std::uint32_t>;

// -- What a client says ---------------------------------------------------------------------------

/// SESSION_OPEN: the same nonce gives the same session.
struct ask_session {
    state::device_id device;
    state::open_nonce nonce;
};

/// ATTACH, mode SERVICE: operations of the session come over this connection from now on.
struct ask_attach {
    state::session_id session;
    state::sequence next;
    state::sequence first_unacked;
    almenara::epoch epoch_seen;
    log_index last_seen;
};

/// OP. `body` is a message of services/kv with its number in front: what state::desk takes.
struct ask_operation {
    state::session_id session;
    state::sequence seq;
    state::sequence first_unacked;
    almenara::epoch epoch_seen;
    base::byte_vector body;
};

/// READ, mode quorum.
struct ask_read {
    almenara::epoch epoch_seen;
    log_index last_seen;
    base::byte_vector body;
};

/// WHOIS; a server that knows no primary holds it so long (<= 1 s).
struct ask_whois {
    duration wait = std::chrono::seconds{1};
};

struct client_request {
    request_id request; ///< the answer echoes it
    std::variant<ask_session, ask_attach, ask_operation, ask_read, ask_whois> what;
};

// -- What a server answers ------------------------------------------------------------------------

/// SESSION_OK
struct session_opened {
    state::session_id session;
};

/// ATTACH_OK
struct attached {
    almenara::epoch epoch;
};

/// RESULT: confirmed. `code` is one of the service, refusals that are entries included.
struct operation_result {
    state::sequence seq;
    state::result_code code;
    log_index index;
    almenara::epoch epoch;
    std::uint8_t durable_on = 0;
    std::uint8_t voters = 0;
    base::byte_vector body;
};

/// READ_RESULT
struct read_result {
    state::result_code code;
    log_index index; ///< the state that answered held everything up to here
    almenara::epoch epoch;
    base::byte_vector body;
};

/// PRIMARY_IS; without a primary while one is being elected.
struct primary_is {
    almenara::epoch epoch;
    std::optional<server_id> primary;
};

/// REDIRECT
struct redirected {
    almenara::epoch epoch;
    std::optional<server_id> primary;
};

/// ERROR, for what left no entry: BUSY, RETRY_ELSEWHERE, STALE, SESSION_EXPIRED, INVALID ...
struct refused {
    state::result_code code;
    almenara::epoch epoch;
};

struct server_answer {
    request_id request;
    std::variant<session_opened,
                 attached,
                 operation_result,
                 read_result,
                 primary_is,
                 redirected,
                 refused>
        what;
};

// -- The gate of a client -------------------------------------------------------------------------

struct client_send {
    connection_id connection;
    client_request request;
};

/// Executed in this order; `wake` is when tick() is due, at the latest.
struct client_output {
    std::vector<client_send> send;
    std::vector<connection_id> close; ///< connection_ended does not follow
    std::vector<server_id> dial;      ///< answered by dialled or dial_failed
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
    virtual void tick(instant now) = 0;

    /// The load ends: nothing new is begun, what is open goes on until it has ended.
    virtual void finish(instant now) = 0;
    /// Nothing is open any more.
    [[nodiscard]] virtual bool idle() const = 0;

    [[nodiscard]] virtual client_output take_output(instant now) = 0;
};

} // namespace almenara::sim
