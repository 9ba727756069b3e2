#include "server/hook_schedule.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <utility>

namespace almenara::server {

void hook_schedule::learned(primary_change what) {
    if (what.epoch <= latest_) {
        return;
    }
    latest_ = what.epoch;
    next_ = std::move(what);
}

std::optional<primary_change> hook_schedule::start(instant now) {
    if (is_running_ || is_stopped_ || !next_) {
        return std::nullopt;
    }
    is_running_ = true;
    urged_.reset();
    run_until_ = now + limits_.run;
    return std::exchange(next_, std::nullopt);
}

void hook_schedule::ended() {
    ALMENARA_CHECK(is_running_);
    is_running_ = false;
}

std::optional<instant> hook_schedule::due() const {
    if (!is_running_ || urged_ == hook_urge::kill) {
        return std::nullopt;
    }
    return urged_ ? run_until_ + limits_.last_words : run_until_;
}

std::optional<hook_urge> hook_schedule::urge(instant now) {
    const auto when = due();
    if (!when || now < *when) {
        return std::nullopt;
    }
    urged_ = urged_ ? hook_urge::kill : hook_urge::terminate;
    if (urged_ == hook_urge::terminate) {
        run_until_ = now; // A loop that comes late leaves it its time all the same.
    }
    return urged_;
}

void hook_schedule::stop(instant latest) {
    is_stopped_ = true;
    next_.reset();
    limits_.last_words = std::min(limits_.last_words, limits_.last_words_at_stop);
    if (!urged_) {
        run_until_ = std::min(run_until_, latest);
    }
}

} // namespace almenara::server
