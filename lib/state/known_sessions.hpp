#pragma once

#include "state/ids.hpp"
#include "state/rows.hpp"
#include "state/table_view.hpp"

#include <map>
#include <vector>

namespace almenara::state {

/// A session as the whole view has it: its row, and which of its operations have a result.
struct known_session {
    session_row row;
    std::vector<sequence> results; ///< in order
};

/// The attached sessions that operate, in this term of office: that an operation is new is known
/// without a look into base, which would be one for each operation. Whoever changes rows of a
/// session in another way than through record_result() says so: forget().
class known_sessions {
  public:
    /// None: there is no such session. Valid until anything else is asked here.
    [[nodiscard]] known_session* find(const table_view& rows, session_id session);

    void forget(session_id session) { sessions_.erase(session); }
    void forget_all() { sessions_.clear(); }

  private:
    std::map<session_id, known_session> sessions_;
};

} // namespace almenara::state
