#include "state/known_sessions.hpp"

#include "state/session_table.hpp"

#include <utility>

namespace almenara::state {

known_session* known_sessions::find(const table_view& rows, session_id session) {
    const auto known = sessions_.find(session);
    if (known != sessions_.end()) {
        return &known->second;
    }
    auto row = find_session(rows, session);
    if (!row) {
        return nullptr;
    }
    known_session& added = sessions_[session];
    added.results = results_of(rows, session, *row);
    added.row = std::move(*row);
    return &added;
}

} // namespace almenara::state
