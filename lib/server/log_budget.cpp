#include "server/log_budget.hpp"

#include <utility>

namespace almenara::server {

bool log_budget::take(instant now) {
    if (now - second_began_ >= std::chrono::seconds{1}) {
        second_began_ = now;
        taken_ = 0;
    }
    if (taken_ == lines_per_second_) {
        if (left_out_++ == 0) {
            left_out_since_ = now;
        }
        return false;
    }
    ++taken_;
    return true;
}

std::optional<instant> log_budget::left_out_due() const {
    return left_out_ > 0 ? std::optional{left_out_since_ + std::chrono::seconds{1}} : std::nullopt;
}

bool log_budget::is_left_out_due(instant now) const {
    const auto due = left_out_due();
    return due && now >= *due;
}

std::uint64_t log_budget::take_left_out() {
    return std::exchange(left_out_, 0);
}

} // namespace almenara::server
