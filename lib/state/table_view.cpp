#include "state/table_view.hpp"

namespace almenara::state {

key_range prefix_range(std::string_view prefix) {
    key_range range{.from = std::string{prefix}, .to = std::string{prefix}};
    while (!range.to->empty() && range.to->back() == '\xff') {
        range.to->pop_back();
    }
    if (range.to->empty()) {
        range.to.reset();
    } else {
        range.to->back() = static_cast<char>(static_cast<unsigned char>(range.to->back()) + 1);
    }
    return range;
}

} // namespace almenara::state
