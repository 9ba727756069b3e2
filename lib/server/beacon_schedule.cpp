#include "server/beacon_schedule.hpp"

#include <algorithm>
#include <array>

namespace almenara::server {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// C.2: then each second, up to the last.
constexpr std::array first_steps{milliseconds{0},  milliseconds{10},  milliseconds{30},
                                 milliseconds{70}, milliseconds{150}, milliseconds{310},
                                 milliseconds{630}};
constexpr seconds last_step{10};
constexpr milliseconds step_of_backup{20};

// C.2: more than so many are spread over so long.
constexpr std::size_t crowd = 100;
constexpr milliseconds spread{20};

/// The first step behind that moment, both counted from the beginning.
std::optional<duration> step_after(duration passed) {
    const auto early = std::find_if(first_steps.begin(), first_steps.end(),
                                    [passed](milliseconds step) { return step > passed; });
    if (early != first_steps.end()) {
        return *early;
    }
    const auto next = std::chrono::floor<seconds>(passed) + seconds{1};
    return next <= last_step ? std::optional<duration>{next} : std::nullopt;
}

} // namespace

void beacon_schedule::begin(teller who, std::vector<device_tag> devices, instant now) {
    end();
    who_ = who;
    began_ = now;
    runs_ = true;
    const duration wait = who == teller::backup ? step_of_backup : milliseconds{0};
    const std::size_t all = devices.size();
    for (std::size_t i = 0; i < all; ++i) {
        const duration shift = all > crowd ? duration{spread} * static_cast<std::int64_t>(i) /
                                                 static_cast<std::int64_t>(all)
                                           : duration{0};
        put(devices[i], {.shift = shift, .next = now + shift + wait});
    }
}

void beacon_schedule::end() {
    runs_ = false;
    told_.clear();
    queue_.clear();
}

void beacon_schedule::put(device_tag device, const progress& how_far) {
    told_.insert_or_assign(device, how_far);
    queue_.emplace(how_far.next, device);
}

void beacon_schedule::join(device_tag device, instant now) {
    if (runs_ && who_ == teller::primary && now - began_ < last_step && !told_.contains(device)) {
        put(device, {.next = now});
    }
}

void beacon_schedule::leave(device_tag device) {
    const auto found = told_.find(device);
    if (found != told_.end()) {
        queue_.erase({found->second.next, device});
        told_.erase(found);
    }
}

std::optional<instant> beacon_schedule::after(instant now, duration shift) const {
    const auto step = who_ == teller::primary ? step_after(now - began_ - shift) : std::nullopt;
    return step ? std::optional{began_ + shift + *step} : std::nullopt;
}

std::vector<beacon_schedule::due> beacon_schedule::take_due(instant now, std::size_t most) {
    std::vector<due> some;
    while (!queue_.empty() && queue_.begin()->first <= now && some.size() < most) {
        const device_tag device = queue_.extract(queue_.begin()).value().second;
        progress how_far = told_.at(device);
        some.push_back({.device = device, .sent = how_far.sent++});
        if (const auto next = after(now, how_far.shift)) {
            how_far.next = *next;
            put(device, how_far);
        } else {
            told_.erase(device);
        }
    }
    return some;
}

std::optional<instant> beacon_schedule::next_due() const {
    return queue_.empty() ? std::nullopt : std::optional{queue_.begin()->first};
}

} // namespace almenara::server
