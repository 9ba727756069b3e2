#include "demo/background_load.hpp"

#include "net/clock.hpp"
#include "net/spawn.hpp"
#include "services/kv/bodies.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace almenara::cli {

namespace asio = boost::asio;
namespace kv = services::kv::body;

namespace {

constexpr std::chrono::milliseconds between_two{5};
constexpr std::chrono::seconds longest_wait{30};

} // namespace

background_load::background_load(asio::any_io_executor executor, client::api& cluster)
    : executor_(std::move(executor)), cluster_(cluster), pause_(executor_), over_(executor_) {}

void background_load::start() {
    runs_ = true;
    is_to_stop_ = false;
    sum_.reset();
    may_be_more_ = confirmed_ = unknown_ = wrong_sums_ = 0;
    longest_gap_ = {};
    answered_at_.reset();
    net::spawn(executor_, "background load", count(*this));
}

asio::awaitable<void> background_load::stop() {
    is_to_stop_ = true;
    pause_.cancel();
    over_.expires_at(asio::steady_timer::time_point::max());
    is_waited_for_ = true;
    while (runs_ && is_waited_for_) {
        co_await over_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

void background_load::interrupt() {
    is_waited_for_ = false;
    over_.cancel();
}

asio::awaitable<void> background_load::count(background_load& self) {
    while (!self.is_to_stop_) {
        base::byte_vector body = kv::add(key, 1);
        const client::answer how =
            co_await self.cluster_.write(std::move(body), net::monotonic_now() + longest_wait);
        self.answered(how);
        if (self.is_to_stop_) {
            break;
        }
        self.pause_.expires_after(between_two);
        co_await self.pause_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    self.runs_ = false;
    self.over_.cancel();
}

/// Nobody else writes that key: each sum follows from the one before.
void background_load::answered(const client::answer& how) {
    const auto added = kv::in<services::kv::added>(how.body);
    if (how.code != wire::result_code::ok || !added) {
        const bool is_unknown = how.code == wire::result_code::uncertain;
        unknown_ += is_unknown ? 1U : 0U;
        may_be_more_ += is_unknown ? 1U : 0U;
        return;
    }
    const instant now = net::monotonic_now();
    if (answered_at_) {
        longest_gap_ = std::max(longest_gap_, now - *answered_at_);
    }
    answered_at_ = now;
    const auto slack = static_cast<std::int64_t>(std::exchange(may_be_more_, 0));
    if (sum_ && (added->value < *sum_ + 1 || added->value > *sum_ + 1 + slack)) {
        ++wrong_sums_;
    }
    sum_ = added->value;
    ++confirmed_;
}

std::string background_load::report() const {
    const auto gap = std::chrono::duration<double, std::milli>{longest_gap_}.count();
    std::string text =
        fmt::format("{} writes confirmed, counter {}, longest time without one {:.0f} ms",
                    confirmed_, sum_.value_or(0), gap);
    if (unknown_ > 0) {
        text += fmt::format(", {} of unknown outcome", unknown_);
    }
    return text + (wrong_sums_ == 0 ? ": none lost, none done twice"
                                    : fmt::format(": {} sums are WRONG", wrong_sums_));
}

boost::json::object background_load::report_json() const {
    boost::json::object object;
    object["confirmed"] = confirmed_;
    object["counter"] = sum_.value_or(0);
    object["longest_gap_ms"] =
        std::chrono::duration_cast<std::chrono::milliseconds>(longest_gap_).count();
    object["unknown"] = unknown_;
    object["wrong"] = wrong_sums_;
    return object;
}

} // namespace almenara::cli
