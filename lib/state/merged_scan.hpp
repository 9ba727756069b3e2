#pragma once

#include "base/bytes.hpp"
#include "state/table_view.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace almenara::state {

/// Rows of a view, a few at a time.
class row_stream {
  public:
    row_stream(const table_view& from, key_range range, const scan_limit& at_once)
        : from_(from), range_(std::move(range)), at_once_(at_once) {}

    /// The next row, or none.
    [[nodiscard]] row* front() {
        if (next_ == rows_.size() && !is_last_) {
            refill();
        }
        return next_ == rows_.size() ? nullptr : &rows_[next_];
    }
    void pop() { ++next_; }

  private:
    void refill() {
        rows_ = from_.scan(range_, at_once_);
        next_ = 0;
        std::size_t bytes = 0;
        for (const row& one : rows_) {
            bytes += size_of(one);
        }
        is_last_ = rows_.size() < at_once_.rows && bytes < at_once_.bytes;
        if (!rows_.empty()) {
            range_.from = rows_.back().key + '\0';
        }
    }

    const table_view& from_;
    key_range range_;
    scan_limit at_once_;
    std::vector<row> rows_;
    std::size_t next_ = 0;
    bool is_last_ = false;
};

/// The rows of `under` as those of the map `over` change them. `value_in(row of over)` is a pointer
/// to an optional value, none of which means erased; null: this row does not change anything.
template <class Map, class ValueIn>
[[nodiscard]] std::vector<row> merged_scan(const table_view& under,
                                           const Map& over,
                                           const key_range& range,
                                           const scan_limit& limit,
                                           const ValueIn& value_in) {
    std::vector<row> found;
    auto at = over.lower_bound(range.from);
    const auto is_inside = [&range](const std::string& key) {
        return !range.to || key < *range.to;
    };
    std::size_t bytes = 0;
    const auto take = [&](row one) {
        bytes += size_of(one);
        found.push_back(std::move(one));
    };
    row_stream below{
        under, range, {.rows = std::max<std::size_t>(limit.rows, 1), .bytes = limit.bytes}};
    while (found.size() < limit.rows && bytes < limit.bytes) {
        row* const low = below.front();
        const bool has_high = at != over.end() && is_inside(at->first);
        if (!has_high || (low != nullptr && low->key < at->first)) {
            if (low == nullptr) {
                break;
            }
            take(std::move(*low));
            below.pop();
            continue;
        }
        const std::optional<base::byte_vector>* const value = value_in(at->second);
        if (value != nullptr) {
            if (low != nullptr && low->key == at->first) {
                below.pop();
            }
            if (*value) {
                take({at->first, **value});
            }
        }
        ++at;
    }
    return found;
}

} // namespace almenara::state
