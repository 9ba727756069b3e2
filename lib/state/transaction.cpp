#include "state/transaction.hpp"

#include "state/merged_scan.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace almenara::state {

std::optional<base::byte_vector> transaction::get(std::string_view key) const {
    const auto found = rows_.find(key);
    return found == rows_.end() ? under_.get(key) : found->second.value;
}

std::vector<row> transaction::scan(const key_range& range, const scan_limit& limit) const {
    return merged_scan(under_, rows_, range, limit, [](const written& row) { return &row.value; });
}

void transaction::put(std::string key, base::byte_vector value) {
    write_whole(std::move(key), std::move(value));
}

void transaction::erase(std::string key) {
    write_whole(std::move(key), std::nullopt);
}

void transaction::write_whole(std::string key, std::optional<base::byte_vector> value) {
    rows_.insert_or_assign(std::move(key),
                           written{.is_whole = true, .splices = {}, .value = std::move(value)});
}

void transaction::splice(std::string key, std::uint64_t offset, base::byte_view bytes) {
    auto found = rows_.find(key);
    if (found == rows_.end()) {
        std::optional<base::byte_vector> value = under_.get(key);
        found = rows_.emplace(key, written{.value = std::move(value)}).first;
    }
    written& row = found->second;
    if (!row.value) {
        row.value.emplace();
    }
    splice_into(*row.value, offset, bytes);
    if (!row.is_whole) {
        row.splices.push_back({.kind = change_kind::splice,
                               .key = std::move(key),
                               .bytes = {bytes.begin(), bytes.end()},
                               .offset = offset});
    }
}

bool transaction::adds() const {
    return std::any_of(rows_.begin(), rows_.end(),
                       [](const auto& row) { return row.second.value.has_value(); });
}

void transaction::forget_changes() {
    rows_.clear();
}

std::vector<change> transaction::take_changes() {
    std::vector<change> changes;
    changes.reserve(rows_.size());
    while (!rows_.empty()) {
        auto node = rows_.extract(rows_.begin()); // Its key can be moved too.
        written& row = node.mapped();
        if (!row.is_whole) {
            std::move(row.splices.begin(), row.splices.end(), std::back_inserter(changes));
            continue;
        }
        change& what = changes.emplace_back();
        what.kind = row.value ? change_kind::put : change_kind::erase;
        what.key = std::move(node.key());
        if (row.value) {
            what.bytes = std::move(*row.value);
        }
    }
    return changes;
}

} // namespace almenara::state
