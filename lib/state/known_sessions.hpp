#pragma once

#include "state/ids.hpp"
#include "state/rows.hpp"
#include "state/table_view.hpp"

#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace almenara::state {

/// A session as the whole view has it: its row, and which of its operations have a result.
struct known_session {
    session_row row;
    std::vector<sequence> results; ///< in order
};

/// None: there is no such session, or its rows are not in memory.
[[nodiscard]] std::optional<known_session> read_session(const table_view& rows, session_id session);

/// The attached sessions that operate, in this term of office: that an operation is new is known
/// without a look into base, which would be one for each operation. Whoever changes rows of a
/// session in another way than through record_result() says so: forget().
class known_sessions {
  public:
    /// Valid until anything else is asked here; null: not yet.
    [[nodiscard]] known_session* find(session_id session) {
        const auto known = sessions_.find(session);
        return known == sessions_.end() ? nullptr : &known->second;
    }
    /// It was read, all of it.
    known_session& add(session_id session, known_session&& read) {
        return sessions_[session] = std::move(read);
    }

    void forget(session_id session) { sessions_.erase(session); }
    void forget_all() { sessions_.clear(); }

  private:
    std::map<session_id, known_session> sessions_;
};

} // namespace almenara::state
