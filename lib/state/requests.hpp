#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "state/ids.hpp"
#include "state/inputs.hpp"
#include "state/outcome.hpp"
#include "state/update.hpp"

#include <cstdint>
#include <optional>
#include <variant>

/// What a desk is asked, and what it decides.
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
    bool may_grow = true;     ///< E.1: there is room for what adds something
};

/// Label of an update's entry (B.4). It means nothing to who applies it.
enum class update_label : std::uint8_t { update, session_open, session_close, expire };

// -- What a client asks ---------------------------------------------------------------------------

struct open_request {
    request_id request;
    device_id device;
    open_nonce nonce;
};

/// A client leaves for good.
struct close_request {
    request_id request;
    session_id session;
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
    update_label label = update_label::update;
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

/// Rows are not in memory. Whoever asked fetches them at a view of `hold` or later, and asks again
/// with them; nothing has happened (architecture 2).
struct needs_inputs {
    needs wanted;
    overlay_hold hold;
    bool is_new = false; ///< no earlier attempt of the same operation left anything
};

using decision =
    std::variant<proposed, waits, known, turned_away, probe_first, not_attached, needs_inputs>;

/// Of a sweep: there is nothing to be done.
struct nothing_due {};

struct attached {
    std::optional<connection_id> to_close; ///< spoke for the session until now
    sequence last_known;                   ///< the highest with a committed result
    device_id device;                      ///< whose session it is
};

struct answer {
    log_index index; ///< the committed state it comes from
    state::reply reply;
};

} // namespace almenara::state
