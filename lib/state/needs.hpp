#pragma once

#include "state/table_view.hpp"

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::state {

struct cold_range {
    key_range range;
    scan_limit limit;

    friend bool operator==(const cold_range&, const cold_range&) = default;
};

/// What somebody must fetch before it can be said how a request ends (architecture 2).
struct needs {
    using keys = std::set<std::string, std::less<>>;

    keys rows;
    std::vector<cold_range> ranges; ///< a few

    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] std::size_t size() const { return rows.size() + ranges.size(); }
    void add_row(std::string_view key);
    void add_range(cold_range wanted);

    friend bool operator==(const needs&, const needs&) = default;
};

} // namespace almenara::state
