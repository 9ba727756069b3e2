#include "state/needs.hpp"

#include <algorithm>
#include <utility>

namespace almenara::state {

void needs::add_row(std::string_view key) {
    if (std::find(rows.begin(), rows.end(), key) == rows.end()) {
        rows.emplace_back(key);
    }
}

void needs::add_range(cold_range wanted) {
    if (std::find(ranges.begin(), ranges.end(), wanted) == ranges.end()) {
        ranges.push_back(std::move(wanted));
    }
}

void needs::add(const needs& more) {
    for (const std::string& key : more.rows) {
        add_row(key);
    }
    for (const cold_range& range : more.ranges) {
        add_range(range);
    }
}

} // namespace almenara::state
