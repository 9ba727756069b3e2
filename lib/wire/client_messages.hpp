#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "wire/codes.hpp"
#include "wire/described.hpp"
#include "wire/members.hpp"
#include "wire/message_list.hpp"
#include "wire/session_messages.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What a client and a server say to each other (C.0). Every request begins with a number, which
/// the reply echoes.
namespace almenara::wire {

/// Version of the conversation. It is raised only when an old peer could misunderstand a new one;
/// appended fields do not need it.
inline constexpr std::uint16_t protocol_version = 1;

/// How well a server keeps up, as `status` shows it.
enum class server_state : std::uint8_t {
    in_sync,
    lagging,
    catching_up,
    draining,
    sick,
    no_space,
    down,
};
ALMENARA_DESCRIBE_ENUM(server_state, in_sync, lagging, catching_up, draining, sick, no_space, down)

/// The first thing a client says.
struct c_hello {
    request_id request;
    std::uint16_t protocol = protocol_version;
    std::string client_name; ///< program and version, for logs
    epoch epoch_seen;
    log_index config_seen;
};
ALMENARA_DESCRIBE(c_hello, request, protocol, client_name, epoch_seen, config_seen)

/// The client is in.
struct welcome {
    request_id request;
    std::uint16_t protocol = protocol_version;
    std::string server_version;
    std::optional<cluster_id> cluster;
    server_id server;
    server_role role = server_role::boot;
    almenara::epoch epoch;
    std::optional<member_address> primary;
    std::vector<member_address> members;
    log_index config_index;
};
ALMENARA_DESCRIBE(welcome,
                  request,
                  protocol,
                  server_version,
                  cluster,
                  server,
                  role,
                  epoch,
                  primary,
                  members,
                  config_index)

enum class reject_code : std::uint8_t {
    full,     ///< no room for another client now
    protocol, ///< the two sides do not speak the same version
    denied,   ///< not from there
    stopping, ///< the server is going down
};
ALMENARA_DESCRIBE_ENUM(reject_code, full, protocol, denied, stopping)

/// Refused at the door; the connection is closed behind it (S28).
struct reject {
    request_id request;
    reject_code code = reject_code::full;
    std::chrono::milliseconds retry_after{0}; ///< zero: trying again will not help
    std::string text;                         ///< for people: what to do next
};
ALMENARA_DESCRIBE(reject, request, code, retry_after, text)

/// Either side asks whether the other is there.
struct ping {
    request_id request;
};
ALMENARA_DESCRIBE(ping, request)

struct pong {
    request_id request;
    server_id server;
    server_role role = server_role::boot;
    almenara::epoch epoch;
    log_index index;
};
ALMENARA_DESCRIBE(pong, request, server, role, epoch, index)

enum class bye_reason : std::uint8_t {
    done,        ///< a client has nothing more to say
    stopping,    ///< the server is going down in good order
    silent,      ///< nothing was heard for too long
    too_slow,    ///< what was sent did not come through in time
    broke_rules, ///< the bytes made no sense
};
ALMENARA_DESCRIBE_ENUM(bye_reason, done, stopping, silent, too_slow, broke_rules)

/// The last thing either side says.
struct bye {
    bye_reason reason = bye_reason::done;
    std::chrono::milliseconds retry_after{0};
    std::string text;
};
ALMENARA_DESCRIBE(bye, reason, retry_after, text)

/// Refuses a request that has no reply of its own for it.
struct error_reply {
    request_id request;
    result_code code = result_code::invalid;
    std::string text;
    std::chrono::milliseconds retry_after{0};
    almenara::epoch epoch; ///< 0: it has nothing to do with one
};
ALMENARA_DESCRIBE(error_reply, request, code, text, retry_after, epoch)

/// "How are you all?", answered by any server to loopback, admin.sock or a logged-in client.
struct status_request {
    request_id request;
};
ALMENARA_DESCRIBE(status_request, request)

/// One server as another one sees it. What it cannot know is absent.
struct server_status {
    server_id id;
    std::string address;
    std::optional<server_role> role;
    std::optional<server_state> state;
    std::optional<log_index> match;
    std::optional<std::uint64_t> lag;
    std::optional<std::uint16_t> priority;
    std::optional<std::string> version;
    std::optional<wall_time> last_heard;
};
ALMENARA_DESCRIBE(
    server_status, id, address, role, state, match, lag, priority, version, last_heard)

/// The members' names are the keys of `almenara status --json`.
struct status_reply {
    request_id request;
    std::optional<cluster_id> cluster;
    almenara::epoch epoch;
    std::optional<server_id> primary;
    std::optional<bool> quorum;
    std::optional<log_index> config_index;
    std::optional<log_index> commit;
    std::optional<std::uint32_t> tolerates; ///< how many more servers may die
    std::vector<server_status> servers;
    server_id answered_by;
    std::uint64_t clients = 0;     ///< connected here now
    std::uint64_t max_clients = 0; ///< room here now
};
ALMENARA_DESCRIBE(status_reply,
                  request,
                  cluster,
                  epoch,
                  primary,
                  quorum,
                  config_index,
                  commit,
                  tolerates,
                  servers,
                  answered_by,
                  clients,
                  max_clients)

using client_messages = message_list<listed<c_hello, 0x0201>,
                                     listed<welcome, 0x0202>,
                                     listed<reject, 0x0203>,
                                     listed<ping, 0x0204>,
                                     listed<pong, 0x0205>,
                                     listed<bye, 0x0206>,
                                     listed<error_reply, 0x0207>,
                                     listed<status_request, 0x0208>,
                                     listed<status_reply, 0x0209>,
                                     listed<session_close, 0x020a>,
                                     listed<session_closed, 0x020b>,
                                     listed<login, 0x020c>,
                                     listed<login_ok, 0x020d>,
                                     listed<attach, 0x020e>,
                                     listed<attached, 0x020f>,
                                     listed<operation, 0x0210>,
                                     listed<operation_result, 0x0211>,
                                     listed<read, 0x0212>,
                                     listed<read_result, 0x0213>,
                                     listed<whois, 0x0214>,
                                     listed<primary_is, 0x0215>,
                                     listed<redirect, 0x0216>,
                                     listed<members, 0x0217>,
                                     listed<admin, 0x0218>,
                                     listed<admin_result, 0x0219>>;

} // namespace almenara::wire
