#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "state/ids.hpp"
#include "state/known_sessions.hpp"
#include "state/limits.hpp"
#include "state/rows.hpp"
#include "state/table_view.hpp"
#include "state/transaction.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// C.1: the table of sessions and results, as rows of the state. The functions read a view and
/// write into a transaction; what they wrote is part of the entry that carries the operation.
namespace almenara::state {

inline constexpr std::string_view session_prefix = "session/";

[[nodiscard]] std::string session_key(session_id session);
/// The session that a key of `session_prefix` belongs to.
[[nodiscard]] session_id session_of_key(std::string_view key);

/// Whether there is only one put of such a row ever: a result is not written again, and its number
/// does not come back (C.1).
[[nodiscard]] bool is_written_once(std::string_view key);

/// Whether rows of this table can still be read after the change, and name no entry behind the one
/// that makes them; rows of others are no matter.
[[nodiscard]] bool accepts_session_change(const change& what, log_index index);

[[nodiscard]] std::optional<session_row> find_session(const table_view& rows, session_id session);
[[nodiscard]] std::optional<nonce_row> find_opening(const table_view& rows,
                                                    device_id device,
                                                    open_nonce nonce);
[[nodiscard]] std::optional<result_row> find_result(const table_view& rows,
                                                    session_id session,
                                                    sequence seq);
/// The operations of a session that have a result, in order.
[[nodiscard]] std::vector<sequence> results_of(const table_view& rows,
                                               session_id session,
                                               const session_row& row);
[[nodiscard]] std::uint64_t count_sessions(const table_view& rows);

/// What C.1 says of an operation before anybody executes it.
struct is_new {};
struct is_known {
    result_row result;
};
struct is_stale {};
/// It is known, and its row is not in memory: whoever asked comes again with it.
struct is_cold {};
struct window_is_full {};
using standing = std::variant<is_new, is_known, is_stale, is_cold, window_is_full>;

/// Where an operation stands in its session.
struct place {
    session_id session;
    sequence seq;
    sequence first_unacked; ///< as the operation says
};
[[nodiscard]] standing judge(const table_view& rows,
                             const known_session& session,
                             const place& at,
                             const limits& bounds);

/// Writes the rows of a session that was opened by the entry at `index`.
void open_session(transaction& rows,
                  session_id session,
                  const nonce_row& opening,
                  const session_row& opened);

/// Writes the result of a new operation, and drops those that its client has; `session` becomes
/// what it then is.
void record_result(transaction& rows,
                   const place& at,
                   known_session& session,
                   const result_row& result,
                   wall_time time);

/// Writes that the session is in use.
void touch_session(transaction& rows, session_id session, wall_time time);

/// Erases everything of the session.
void erase_session(transaction& rows, session_id session);

} // namespace almenara::state
