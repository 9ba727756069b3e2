#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "state/attachments.hpp"
#include "state/entry_check.hpp"
#include "state/ids.hpp"
#include "state/key_space.hpp"
#include "state/known_sessions.hpp"
#include "state/limits.hpp"
#include "state/log_record.hpp"
#include "state/outcome.hpp"
#include "state/overlay.hpp"
#include "state/requests.hpp"
#include "state/sweeper.hpp"
#include "state/update.hpp"
#include "state/waiters.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace almenara::state {

/// The way of one write (architecture 5) without the log in the middle: what a primary answers at
/// once, what it executes, who waits for what, and what everybody applies. One per server.
class desk {
  public:
    /// Both outlive the desk.
    desk(key_space& base, const service& services, const limits& bounds = {});

    // -- What the replication core says (B.15) --

    /// `tail`: the own log behind log_beyond_base().last(). Entries before `first_uncommitted` are
    /// committed, even if committed() has not come for them yet: that waits for the own disk.
    /// An entry that nobody could apply is named, and then the desk is not in office and took
    /// nothing: who rules over such a tail gives the office up (B.8, state_damaged).
    [[nodiscard]] std::optional<unusable_entry> entered_office(log_index first_uncommitted,
                                                               std::span<const log_record> tail);
    /// A long tail may come in parts: all but the last of them here, before that. What was taken
    /// so stays pending until the office is entered or left.
    [[nodiscard]] std::optional<unusable_entry> entering_office(std::span<const log_record> part);

    /// Nobody knows what becomes of what was pending. Who waited is told RETRY_ELSEWHERE.
    [[nodiscard]] std::vector<delivery> left_office();

    /// In order, on every server: the entry is committed. A primary has its own already. One that
    /// cannot be applied is named, and neither it nor anything behind it is applied ever: the
    /// state is damaged (B.8).
    [[nodiscard]] std::optional<unusable_entry> committed(const log_record& entry);

    /// The same for a primary that knows the commit index before its own disk has the entries:
    /// before a read is answered. What it does not hold is ignored.
    void committed_upto(log_index index);

    /// Committed entries up to here, durable in the own log, go into base.
    void apply_to_base(log_index upto);

    /// The same for a base that answers later: what it is to be given, and that it has it. See
    /// overlay.
    [[nodiscard]] std::optional<base_batch> take_for_base(log_index upto);
    void base_holds(log_index upto, std::size_t forgets = overlay::all_entries);
    void forget_applied(std::size_t most);

    /// Confirmed by this term of office (B.5.6): these results leave.
    [[nodiscard]] std::vector<delivery> confirmed(log_index last);

    // -- What clients say to a primary --

    // `supplied`: what was fetched since the same request was answered with needs_inputs. The
    // overloads without it are for a base that has everything in memory.

    [[nodiscard]] decision open_session(const turn& now,
                                        connection_id connection,
                                        const open_request& what,
                                        const inputs& supplied = {});

    [[nodiscard]] std::variant<attached, probe_first, needs_inputs> attach(connection_id connection,
                                                                           session_id session,
                                                                           const inputs& supplied);
    [[nodiscard]] std::variant<attached, probe_first> attach(connection_id connection,
                                                             session_id session);

    /// For a client that leaves for good: its session ends with everything that it has. Not while
    /// operations of it are unanswered: BUSY. One that is gone: after the probe, why_not() says
    /// SESSION_EXPIRED, and that is what was wished.
    [[nodiscard]] decision close_session(const turn& now,
                                         connection_id connection,
                                         const close_request& what,
                                         const inputs& supplied = {});

    [[nodiscard]] decision operation(const turn& now,
                                     connection_id connection,
                                     const operation_request& what,
                                     const inputs& supplied = {});

    /// After the probe round that `probe_first` asked for. `seq`: none for an ATTACH.
    [[nodiscard]] std::variant<state::reply, needs_inputs> why_not(session_id session,
                                                                   std::optional<sequence> seq,
                                                                   const inputs& supplied) const;
    [[nodiscard]] state::reply why_not(session_id session, std::optional<sequence> seq) const;

    /// A question, after its probe round (B.9); anywhere for a stale one.
    [[nodiscard]] std::variant<answer, needs_inputs> read(base::byte_view body,
                                                          const inputs& supplied) const;
    [[nodiscard]] answer read(base::byte_view body) const;

    void connection_closed(connection_id connection);

    /// To be called now and then: touches sessions in use, and expires others (C.1).
    [[nodiscard]] std::variant<nothing_due, proposed, needs_inputs> sweep(const turn& now,
                                                                          const inputs& supplied);
    [[nodiscard]] std::optional<proposed> sweep(const turn& now);

    [[nodiscard]] const overlay& log_beyond_base() const { return overlay_; }
    [[nodiscard]] bool in_office() const { return in_office_; }
    [[nodiscard]] std::size_t waiting() const { return waiters_.size(); }

  private:
    /// The state as one request sees it, and what it missed there.
    class look;

    [[nodiscard]] decision execute(const turn& now,
                                   connection_id connection,
                                   const operation_request& what,
                                   known_session& session,
                                   const look& seen);
    void detach(connection_id connection);
    /// B.5.2: a repeat.
    [[nodiscard]] decision repeated(const turn& now,
                                    log_index index,
                                    const waiters::asker& who,
                                    waiters::result again);
    /// The service's word on it, in a form that can be kept.
    [[nodiscard]] outcome outcome_of(const context& about,
                                     const look& seen,
                                     transaction& rows,
                                     base::byte_view body) const;
    [[nodiscard]] needs_inputs asks_for(const needs& wanted) const;
    [[nodiscard]] bool is_over_limits(const operation_request& what) const;
    /// Whether there is no room for another entry and so many bytes.
    [[nodiscard]] bool is_full(std::size_t bytes) const;
    [[nodiscard]] base::byte_vector push_own(log_index index,
                                             transaction& rows,
                                             const state::reply& reply);
    /// None of it is own work, so all of it is looked at before anything is touched.
    [[nodiscard]] boost::system::result<std::vector<change>, defect> changes_of(
        const log_record& entry) const;

    limits limits_;
    const service& services_;
    overlay overlay_;
    attachments attachments_;
    known_sessions known_; ///< as the whole view has them
    waiters waiters_;
    sweeper sweeper_{limits_};
    std::map<session_id, log_index> closing_; ///< by entries that are not confirmed yet
    bool in_office_ = false;
    std::optional<unusable_entry> stopped_; ///< nothing is applied from here on
};

} // namespace almenara::state
