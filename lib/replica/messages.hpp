#pragma once

#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/config.hpp"
#include "replica/entry.hpp"
#include "replica/ids.hpp"
#include "wire/described.hpp"
#include "wire/message_list.hpp"

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

/// What servers say to each other (B.3). The sender's epoch stands in the frame's header.
namespace almenara::replica {

inline constexpr std::uint16_t link_protocol = 1;

/// Order of candidates, compared left to right: the freshest log first (B.6).
struct rank {
    epoch last_epoch;
    log_index last_index;
    std::uint8_t eligible = 0; ///< 0 must not run, 1 if nobody better does, 2 normal
    std::uint16_t priority = 0;
    server_id id;

    friend std::strong_ordering operator<=>(const rank& a, const rank& b) {
        return std::tie(a.last_epoch, a.last_index, a.eligible, a.priority, a.id) <=>
               std::tie(b.last_epoch, b.last_index, b.eligible, b.priority, b.id);
    }
};
ALMENARA_DESCRIBE(rank, last_epoch, last_index, eligible, priority, id)

[[nodiscard]] inline log_end end_of(const rank& r) {
    return {.epoch = r.last_epoch, .index = r.last_index};
}

/// What lets a successor be appointed although the primary lives (B.10).
struct permit {
    server_id old_primary;
    almenara::epoch epoch;
    log_index last_index;
    probe_number probe;
};
ALMENARA_DESCRIBE(permit, old_primary, epoch, last_index, probe)

enum class connection_kind : std::uint8_t { control, bulk };
ALMENARA_DESCRIBE_ENUM(connection_kind, control, bulk)

/// Bits of greeting::features.
inline constexpr std::uint64_t waits_for_go = 1; ///< B.12: does not begin before GO

enum class role_name : std::uint8_t { boot, learner, backup, prospect, candidate, primary };
ALMENARA_DESCRIBE_ENUM(role_name, boot, learner, backup, prospect, candidate, primary)

/// Who speaks: the fields of HELLO and HELLO_OK.
struct greeting {
    std::uint16_t protocol = link_protocol;
    std::optional<cluster_id> cluster; ///< none yet
    server_id server;
    data_uuid uuid;
    replica::incarnation incarnation;
    connection_kind kind = connection_kind::control;
    link_session session; ///< HELLO_OK: the new one; on bulk: the one it belongs to
    replica::rank rank;
    log_index config_index;
    hash64 members_hash; ///< of the list that the operator gave
    log_index commit;
    role_name role = role_name::boot;
    bool knows_primary = false; ///< B.8: a start may hurry when a majority knows none
    std::uint64_t features = 0;
    /// The cluster options that the operator gave, as `name=value`, in the same order everywhere.
    std::vector<std::string> options;
    /// That the sender has the cluster secret (B.12); all zero from one that was given none.
    base::mac128 proof{};
};
ALMENARA_DESCRIBE(greeting,
                  protocol,
                  cluster,
                  server,
                  uuid,
                  incarnation,
                  kind,
                  session,
                  rank,
                  config_index,
                  members_hash,
                  commit,
                  role,
                  knows_primary,
                  features,
                  options,
                  proof)

struct hello {
    greeting from;
};
ALMENARA_DESCRIBE(hello, from)

struct hello_ok {
    greeting from;
    std::optional<entry> first; ///< entry 1, for a listed member that has none (B.12)
};
ALMENARA_DESCRIBE(hello_ok, from, first)

enum class link_reject_code : std::uint8_t {
    protocol,
    other_cluster,
    other_list,
    unknown_server,
    other_disk, ///< a known id with another data_uuid: its disk was lost
    duplicate_id,
    old_session, ///< a bulk connection of a link session that is gone
    other_secret,
    other_options,
};
ALMENARA_DESCRIBE_ENUM(link_reject_code,
                       protocol,
                       other_cluster,
                       other_list,
                       unknown_server,
                       other_disk,
                       duplicate_id,
                       old_session,
                       other_secret,
                       other_options)

struct link_reject {
    link_reject_code code = link_reject_code::protocol;
    std::string text;
};
ALMENARA_DESCRIBE(link_reject, code, text)

enum class reconnect_reason : std::uint8_t { duplicate, certificate, address };
ALMENARA_DESCRIBE_ENUM(reconnect_reason, duplicate, certificate, address)

/// Before a planned close of a control connection: its end is not CLOSED.
struct reconnect {
    reconnect_reason reason = reconnect_reason::duplicate;
};
ALMENARA_DESCRIBE(reconnect, reason)

struct heartbeat {
    server_id primary;
    log_index commit;
    almenara::epoch commit_epoch;
    probe_number probe;
    std::uint64_t sync_set = 0; ///< bit n: the n-th member of the config
    /// B.8: every data voter has this on its disk; 0 while that of one is unknown. No log is
    /// recycled above it.
    log_index floor;
};
ALMENARA_DESCRIBE(heartbeat, primary, commit, commit_epoch, probe, sync_set, floor)

struct heartbeat_ack {
    probe_number probe;
    log_index match;
    std::uint32_t disk_lag_ms = 0;
    bool sick = false;
    bool draining = false;
    bool no_space = false; ///< E.1
    log_index first;       ///< of its log (B.8); 0: it does not say
};
ALMENARA_DESCRIBE(heartbeat_ack, probe, match, disk_lag_ms, sick, draining, no_space, first)

struct append {
    server_id primary;
    log_point previous;
    log_index commit;
    almenara::epoch commit_epoch;
    probe_number probe;
    bool verified = false; ///< sent again after CORRUPT: the primary's own disk agrees with it
    std::vector<entry> entries;
};
ALMENARA_DESCRIBE(append, primary, previous, commit, commit_epoch, probe, verified, entries)

struct append_ack {
    log_index match; ///< durable
    probe_number probe;
    std::uint32_t disk_lag_ms = 0;
};
ALMENARA_DESCRIBE(append_ack, match, probe, disk_lag_ms)

enum class nack_reason : std::uint8_t { epoch, mismatch, corrupt, need_snapshot, no_space, sick };
ALMENARA_DESCRIBE_ENUM(nack_reason, epoch, mismatch, corrupt, need_snapshot, no_space, sick)

struct append_nack {
    nack_reason reason = nack_reason::epoch;
    log_index previous; ///< of the APPEND that is refused
    log_index hint;     ///< mismatch: first index of my epoch there; corrupt: the entry
    log_index last_index;
    hash64 hash; ///< corrupt: mine
};
ALMENARA_DESCRIBE(append_nack, reason, previous, hint, last_index, hash)

struct link_ping {
    role_name role = role_name::boot;
};
ALMENARA_DESCRIBE(link_ping, role)

enum class election_reason : std::uint8_t { closed, silent, resigned, handover, takeover, boot };
ALMENARA_DESCRIBE_ENUM(election_reason, closed, silent, resigned, handover, takeover, boot)

struct election {
    replica::generation generation;
    replica::rank rank;
    election_reason reason = election_reason::silent;
    server_id suspect; ///< the primary that is missing, 0 if none was known
    almenara::epoch suspect_epoch;
};
ALMENARA_DESCRIBE(election, generation, rank, reason, suspect, suspect_epoch)

enum class answer_kind : std::uint8_t { grant, bully, refuse, abstain_damaged, abstain_relaxed };
ALMENARA_DESCRIBE_ENUM(answer_kind, grant, bully, refuse, abstain_damaged, abstain_relaxed)

struct answer {
    replica::generation generation;
    answer_kind kind = answer_kind::grant;
    replica::rank rank;
    almenara::epoch epoch; ///< of the sender
    std::uint8_t reach = 0;
    server_id known_primary;
    almenara::epoch primary_epoch;
};
ALMENARA_DESCRIBE(answer, generation, kind, rank, epoch, reach, known_primary, primary_epoch)

struct claim {
    replica::rank rank;
    bool handover = false;
    bool unanimous = false; ///< reserved
    std::optional<replica::permit> permit;
};
ALMENARA_DESCRIBE(claim, rank, handover, unanimous, permit)

enum class denial : std::uint8_t { none, alive, epoch, taken, log, abstain };
ALMENARA_DESCRIBE_ENUM(denial, none, alive, epoch, taken, log, abstain)

struct promise {
    almenara::epoch claimed;
    bool granted = false;
    denial reason = denial::none;
    replica::rank rank;
    /// The sender's own wall clock, for log time (B.4). The frame's hybrid stamp is not it: that
    /// one follows whoever runs ahead. Zero from who does not say it.
    wall_time clock;
};
ALMENARA_DESCRIBE(promise, claimed, granted, reason, rank, clock)

struct coordinator {
    server_id primary;
    std::vector<std::string> addresses;
    log_index config_index;
    log_index epoch_start;
};
ALMENARA_DESCRIBE(coordinator, primary, addresses, config_index, epoch_start)

enum class resign_reason : std::uint8_t {
    no_quorum,
    higher_epoch,
    disk,
    sick,
    handover,
    stopping,
    no_space,
    out_of_reach,
};
ALMENARA_DESCRIBE_ENUM(
    resign_reason, no_quorum, higher_epoch, disk, sick, handover, stopping, no_space, out_of_reach)

struct resign {
    resign_reason reason = resign_reason::no_quorum;
    log_index last_index;
};
ALMENARA_DESCRIBE(resign, reason, last_index)

struct handover {
    server_id target;
    replica::permit permit;
};
ALMENARA_DESCRIBE(handover, target, permit)

/// A pull names the prospect's generation, so that a late chunk of an ended one is known (E6).
struct fetch {
    replica::generation generation;
    log_point from;
    std::uint32_t max_bytes = 0;
};
ALMENARA_DESCRIBE(fetch, generation, from, max_bytes)

enum class chunk_reason : std::uint8_t { more, end, hole, compacted, mismatch };
ALMENARA_DESCRIBE_ENUM(chunk_reason, more, end, hole, compacted, mismatch)

struct log_chunk {
    /// What it is for: a pull has a generation, catch-up (on bulk, unasked) a link session.
    std::optional<replica::generation> generation;
    std::optional<link_session> session;
    log_point previous;
    std::vector<entry> entries;
    chunk_reason reason = chunk_reason::more;
    log_index hint; ///< mismatch: try from before here
    replica::rank rank;
};
ALMENARA_DESCRIBE(log_chunk, generation, session, previous, entries, reason, hint, rank)

/// First start of a listed cluster (B.12.3).
struct init {
    std::uint64_t nonce = 0;
    hash64 members_hash;
    entry first; ///< entry 1: CONFIG of exactly that list
};
ALMENARA_DESCRIBE(init, nonce, members_hash, first)

struct init_ack {
    std::uint64_t nonce = 0;
    hash64 first; ///< of the entry 1 that is now on its disk
    bool refused = false;
};
ALMENARA_DESCRIBE(init_ack, nonce, first, refused)

struct init_go {
    std::uint64_t nonce = 0; ///< 0: nobody waits any more, an operator has said GO
};
ALMENARA_DESCRIBE(init_go, nonce)

/// A server that must not run and knows no primary asks; a primary answers by COORDINATOR.
struct link_whois {
    role_name role = role_name::boot;
};
ALMENARA_DESCRIBE(link_whois, role)

/// Numbers 0x01xx. Not given to anything else: 0x0112 RING_TOKEN, 0x0113 RING_NOMINATE, 0x0116
/// SNAP_OFFER, 0x0117 SNAP_CHUNK, 0x0118 SNAP_ACK, 0x0119 PART_WANT, 0x011a PART_DATA, 0x011b
/// PART_ACK, 0x011c DIGEST_REPORT, 0x011d JOIN, 0x011e JOIN_OK, 0x011f JOIN_NO, 0x0120 REMOVED.
///
/// 0x0125 PRESENCE travels on the same links and is none of the log's (wire/presence.hpp).
using link_messages = wire::message_list<wire::listed<hello, 0x0101>,
                                         wire::listed<hello_ok, 0x0102>,
                                         wire::listed<link_reject, 0x0103>,
                                         wire::listed<reconnect, 0x0104>,
                                         wire::listed<heartbeat, 0x0105>,
                                         wire::listed<heartbeat_ack, 0x0106>,
                                         wire::listed<append, 0x0107>,
                                         wire::listed<append_ack, 0x0108>,
                                         wire::listed<append_nack, 0x0109>,
                                         wire::listed<link_ping, 0x010a>,
                                         wire::listed<election, 0x010b>,
                                         wire::listed<answer, 0x010c>,
                                         wire::listed<claim, 0x010d>,
                                         wire::listed<promise, 0x010e>,
                                         wire::listed<coordinator, 0x010f>,
                                         wire::listed<resign, 0x0110>,
                                         wire::listed<handover, 0x0111>,
                                         wire::listed<fetch, 0x0114>,
                                         wire::listed<log_chunk, 0x0115>,
                                         wire::listed<init, 0x0121>,
                                         wire::listed<init_ack, 0x0122>,
                                         wire::listed<init_go, 0x0123>,
                                         wire::listed<link_whois, 0x0124>>;

/// Any of them. An alternative's place here means nothing; numbers stand above.
using message = std::variant<hello,
                             hello_ok,
                             link_reject,
                             reconnect,
                             heartbeat,
                             heartbeat_ack,
                             append,
                             append_ack,
                             append_nack,
                             link_ping,
                             election,
                             answer,
                             claim,
                             promise,
                             coordinator,
                             resign,
                             handover,
                             fetch,
                             log_chunk,
                             init,
                             init_ack,
                             init_go,
                             link_whois>;

/// The same APPEND goes to every backup that is up to date: it is built and encoded once.
using message_ptr = std::shared_ptr<const message>;

} // namespace almenara::replica
