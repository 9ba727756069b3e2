#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "client/errands.hpp"
#include "client/messages.hpp"
#include "client/routes.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
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
};

/// By which of its ways a client found its primary (C.3).
enum class source : std::uint8_t {
    members, ///< a server said so at the door, or at a change
    redirect,
    whois,
};
[[nodiscard]] std::string_view to_string(source told_by);

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
using news = std::variant<ended_errand, logged_in, primary_lost, reconnected>;

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

/// Executed in this order; `wake` is when take_output() is due, at the latest. A link that is
/// closed, which may be one that is still being dialled, sends what it has and ends in good order;
/// nothing more is told of it.
struct failover_output {
    std::vector<said> send;
    std::vector<link_id> close;
    std::vector<dial_order> dial; ///< answered by connected() or dial_failed()
    std::vector<client::news> news;
    instant wake = instant::max();

    /// Its memory is used again.
    void clear();
    void swap(failover_output& other) noexcept;
};

} // namespace almenara::client
