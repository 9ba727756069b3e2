#include "state/inputs.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace almenara::state {

namespace {

bool is_in(const key_range& range, std::string_view key) {
    return range.from <= key && (!range.to || key < *range.to);
}

std::vector<row>::const_iterator first_from(const std::vector<row>& rows, std::string_view key) {
    return std::lower_bound(
        rows.begin(), rows.end(), key,
        [](const row& one, std::string_view wanted) { return one.key < wanted; });
}

/// Rows up to a limit.
struct page {
    const scan_limit& limit;
    std::vector<row> rows{};
    std::size_t bytes = 0;

    [[nodiscard]] bool is_full() const { return rows.size() >= limit.rows || bytes >= limit.bytes; }
    [[nodiscard]] scan_limit rest() const {
        return {.rows = limit.rows - rows.size(), .bytes = limit.bytes - bytes};
    }
    void add(row one) {
        bytes += size_of(one);
        rows.push_back(std::move(one));
    }
};

} // namespace

void inputs::add_row(std::string key, std::optional<base::byte_vector> value) {
    bytes_ += key.size() + (value ? value->size() : 0);
    rows_.insert_or_assign(std::move(key), std::move(value));
}

void inputs::add_range(const cold_range& scanned, std::vector<row> rows) {
    std::size_t bytes = 0;
    for (const row& one : rows) {
        bytes += size_of(one);
    }
    bytes_ += bytes;
    stretch& known = stretches_.emplace_back();
    known.keys = scanned.range;
    if (rows.size() >= scanned.limit.rows || bytes >= scanned.limit.bytes) {
        // It ended with its limit: nothing is known of what comes then.
        known.keys.to = rows.empty() ? scanned.range.from : rows.back().key + '\0';
    }
    known.rows = std::move(rows);
}

void inputs::add(inputs more) {
    bytes_ += more.bytes_;
    rows_.merge(more.rows_);
    std::move(more.stretches_.begin(), more.stretches_.end(), std::back_inserter(stretches_));
    keep(std::move(more.hold_));
}

void inputs::keep(overlay_hold hold) {
    if (!hold_) {
        hold_ = std::move(hold);
    }
}

std::optional<warm_row> inputs::find(std::string_view key) const {
    const auto found = rows_.find(key);
    if (found != rows_.end()) {
        return warm_row{found->second};
    }
    const stretch* const known = around(key);
    if (known == nullptr) {
        return std::nullopt;
    }
    const auto at = first_from(known->rows, key);
    return at != known->rows.end() && at->key == key ? warm_row{at->value} : warm_row{};
}

const inputs::stretch* inputs::around(std::string_view key) const {
    const auto found = std::find_if(stretches_.begin(), stretches_.end(),
                                    [key](const stretch& one) { return is_in(one.keys, key); });
    return found == stretches_.end() ? nullptr : &*found;
}

std::optional<base::byte_vector> base_look::get(std::string_view key) const {
    auto found = supplied_.find(key);
    if (!found) {
        found = base_.look(key);
    }
    if (!found) {
        missing_.add_row(key);
        return std::nullopt;
    }
    return std::move(found->value);
}

std::vector<row> base_look::scan(const key_range& range, const scan_limit& limit) const {
    if (!supplied_.has_stretches()) {
        auto found = base_.look(range, limit);
        if (!found) {
            missing_.add_range({.range = range, .limit = limit});
            return {};
        }
        return std::move(*found);
    }
    page found{.limit = limit};
    std::string at = range.from;
    while (!found.is_full() && (!range.to || at < *range.to)) {
        const inputs::stretch* const known = supplied_.around(at);
        if (known == nullptr) {
            const cold_range rest{.range = {.from = at, .to = range.to}, .limit = found.rest()};
            auto more = base_.look(rest.range, rest.limit);
            if (!more) {
                missing_.add_range(rest);
                break;
            }
            std::move(more->begin(), more->end(), std::back_inserter(found.rows));
            break;
        }
        for (auto next = first_from(known->rows, at);
             next != known->rows.end() && !found.is_full() && (!range.to || next->key < *range.to);
             ++next) {
            found.add(*next);
        }
        if (!known->keys.to) {
            break;
        }
        at = *known->keys.to;
    }
    return std::move(found.rows);
}

} // namespace almenara::state
