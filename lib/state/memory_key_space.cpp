#include "state/memory_key_space.hpp"

#include "base/check.hpp"
#include "base/hash.hpp"
#include "wire/codec.hpp"

#include <utility>

namespace almenara::state {

namespace {

std::uint64_t digest_of(const std::string& key, base::byte_view value) {
    return base::xxh3_64(value, base::xxh3_64(base::as_bytes(key)));
}

} // namespace

std::optional<base::byte_vector> memory_key_space::get(std::string_view key) const {
    const auto found = rows_.find(key);
    return found == rows_.end() ? std::nullopt : std::optional{found->second};
}

std::vector<row> memory_key_space::scan(const key_range& range, const scan_limit& limit) const {
    std::vector<row> found;
    std::size_t bytes = 0;
    for (auto at = rows_.lower_bound(range.from); at != rows_.end(); ++at) {
        if (found.size() >= limit.rows || bytes >= limit.bytes ||
            (range.to && at->first >= *range.to)) {
            break;
        }
        found.push_back({at->first, at->second});
        bytes += size_of(found.back());
    }
    return found;
}

void memory_key_space::apply(const applied_row& upto, std::span<const change> changes) {
    // B.4: an entry at or below the applied index is never applied.
    ALMENARA_CHECK(upto.index > applied_.index);
    for (const change& what : changes) {
        apply(what);
    }
    applied_ = upto;
}

std::uint64_t memory_key_space::digest() const {
    base::byte_vector bytes;
    wire::encode(applied_, bytes);
    return base::xxh3_64(bytes, rows_digest_);
}

void memory_key_space::apply(const change& what) {
    switch (what.kind) {
    case change_kind::put:
        put(what.key, what.bytes);
        return;
    case change_kind::erase: {
        const auto found = rows_.find(what.key);
        if (found != rows_.end()) {
            rows_digest_ -= digest_of(found->first, found->second);
            rows_.erase(found);
        }
        return;
    }
    case change_kind::splice: {
        base::byte_vector value = get(what.key).value_or(base::byte_vector{});
        splice_into(value, what.offset, what.bytes);
        put(what.key, std::move(value));
        return;
    }
    }
    // What a newer version decided and this one cannot apply was found by changes_in().
    constexpr bool kind_of_change_is_known = false;
    ALMENARA_CHECK(kind_of_change_is_known);
}

void memory_key_space::put(const std::string& key, base::byte_vector value) {
    const auto [row, is_new] = rows_.try_emplace(key);
    if (!is_new) {
        rows_digest_ -= digest_of(key, row->second);
    }
    rows_digest_ += digest_of(key, value);
    row->second = std::move(value);
}

} // namespace almenara::state
