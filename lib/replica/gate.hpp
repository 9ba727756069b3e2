#pragma once

#include "base/hash.hpp"
#include "base/hlc.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/config.hpp"
#include "replica/entry.hpp"
#include "replica/ids.hpp"
#include "replica/messages.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// B.15: what goes into the core and what comes out of it. There is no other way in or out.
namespace almenara::replica {

/// Both clocks, as the driver read them once per turn. Only log time looks at the wall.
struct moment {
    instant monotonic;
    wall_time wall;
};

// -- What is on the disk --------------------------------------------------------------------------

/// Who was promised an epoch: a later process of the same server is somebody else (B.6).
struct promised {
    server_id id;
    replica::incarnation incarnation;
};
ALMENARA_DESCRIBE(promised, id, incarnation)

/// B.8: entries from `from` on were acked once and cannot all be read. `end` is the log's true end;
/// none while it is UNKNOWN, and then this server abstains.
struct damage {
    log_index from;
    std::optional<log_end> end;
    /// Found while running, and what cannot be trusted still stands in the log: it parses, so the
    /// next start must cut it. Never entries that came by repair.
    bool uncut = false;
};
ALMENARA_DESCRIBE(damage, from, end, uncut)

/// What must never be forgotten beside the log (B.1). The driver adds what only storage knows.
struct persistent {
    almenara::epoch epoch;
    std::optional<promised> promised_to;
    std::optional<damage> damaged;
    std::optional<cluster_id> cluster; ///< written once, before entry 1
};
ALMENARA_DESCRIBE(persistent, epoch, promised_to, damaged, cluster)

/// What storage found, and what this process is. `meta` was rewritten and synced before (B.1).
struct start_state {
    server_id self;
    data_uuid uuid;
    replica::incarnation incarnation; ///< random, new
    std::uint64_t seed = 0;           ///< random: jitter
    std::vector<std::string> addresses;
    std::uint16_t priority = 0;
    std::vector<server_id> listed; ///< `--peers`, this server included; for the first start
    replica::confirm_policy confirm = confirm_policy::sync_set; ///< for the first start
    /// All cluster options as `name=value`: a difference is refused and named; for the first start.
    std::vector<std::string> options;
    std::optional<base::key256> secret; ///< of the cluster; links prove that they have it
    bool waits_for_go = false;          ///< B.12: for the first start

    persistent meta;
    /// What the scan of this start found damaged; joined to what `meta` remembers.
    std::optional<damage> found_damaged;
    bool unclean_boot = false; ///< B.1: eligible 1 until first caught up

