#include "state/needs.hpp"

#include <algorithm>
#include <utility>

namespace almenara::state {

void needs::add_row(std::string_view key) {
    if (!rows.contains(key)) {
        rows.emplace(key);
    }
}

void needs::add_range(cold_range wanted) {
    if (std::find(ranges.begin(), ranges.end(), wanted) == ranges.end()) {
        ranges.push_back(std::move(wanted));
    }
}

} // namespace almenara::state
