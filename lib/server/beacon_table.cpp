#include "server/beacon_table.hpp"

#include <algorithm>

namespace almenara::server {

namespace {

constexpr duration between_sweeps = std::chrono::seconds{5};
/// A full table is looked at in pieces, for nobody may wait for it.
constexpr std::size_t swept_at_once = 1024;
constexpr duration between_shares = std::chrono::milliseconds{10};

} // namespace

bool beacon_table::counts(const place& what, source from, instant now) {
    return what.own > now || (from == source::any && what.told > now);
}

beacon_table::place* beacon_table::place_for(device_tag device,
                                             const wire::datagram_address& at,
                                             instant now) {
    const auto found = devices_.find(device);
    if (found == devices_.end() && devices_.size() >= most_.devices) {
        return nullptr;
    }
    if (devices_.empty()) {
        next_sweep_ = now + between_sweeps;
    }
    places& known = found == devices_.end() ? devices_[device] : found->second;
    if (!known.contains(at) && known.size() >= most_addresses) {
        known.erase(std::min_element(known.begin(), known.end(), [](const auto& a, const auto& b) {
            return std::max(a.second.own, a.second.told) < std::max(b.second.own, b.second.told);
        }));
    }
    return &known[at];
}

bool beacon_table::registers(device_tag device, const wire::datagram_address& at, instant now) {
    place* const where = place_for(device, at, now);
    if (where != nullptr) {
        where->own = now + most_.registration;
    }
    return where != nullptr;
}

bool beacon_table::told(device_tag device, const wire::datagram_address& at, instant now) {
    place* const where = place_for(device, at, now);
    if (where != nullptr) {
        where->told = now + most_.presence;
    }
    return where != nullptr;
}

void beacon_table::told_gone(device_tag device, const wire::datagram_address& at) {
    const auto found = devices_.find(device);
    if (found == devices_.end()) {
        return;
    }
    const auto where = found->second.find(at);
    if (where != found->second.end()) {
        where->second.told = {}; // What the device said here itself counts on.
    }
}

std::vector<wire::datagram_address> beacon_table::addresses(device_tag device,
                                                            source from,
                                                            instant now) const {
    std::vector<wire::datagram_address> some;
    const auto found = devices_.find(device);
    if (found != devices_.end()) {
        for (const auto& [at, until] : found->second) {
            if (counts(until, from, now)) {
                some.push_back(at);
            }
        }
    }
    return some;
}

std::vector<device_tag> beacon_table::devices(source from, instant now) const {
    std::vector<device_tag> some;
    for (const auto& [device, known] : devices_) {
        if (std::any_of(known.begin(), known.end(),
                        [&](const auto& one) { return counts(one.second, from, now); })) {
            some.push_back(device);
        }
    }
    return some;
}

std::vector<device_tag> beacon_table::sweep(instant now) {
    std::vector<device_tag> lost;
    if (devices_.empty() || now < next_sweep_) {
        return lost;
    }
    auto at = devices_.lower_bound(next_to_sweep_);
    for (std::size_t looked_at = 0; at != devices_.end() && looked_at < swept_at_once;
         ++looked_at) {
        const bool loses = std::erase_if(at->second, [now](const auto& one) {
                               return !counts(one.second, source::any, now);
                           }) > 0;
        if (loses) {
            lost.push_back(at->first);
        }
        at = at->second.empty() ? devices_.erase(at) : std::next(at);
    }
    const bool is_through = at == devices_.end();
    next_to_sweep_ = is_through ? device_tag{} : at->first;
    next_sweep_ = now + (is_through ? between_sweeps : between_shares);
    return lost;
}

std::optional<instant> beacon_table::next_sweep() const {
    return devices_.empty() ? std::nullopt : std::optional{next_sweep_};
}

} // namespace almenara::server