    /// The log begins behind this point; {0,0,0} while nothing was ever compacted.
    log_point base;
    /// Log time there, for a log that has no entry behind it.
    wall_time time_at_base;
    /// All usable entries behind `base` in order; those below `applied` need only their position,
    /// so `recent` may begin later than `positions`, but holds the last one.
    std::vector<log_point> positions;
    std::vector<entry_ptr> recent;
    /// The CONFIG entries among all of those, also the ones that are not in `recent`.
    std::vector<entry_ptr> configs;
    /// How far the state already is.
    log_index applied;
};

// -- Events ---------------------------------------------------------------------------------------

/// Timers are judged here and nowhere else, after everything readable was stepped (D.3). `gap` is
/// how long the loop did not run.
struct tick {
    duration gap{0};
};

/// A whole frame with a good checksum, decoded. `epoch` is its header's.
struct frame_received {
    connection_id connection;
    almenara::epoch epoch;
    replica::message message;
    hlc_stamp hlc{}; ///< its header's: of a PROMISE, for the log time of a new primary (B.4)
};

/// A connection between two servers exists. Of an accepted one nobody knows yet who it is: its
/// HELLO says so.
struct connection_opened {
    connection_id connection;
    connection_kind kind = connection_kind::control; ///< meaningful when dialled
    std::optional<server_id> dialled;                ///< to whom; none: accepted
};

/// FIN, RST or an error: nothing more will come from it. Not sent for what `output::close` named.
struct connection_closed {
    connection_id connection;
};

struct dial_failed {
    server_id peer;
    connection_kind kind = connection_kind::control;
};

struct log_synced {
    batch_number batch; ///< it and everything before it
    bool ok = true;
};

struct meta_synced {
    meta_number number;
    bool ok = true;
};

/// The state holds everything up to here.
struct applied {
    log_index index;
};

/// B.8: the disk has let go of the log up to here, which was below the floor and in the state.
struct recycled {
    log_index upto;
};

/// E.1: how much room the disk of this server has.
struct disk_report {
    std::uint64_t free_space = 0;
};

enum class read_purpose : std::uint8_t { catch_up, fetch, corrupt };
ALMENARA_DESCRIBE_ENUM(read_purpose, catch_up, fetch, corrupt)

/// Answers a log_request; the entries begin where it asked and are at least one, unless it is a
/// hole: something that should be there cannot be read.
struct log_read {
    std::uint64_t request = 0;
    std::vector<entry_ptr> entries;
    bool hole = false;
};

/// An update to be replicated. Only after core::next_slot() gave its index and time, with no step
/// between the two.
struct proposal {
    entry_type type = entry_type::update;
    std::array<std::byte, 16> session{};
    std::uint64_t seq = 0;
    std::uint64_t first_unacked = 0;
    base::byte_vector payload;
};

/// Something must be answered from the committed state, or a client claims to have seen a higher
/// epoch: a probe round (B.9, B.5.1).
struct read_request {
    read_ticket ticket;
    /// What a client says it has seen. Higher than the own epoch, it may know more, or lie: the
    /// probe round tells, and nobody is deposed on a client's word (B.5.1).
    almenara::epoch epoch_seen{};
};

/// An operator wishes another primary (B.10); none: whoever is best.
struct transfer {
    std::optional<server_id> target;
};

/// What was applied does not agree with what a majority applied, or cannot be read.
struct state_damaged {};

/// An operator says that a list which waits may begin (B.12). Without a wait nothing changes.
struct go {};

/// SIGTERM: hand over, then end.
struct terminate {};

using event = std::variant<tick,
                           frame_received,
                           connection_opened,
                           connection_closed,
                           dial_failed,
                           log_synced,
                           meta_synced,
                           applied,
                           recycled,
                           disk_report,
                           log_read,
                           proposal,
                           read_request,
                           transfer,
                           state_damaged,
                           go,
                           terminate>;

// -- Output ---------------------------------------------------------------------------------------

/// Replaces what `meta` said; answered by meta_synced. The next one comes only after that.
struct meta_record {
    meta_number number;
    persistent fields;
};

/// One job of the disk thread, answered by log_synced. First the log is cut so that `previous` is
/// its last entry, if `truncates`; then the entries follow.
struct log_write {
    batch_number batch;
    bool truncates = false;
    log_point previous;
    std::vector<entry_ptr> entries;
};

struct outgoing {
    server_id peer; ///< 0 while its HELLO is not here
    connection_id connection;
    almenara::epoch epoch; ///< for the frame's header
    message_ptr message;
};

struct dial_request {
    server_id peer;
    connection_kind kind = connection_kind::control;
};

struct log_request {
    std::uint64_t request = 0;
    read_purpose purpose = read_purpose::catch_up;
    log_index from;
    log_index to; ///< not beyond this one
    std::size_t max_bytes = 0;
};

/// B.5.6: the results of these entries may leave.
struct confirmation {
    log_index first;
    log_index last;
    std::uint8_t durable_on = 0; ///< so many voters have `last`
    std::uint8_t voters = 0;
};
ALMENARA_DESCRIBE(confirmation, first, last, durable_on, voters)

/// Operations may be executed: entries from `first_uncommitted` on are replayed into the overlay
/// before the first one. It is the first that was not given to `apply`; some may be committed.
struct entered_office {
    almenara::epoch epoch;
    log_index first_uncommitted;
};

/// The overlay's pending part is gone, whoever waits is told RETRY_ELSEWHERE: nobody knows whether
/// it happened.
struct left_office {
    resign_reason reason = resign_reason::no_quorum;
    std::optional<server_id> successor;
};
using office_event = std::variant<entered_office, left_office>;

/// Who is primary, for clients and standby sessions.
struct announcement {
    almenara::epoch epoch;
    server_id primary;
    std::vector<std::string> addresses;
};

/// What an operator reads in the journal; the simulator counts by kind.
enum class note_kind : std::uint8_t {
    role,
    link_up,
    link_down,
    link_rejected,
    suspicion,
    round,
    promise_given,
    promise_denied,
    pull_started,
    pull_ended,
    office_taken,
    office_left,
    truncated,
    damaged,
    repaired,
    sync_set,
    catch_up,
    out_of_reach,
    handover,
    bootstrap,
    foreign_message,
    space,
};
ALMENARA_DESCRIBE_ENUM(note_kind,
                       role,
                       link_up,
                       link_down,
                       link_rejected,
                       suspicion,
                       round,
                       promise_given,
                       promise_denied,
                       pull_started,
                       pull_ended,
                       office_taken,
                       office_left,
                       truncated,
                       damaged,
                       repaired,
                       sync_set,
                       catch_up,
                       out_of_reach,
                       handover,
                       bootstrap,
                       foreign_message,
                       space)
struct note {
    note_kind kind = note_kind::role;
    std::string text;
};

enum class ending : std::uint8_t {
    stopped,       ///< after terminate: all is handed over
    disk_failed,   ///< B.5.4, E.1: a sync failed; nothing may be retried
    safety_broken, ///< a committed entry would have to go: dump and abort
};
ALMENARA_DESCRIBE_ENUM(ending, stopped, disk_failed, safety_broken)

struct fatal {
    ending how = ending::stopped;
    std::string text;
};

/// The driver executes the fields in this order. Crashing between any two is safe.
struct output {
    std::optional<meta_record> meta;
    std::vector<log_write> log;
    std::vector<outgoing> send; ///< what waits for a sync is not in here yet
    std::vector<log_request> read_log;
    std::vector<entry_ptr> apply; ///< newly committed and on the own disk, in order
    std::vector<confirmation> confirmed;
    std::vector<read_ticket> readable;
    std::vector<read_ticket> refused_reads; ///< too many wait already: BUSY
    /// Here it stands behind what the old office still confirmed. A term that began and ended in
    /// one turn gives two.
    std::vector<office_event> office;
    std::optional<announcement> announce;
    std::vector<dial_request> dial;
    std::vector<connection_id> close; ///< after what `send` has for them
    std::vector<note> notes;
    std::optional<instant> wake; ///< the next deadline: a tick is due then
    std::optional<fatal> die;
};

} // namespace almenara::replica
