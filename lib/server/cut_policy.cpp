#include "server/cut_policy.hpp"

#include <algorithm>

namespace almenara::server {

void cut_policy::proposed(log_index index, std::size_t bytes) {
    if (waiting() == 0) {
        // What lies between is somebody else's: the first entry of an office, an older term.
        cut_upto_ = std::max(cut_upto_, log_index{index.value() - 1});
    }
    proposed_ = std::max(proposed_, index);
    waiting_bytes_ += bytes;
}

void cut_policy::committed(log_index upto) {
    std::size_t released = 0;
    while (!on_their_way_.empty() && on_their_way_.front().last <= upto) {
        released += on_their_way_.front().entries;
        on_their_way_.pop_front();
    }
    if (released > 0) {
        group_ = released;
    }
}

void cut_policy::office_changed() {
    on_their_way_.clear();
    cut_upto_ = proposed_;
    waiting_bytes_ = 0;
    group_ = 0;
    gathering_until_.reset();
    completing_until_.reset();
}

cut_policy::decision cut_policy::decide(instant now, bool more_waits) {
    if (waiting() == 0) {
        return {}; // What the core itself has to write waits for nobody.
    }
    if (on_their_way_.size() >= depth_) {
        return {.cut = false};
    }
    if (more_waits && waiting_bytes_ < large_batch) {
        if (!completing_until_) {
            completing_until_ = now + longest_completion;
        }
        if (now < *completing_until_) {
            return {.cut = false};
        }
    }
    if (waiting() < group_ && waiting_bytes_ < large_batch) {
        if (!gathering_until_) {
            gathering_until_ = now + longest_gather;
        }
        if (now < *gathering_until_) {
            return {.cut = false, .gather_until = gathering_until_};
        }
        group_ = 0; // Who does not come again is waited for once.
    }
    gathering_until_.reset();
    completing_until_.reset();
    on_their_way_.push_back({.last = proposed_, .entries = waiting()});
    cut_upto_ = proposed_;
    waiting_bytes_ = 0;
    return {};
}

} // namespace almenara::server
