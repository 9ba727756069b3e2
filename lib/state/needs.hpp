#pragma once

#include "state/table_view.hpp"

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
    std::vector<std::string> rows; ///< their keys
    std::vector<cold_range> ranges;

    [[nodiscard]] bool empty() const { return rows.empty() && ranges.empty(); }
    void add_row(std::string_view key);
    void add_range(cold_range wanted);
    void add(const needs& more);

    friend bool operator==(const needs&, const needs&) = default;
};

} // namespace almenara::state
