#include "state/known_sessions.hpp"

#include "state/session_table.hpp"

namespace almenara::state {

std::optional<known_session> read_session(const table_view& rows, session_id session) {
    auto row = find_session(rows, session);
    if (!row) {
        return std::nullopt;
    }
    std::vector<sequence> results = results_of(rows, session, *row);
    return known_session{.row = std::move(*row), .results = std::move(results)};
}

} // namespace almenara::state
