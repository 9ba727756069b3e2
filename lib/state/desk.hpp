#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "state/attachments.hpp"
#include "state/ids.hpp"
#include "state/key_space.hpp"
#include "state/limits.hpp"
#include "state/outcome.hpp"
#include "state/overlay.hpp"
#include "state/sweeper.hpp"
#include "state/update.hpp"
#include "state/waiters.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace almenara::state {

/// Where the next entry goes, and its log time.
struct slot {
    log_index index;
    wall_time time;
};

/// What a primary's driver knows when a request arrives.
struct turn {
    slot next;
    log_index confirmed_upto; ///< by this term of office (B.5.2)
    random_bytes random{};    ///< new for each call
};

/// What the state must know of an entry's type.
enum class payload_kind : std::uint8_t {
    update, ///< a state::update, whatever its label
    config, ///< kept with the applied row (B.4)
    other,  ///< nothing for the state; it only takes an index
};

/// An entry of the replicated log, as the state sees it.
struct log_record {
    log_index index;
    almenara::epoch epoch;
    std::uint64_t hash = 0;
    payload_kind kind = payload_kind::update;
    base::byte_view payload;
};

/// Label of an update's entry (B.4). It means nothing to who applies it.
enum class update_label : std::uint8_t { update, session_open, session_close, expire };

// -- What a client asks ---------------------------------------------------------------------------

struct open_request {
    request_id request;
    device_id device;
    open_nonce nonce;
};

struct operation_request {
    request_id request;
    session_id session;
    sequence seq;
    sequence first_unacked;
    base::byte_view body;
};

// -- What becomes of it ---------------------------------------------------------------------------

/// It is to be replicated, now: the entry takes exactly the slot's index, and the overlay has it
/// already. Who asked waits, and confirmed() will tell.
struct proposed {
    update_label label = update_label::update;
    session_id session;
    sequence seq;
    sequence first_unacked;
    base::byte_vector payload;
};

/// The same operation is on its way already: confirmed() will tell.
struct waits {
    log_index index;
};

/// It was done and confirmed before: this is what came of it.
struct known {
    log_index index;
    session_id session; ///< of an opening: what it opened
    state::reply reply;
};

/// No entry (B.5.2).
struct turned_away {
    state::reply reply;
};

/// Only the committed state can say why not, and only after a probe round (B.5.2): then
/// desk::why_not() does.
struct probe_first {};

/// The connection does not speak for that session: the frame is dropped, the connection closed.
struct not_attached {};

using decision = std::variant<proposed, waits, known, turned_away, probe_first, not_attached>;

struct attached {
    std::optional<connection_id> to_close; ///< spoke for the session until now
    sequence last_known;                   ///< the highest with a committed result
};

struct answer {
    log_index index; ///< the committed state it comes from
    state::reply reply;
};

/// The way of one write (architecture 5) without the log in the middle: what a primary answers at
/// once, what it executes, who waits for what, and what everybody applies. One per server.
class desk {
  public:
    /// Both outlive the desk.
    desk(key_space& base, const service& services, const limits& bounds = {});

    // -- What the replication core says (B.15) --

    /// `tail`: the own log behind log_beyond_base().last(). Entries before `first_uncommitted` are
    /// committed, even if committed() has not come for them yet: that waits for the own disk.
    void entered_office(log_index first_uncommitted, std::span<const log_record> tail);

    /// Nobody knows what becomes of what was pending. Who waited is told RETRY_ELSEWHERE.
    [[nodiscard]] std::vector<delivery> left_office();

    /// In order, on every server: the entry is committed. A primary has its own already.
    void committed(const log_record& entry);

    /// The same for a primary that knows the commit index before its own disk has the entries:
    /// before a read is answered. What it does not hold is ignored.
    void committed_upto(log_index index);

    /// Committed entries up to here, durable in the own log, go into base.
    void apply_to_base(log_index upto);

    /// Confirmed by this term of office (B.5.6): these results leave.
    [[nodiscard]] std::vector<delivery> confirmed(log_index last);

    // -- What clients say to a primary --

    [[nodiscard]] decision open_session(const turn& now,
                                        connection_id connection,
                                        const open_request& what);

    [[nodiscard]] std::variant<attached, probe_first> attach(connection_id connection,
                                                             session_id session);

    [[nodiscard]] decision operation(const turn& now,
                                     connection_id connection,
                                     const operation_request& what);

    /// After the probe round that `probe_first` asked for. `seq`: none for an ATTACH.
    [[nodiscard]] state::reply why_not(session_id session, std::optional<sequence> seq) const;

    /// A question, after its probe round (B.9); anywhere for a stale one.
    [[nodiscard]] answer read(base::byte_view body) const;

    void connection_closed(connection_id connection);

    /// To be called now and then: touches sessions in use, and expires others (C.1).
    [[nodiscard]] std::optional<proposed> sweep(const turn& now);

    [[nodiscard]] const overlay& log_beyond_base() const { return overlay_; }
    [[nodiscard]] bool in_office() const { return in_office_; }
    [[nodiscard]] std::size_t waiting() const { return waiters_.size(); }

  private:
    [[nodiscard]] decision execute(const turn& now,
                                   connection_id connection,
                                   const operation_request& what,
                                   const session_row& session);
    /// B.5.2: a repeat.
    [[nodiscard]] decision repeated(const turn& now,
                                    log_index index,
                                    connection_id connection,
                                    waiters::waiter again);
    [[nodiscard]] bool is_over_limits(const operation_request& what) const;
    [[nodiscard]] base::byte_vector push_own(log_index index,
                                             transaction& rows,
                                             const state::reply& reply);
    void push_foreign(const log_record& entry);

    limits limits_;
    const service& services_;
    overlay overlay_;
    attachments attachments_;
    waiters waiters_;
    sweeper sweeper_{limits_};
    bool in_office_ = false;
};

} // namespace almenara::state
