#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "state/codes.hpp"
#include "state/ids.hpp"
#include "state/needs.hpp"
#include "state/transaction.hpp"

#include <array>
#include <cstddef>
#include <variant>

namespace almenara::state {

/// Made by the driver, for what must be random and the same everywhere: it becomes part of the
/// update.
using random_bytes = std::array<std::byte, 32>;

/// What a pure room may not fetch (architecture 2).
struct context {
    log_index index; ///< of the entry that this becomes: its version and fencing token
    wall_time time;  ///< log time
    session_id session;
    random_bytes random{};
};

/// The changes of the transaction count.
struct done {
    base::byte_vector body;
};

/// They do not. Whether it is an entry all the same says leaves_entry().
struct refused {
    result_code code = result_code::invalid;
    base::byte_vector body{};
};

/// How executing ended. `needs`: it cannot be said yet; it is called again with more, from the
/// start, and nothing has happened.
using outcome = std::variant<done, refused, needs>;

/// What operations do. It knows one state and nothing of servers. A row that is not in memory reads
/// as if it were not there, and the desk then throws away what came of it: a service must not take
/// a row for granted because another one is there.
class service {
  public:
    service() = default;
    service(const service&) = delete;
    service& operator=(const service&) = delete;
    virtual ~service() = default;

    /// INVALID and TOO_LARGE must follow from the body alone (B.5.2).
    [[nodiscard]] virtual outcome execute(const context& about,
                                          transaction& rows,
                                          base::byte_view body) const = 0;

    /// Whether the service could read the row that this change makes. A row of somebody else is
    /// no matter of its own: a newer server may have services that this one lacks.
    [[nodiscard]] virtual bool accepts(const change& what) const = 0;

    /// A question: it changes nothing and is no entry.
    [[nodiscard]] virtual outcome query(const table_view& rows, base::byte_view body) const = 0;
};

} // namespace almenara::state
