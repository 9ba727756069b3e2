#pragma once

#include "base/bytes.hpp"
#include "state/rows.hpp"
#include "state/table_view.hpp"
#include "state/update.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace almenara::state {

/// What is known of a row without a disk.
struct warm_row {
    std::optional<base::byte_vector> value; ///< none: there is no such row
};

/// Where the applied part of the state is kept (B.4, `base`). While a batch is on its way, what is
/// seen here may be further than applied() says; the overlay over it has all of that (architecture
/// 6).
class key_space {
  public:
    virtual ~key_space() = default;

    /// None: the row is cold, a disk would have to be asked (architecture 2).
    [[nodiscard]] virtual std::optional<warm_row> look(std::string_view key) const = 0;
    /// As table_view::scan(). None: not all of it is in memory.
    [[nodiscard]] virtual std::optional<std::vector<row>> look(const key_range& range,
                                                               const scan_limit& limit) const = 0;

    /// The row, even if a disk must be waited for. Only an entry with a splice asks so: it is
    /// applied in its turn or not at all. No service of today makes one.
    [[nodiscard]] virtual std::optional<base::byte_vector> wait_for(std::string_view key) const = 0;

    /// Changes and the row that says how far they go become visible together, or not at all.
    virtual void apply(const applied_row& upto, std::span<const change> changes) = 0;

    [[nodiscard]] virtual const applied_row& applied() const = 0;

  protected:
    key_space() = default;
    key_space(const key_space&) = default;
    key_space& operator=(const key_space&) = default;
};

} // namespace almenara::state
