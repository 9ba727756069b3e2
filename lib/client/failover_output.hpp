#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "client/errands.hpp"
#include "client/known_cluster.hpp"
#include "client/messages.hpp"
#include "client/recollection.hpp"
#include "client/routes.hpp"
#include "client/ways.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

/// How a client of a cluster is told what it is for, what it tells, and what it wants done.
namespace almenara::client {

struct failover_options {
    std::vector<std::string> servers; ///< where to begin; not empty
    std::string user;
    std::string client_name; ///< program and version, for the servers' logs
    std::string device_name; ///< for people
    std::uint64_t seed = 0;  ///< of pauses and nonces: random, once per client
    /// When none of the servers was ever there, what is asked fails at once instead of waiting for
    /// one.
    bool must_find_somebody = false;
    /// A session is opened at once, not when something is written.
    bool opens_session = false;
    /// By which a new primary may be found, once one has served. The first is looked for by all
    /// that servers say.
    ways follow = all_ways;
    /// What is to be kept for the next run is ordered in failover_output::keep, and what an
    /// earlier one has kept is waited for (failover::remember) before anybody logs in.
    bool keeps_state = false;
    /// C.3: with it each operation is kept until it is answered. Without it only its number is, so
    /// that no other run uses it again.
    bool journal = true;
    /// C.3: where else to look, if none of the servers is there.
    std::optional<known_cluster> hint{};
};

// -- What is told -------------------------------------------------------------------------------

struct ended_errand {
    client::ticket ticket;
    client::answer answer;
};
struct logged_in {
    wire::login_ok who;
};
/// What is asked meanwhile is held.
struct primary_lost {
    std::size_t held = 0;
};
struct reconnected {
    server_id server;
    almenara::epoch epoch;
    duration after{};
    source told_by = source::members;
};
/// C.2: an announcement names another primary for an epoch whose primary is known. It is ignored.
struct contradiction {
    almenara::epoch epoch;
    server_id known;
    server_id announced;
};
/// C.2: this machine gives the client no socket for datagrams. It goes on without; told once.
struct no_beacon {
    std::error_code why;
};
/// Once: it is known which cluster this is. Answered by failover::remember().
struct entered_cluster {
    cluster_id cluster;
};
/// What became of an operation of an earlier run, which nobody was told then.
struct resumed {
    sequence seq;
    base::byte_vector body;
    client::answer answer;
};
/// A server that was named belongs to another cluster, and is not asked.
struct stranger {
    failure why;
};
using news = std::variant<ended_errand,
                          logged_in,
                          primary_lost,
                          reconnected,
                          contradiction,
                          no_beacon,
                          entered_cluster,
                          resumed,
                          stranger>;

/// C.2: what became of announcements that were authentic. For tests and the curious.
struct hint_counts {
    std::uint64_t taken = 0;        ///< the server that they name is asked
    std::uint64_t confirmed = 0;    ///< ... and followed
    std::uint64_t refuted = 0;      ///< ... and it says otherwise, or nothing
    std::uint64_t old = 0;          ///< or known already
    std::uint64_t unknown = 0;      ///< they name nobody that this client knows
    std::uint64_t contradicted = 0; ///< they name another one for an epoch
    std::uint64_t too_many = 0;
};

// -- What is to be done -------------------------------------------------------------------------

struct dial_order {
    link_id link;
    std::vector<std::string> addresses; ///< one by one
    instant by;
};

struct said {
    link_id link;
    to_server message;
};

/// C.2: may be lost, now as ever.
struct datagram_order {
    std::vector<std::string> addresses; ///< of one server: to each of them
    base::byte_vector bytes;
};

/// Executed in this order; `wake` is when take_output() is due, at the latest. A link that is
/// closed, which may be one that is still being dialled, sends what it has and ends in good order;
/// nothing more is told of it.
struct failover_output {
    std::vector<keep_order> keep;
    std::vector<said> send;
    std::vector<link_id> close;
    std::vector<dial_order> dial; ///< answered by connected() or dial_failed()
    std::vector<datagram_order> datagrams;
    std::vector<client::news> news;
    instant wake = instant::max();

    /// Its memory is used again.
    void clear();
    void swap(failover_output& other) noexcept;
};

} // namespace almenara::client
