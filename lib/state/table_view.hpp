#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::state {

/// Keys are bytes and ordered as such.
struct row {
    std::string key;
    base::byte_vector value;

    friend bool operator==(const row&, const row&) = default;
};

/// What a row counts where bytes are counted.
[[nodiscard]] inline std::size_t size_of(const row& one) {
    return one.key.size() + one.value.size();
}

/// How much a scan may bring: so many rows, and it ends with the row by which there are so many
/// bytes. At least one row, if there is one.
struct scan_limit {
    std::size_t rows = 1;
    std::size_t bytes = std::numeric_limits<std::size_t>::max();

    friend bool operator==(const scan_limit&, const scan_limit&) = default;
};

/// From `from` on and before `to`.
struct key_range {
    std::string from;
    std::optional<std::string> to; ///< none: to the end

    friend bool operator==(const key_range&, const key_range&) = default;
};

/// All keys that begin so.
[[nodiscard]] key_range prefix_range(std::string_view prefix);

/// An ordered map, as somebody may see it.
class table_view {
  public:
    table_view() = default;
    virtual ~table_view() = default;

    [[nodiscard]] virtual std::optional<base::byte_vector> get(std::string_view key) const = 0;

    /// The first rows of the range, in order; less than the limit only if there are no more.
    [[nodiscard]] virtual std::vector<row> scan(const key_range& range,
                                                const scan_limit& limit) const = 0;

  protected:
    table_view(const table_view&) = default;
    table_view& operator=(const table_view&) = default;
};

} // namespace almenara::state
