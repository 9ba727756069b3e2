#pragma once

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/session_ids.hpp"
#include "wire/codes.hpp"
#include "wire/described.hpp"
#include "wire/members.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Who a client is, what it wants done and asks, and where it is sent (C.0, C.1, C.3). Every
/// request begins with a number, which the reply echoes. What is refused without a reply of its
/// own is answered by error_reply.
namespace almenara::wire {

// -- Sessions -------------------------------------------------------------------------------------

/// Says who speaks on this connection; with a nonce a session is opened in the same round trip. The
/// same nonce gives the same session, at whichever primary it arrives again.
struct login {
    request_id request;
    std::string user;
    std::string device_name; ///< for people
    std::optional<open_nonce> nonce;
    std::optional<device_nonce> device; ///< without one the device is made of the other nonce
};
ALMENARA_DESCRIBE(login, request, user, device_name, nonce, device)

/// With it a client can be told by datagram who rules, and tell a forgery from the truth (C.2).
struct beacon_pass {
    device_tag tag;
    base::key256 key;
};
ALMENARA_DESCRIBE(beacon_pass, tag, key)

struct login_ok {
    request_id request;
    std::string user;
    bool administrator = false;
    std::optional<device_id> device;
    std::optional<session_id> session;
    std::uint32_t window = 0; ///< results that are kept for the session
    almenara::epoch epoch;
    std::optional<beacon_pass> beacon; ///< absent: no server has a key to make it from
};
ALMENARA_DESCRIBE(login_ok, request, user, administrator, device, session, window, epoch, beacon)

enum class attach_mode : std::uint8_t {
    service, ///< operations of the session come over this connection from now on
    standby, ///< waits here for the day when this server is primary
};
ALMENARA_DESCRIBE_ENUM(attach_mode, service, standby)

struct attach {
    request_id request;
    attach_mode mode = attach_mode::service;
    session_id session;
    sequence next; ///< that the client will use
    sequence first_unacked;
    log_index last_seen;
    almenara::epoch epoch_seen;
};
ALMENARA_DESCRIBE(attach, request, mode, session, next, first_unacked, last_seen, epoch_seen)

struct attached {
    request_id request;
    sequence last_known; ///< the highest with a result that is committed
    almenara::epoch epoch;
};
ALMENARA_DESCRIBE(attached, request, last_known, epoch)

/// A client leaves for good: its session ends, with the results that wait in it (C.1). It can be
/// asked again anywhere.
struct session_close {
    request_id request;
    session_id session;
};
ALMENARA_DESCRIBE(session_close, request, session)

/// The session is no more.
struct session_closed {
    request_id request;
    session_id session;
    almenara::epoch epoch;
    log_index index; ///< of the entry that ended it; 0: it had ended before
};
ALMENARA_DESCRIBE(session_closed, request, session, epoch, index)

// -- Work -----------------------------------------------------------------------------------------

/// `body` is a message of a service with its number in front (services/body.hpp).
struct operation {
    request_id request;
    session_id session;
    sequence seq;
    sequence first_unacked;
    almenara::epoch epoch_seen;
    log_index last_seen;
    std::chrono::milliseconds deadline{0}; ///< how long the client waits; 0: it does not say
    base::byte_vector body;
};
ALMENARA_DESCRIBE(
    operation, request, session, seq, first_unacked, epoch_seen, last_seen, deadline, body)

/// What became of it. With an index it is confirmed, refusals included; without one nothing was
/// recorded (B.5.2), and retry_elsewhere does not mean that it did not happen.
struct operation_result {
    request_id request;
    sequence seq;
    result_code code = result_code::ok;
    log_index index;
    almenara::epoch epoch;
    std::uint8_t durable_on = 0;
    std::uint8_t voters = 0;
    base::byte_vector body;
};
ALMENARA_DESCRIBE(operation_result, request, seq, code, index, epoch, durable_on, voters, body)

enum class read_mode : std::uint8_t {
    quorum, ///< B.9: nothing older than the question
    lease,  ///< the same by a lease, where the cluster allows one
    stale,  ///< what this server has
};
ALMENARA_DESCRIBE_ENUM(read_mode, quorum, lease, stale)

struct read {
    request_id request;
    read_mode mode = read_mode::quorum;
    almenara::epoch epoch_seen;
    log_index last_seen;
    base::byte_vector body;
};
ALMENARA_DESCRIBE(read, request, mode, epoch_seen, last_seen, body)

struct read_result {
    request_id request;
    result_code code = result_code::ok;
    log_index index; ///< the state that answered held everything up to here
    almenara::epoch epoch;
    std::optional<std::chrono::milliseconds> age; ///< stale: since a primary was last heard
    base::byte_vector body;
};
ALMENARA_DESCRIBE(read_result, request, code, index, epoch, age, body)

// -- Who is primary -------------------------------------------------------------------------------

/// Held until a primary is known, for `wait` at most (<= 1 s).
struct whois {
    request_id request;
    std::chrono::milliseconds wait{1000};
};
ALMENARA_DESCRIBE(whois, request, wait)

/// Without a primary while one is being elected.
struct primary_is {
    request_id request;
    almenara::epoch epoch;
    std::optional<member_address> primary;
};
ALMENARA_DESCRIBE(primary_is, request, epoch, primary)

/// Only a primary does that; nobody else passes it on.
struct redirect {
    request_id request;
    almenara::epoch epoch;
    std::optional<member_address> primary;
    std::chrono::milliseconds retry_after{0};
};
ALMENARA_DESCRIBE(redirect, request, epoch, primary, retry_after)

/// Pushed to every connected client at each change, also without a quorum (S22).
struct members {
    log_index config_index;
    almenara::epoch epoch;
    std::vector<member_state> servers;
};
ALMENARA_DESCRIBE(members, config_index, epoch, servers)

// -- Administration -------------------------------------------------------------------------------

enum class admin_verb : std::uint8_t {
    transfer, ///< hand the office over, to `target` or whoever is best; by the primary
    go,       ///< begin with the servers that are listed (B.12)
};
ALMENARA_DESCRIBE_ENUM(admin_verb, transfer, go)

/// For administrators only; not logged.
struct admin {
    request_id request;
    admin_verb verb = admin_verb::transfer;
    std::optional<server_id> target;
};
ALMENARA_DESCRIBE(admin, request, verb, target)

struct admin_result {
    request_id request;
    std::string text; ///< for people
};
ALMENARA_DESCRIBE(admin_result, request, text)

} // namespace almenara::wire
