#include "server/log_budget.hpp"

#include <utility>

namespace almenara::server {

bool log_budget::take(instant now) {
    if (now - second_began_ >= std::chrono::seconds{1}) {
        second_began_ = now;
        taken_ = 0;
    }
    if (taken_ == lines_per_second_) {
        ++left_out_;
        return false;
    }
    ++taken_;
    return true;
}

std::uint64_t log_budget::take_left_out() {
    return std::exchange(left_out_, 0);
}

} // namespace almenara::server
