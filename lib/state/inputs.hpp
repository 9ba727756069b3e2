#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "state/key_space.hpp"
#include "state/needs.hpp"
#include "state/table_view.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::state {

/// While one lives, the overlay keeps what is behind the index: rows that were fetched at that
/// index or later are made current by it, however long they were on their way (architecture 2).
using overlay_hold = std::shared_ptr<const log_index>;

/// What was fetched for one request so far. They may come from views of different moments.
class inputs {
  public:
    /// Rows of base in a stretch of keys without a gap.
    struct stretch {
        key_range keys;
        std::vector<row> rows;
    };

    void add_row(std::string key, std::optional<base::byte_vector> value);
    /// `rows` is what a scan gave.
    void add_range(const cold_range& scanned, std::vector<row> rows);
    void add(inputs more);
    /// The first hold stays: what came first is the oldest.
    void keep(overlay_hold hold);

    /// None: it was not fetched.
    [[nodiscard]] std::optional<warm_row> find(std::string_view key) const;
    /// The stretch that the key is in, whether there is such a row or not.
    [[nodiscard]] const stretch* around(std::string_view key) const;
    [[nodiscard]] bool has_stretches() const { return !stretches_.empty(); }
    /// Of keys and values.
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

  private:
    std::map<std::string, std::optional<base::byte_vector>, std::less<>> rows_;
    std::vector<stretch> stretches_;
    overlay_hold hold_;
    std::size_t bytes_ = 0;
};

/// Base and what was fetched of it, for one request. What is in neither reads as if it were not
/// there, and is noted: whoever read throws away what came of it, and tries again with more.
class base_look final : public table_view {
  public:
    /// Both outlive it.
    base_look(const key_space& base, const inputs& supplied) : base_(base), supplied_(supplied) {}

    [[nodiscard]] std::optional<base::byte_vector> get(std::string_view key) const override;
    [[nodiscard]] std::vector<row> scan(const key_range& range,
                                        const scan_limit& limit) const override;

    [[nodiscard]] const needs& missing() const { return missing_; }

  private:
    const key_space& base_;
    const inputs& supplied_;
    mutable needs missing_;
};

} // namespace almenara::state
