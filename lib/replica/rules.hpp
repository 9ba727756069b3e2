#pragma once

#include "base/rules.hpp"
#include "wire/described.hpp"

#include <cstdint>

namespace almenara::replica {

/// What can be switched off, see base/rules.hpp.
enum class rule : std::uint8_t {
    promise_synced,             ///< B.6: PROMISE only after its sync
    promise_repeat_synced,      ///< B.6: a repeated CLAIM is answered only after that sync too
    own_sync_before_office,     ///< B.6: own promise durable before office
    answer_log_test,            ///< B.6: ANSWER applies the log test
    promise_log_test,           ///< B.6: PROMISE applies the log test
    commit_own_epoch,           ///< B.5.5: older epochs commit only through an entry of one's own
    ack_after_sync,             ///< B.5: APPEND_ACK after fdatasync
    link_session_isolation,     ///< B.2: acks of an older link session are dropped
    epoch_start,                ///< B.4: the first entry of each epoch
    no_truncation_below_commit, ///< B.5.2
    pull_generation,            ///< E6: a chunk must name the running pull
    bulk_epoch,                 ///< E0 for bulk frames
    damaged_record,             ///< B.8: `damaged` is persisted
    damaged_until_caught_up,    ///< B.8: cleared only by a commit index of the primary's own epoch
    defer_limit,                ///< B.6: defer to the same server at most twice in a row
    able_to_run,                ///< B.6: defer only to who is able to run
    promise_wait_doubles,       ///< B.6, slow `meta`
    late_promise_counts,        ///< B.6
    refuse_taken_back,          ///< B.6: FIN seen late
    primary_frames_only,        ///< B.6: only frames of a primary prove one
    reconnect_announced,        ///< B.2: RECONNECT before a planned close
    permit_before_persist,      ///< B.6: the permit is tested before anything is persisted
    permit_current,             ///< B.10: only the outstanding permit, only at the same log end
    corrupt_never_truncates,    ///< B.5: equal epoch, other hash is not a conflict
    corrupt_blames_primary,     ///< B.5: a majority that names another hash convicts the primary
    sync_set_lag,               ///< B.5: in the set by what commit was sync_lag before
    sync_set_full_at_start,     ///< B.5: a new primary starts with all open links in the set
    confirmed_is_not_committed, ///< B.5.6
    client_epoch_probe,         ///< B.5.1: a client's word deposes nobody
    commit_verified_match,      ///< B.5.4 of backups: commit <= verified match
    init_deterministic,         ///< B.12.3: a member with entry 1 answers INIT again
    eligible_one_runs,          ///< B.1: eligible 1 is not 0
    read_probed,                ///< B.9: no answer without a probe round
    own_match_after_sync,       ///< B.5.4: the own match advances when the own sync returned
    unknown_end_abstains,       ///< B.8: no promise with a log whose true end is unknown
    other_disk_refused,         ///< B.2: a known id with another data UUID is refused
    primary_may_ask,            ///< B.6: a primary that asks is none any more
    floor_of_all,               ///< B.8: what one voter lacks is kept by all
};
ALMENARA_DESCRIBE_ENUM(rule,
                       promise_synced,
                       promise_repeat_synced,
                       own_sync_before_office,
                       answer_log_test,
                       promise_log_test,
                       commit_own_epoch,
                       ack_after_sync,
                       link_session_isolation,
                       epoch_start,
                       no_truncation_below_commit,
                       pull_generation,
                       bulk_epoch,
                       damaged_record,
                       damaged_until_caught_up,
                       defer_limit,
                       able_to_run,
                       promise_wait_doubles,
                       late_promise_counts,
                       refuse_taken_back,
                       primary_frames_only,
                       reconnect_announced,
                       permit_before_persist,
                       permit_current,
                       corrupt_never_truncates,
                       corrupt_blames_primary,
                       sync_set_lag,
                       sync_set_full_at_start,
                       confirmed_is_not_committed,
                       client_epoch_probe,
                       commit_verified_match,
                       init_deterministic,
                       eligible_one_runs,
                       read_probed,
                       own_match_after_sync,
                       unknown_end_abstains,
                       other_disk_refused,
                       primary_may_ask,
                       floor_of_all)

using base::holds;

} // namespace almenara::replica
