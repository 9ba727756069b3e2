#include "state/entry_check.hpp"

#include "state/session_table.hpp"
#include "wire/codec.hpp"

#include <cstddef>
#include <utility>

namespace almenara::state {

namespace {

std::optional<defect> defect_in(const change& what, log_index index, const service& services) {
    if (what.kind > change_kind::splice) {
        return defect::unknown_change;
    }
    if (what.key.empty() || what.key.size() > largest_row_key) {
        return defect::bad_key;
    }
    if (!splice_fits(what.offset, what.bytes)) {
        return defect::too_large;
    }
    if (!accepts_session_change(what, index) || !services.accepts(what)) {
        return defect::bad_row;
    }
    return std::nullopt;
}

} // namespace

std::optional<defect> defect_in(const std::vector<change>& changes,
                                log_index index,
                                const service& services) {
    // A few bytes at a large offset are a large row: all of them together have a bound.
    std::uint64_t spliced = 0;
    for (const change& what : changes) {
        if (const auto found = defect_in(what, index, services)) {
            return found;
        }
        if (what.kind == change_kind::splice) {
            spliced += what.offset + what.bytes.size();
        }
        if (spliced > largest_row) {
            return defect::too_large;
        }
    }
    return std::nullopt;
}

boost::system::result<std::vector<change>, defect> changes_in(base::byte_view payload,
                                                              log_index index,
                                                              const service& services) {
    auto what = wire::decode<update>(payload);
    if (!what) {
        return defect::no_update;
    }
    if (const auto found = defect_in(what->changes, index, services)) {
        return *found;
    }
    return std::move(what->changes);
}

} // namespace almenara::state
