#include "sim/forger.hpp"

#include "wire/beacon.hpp"

#include <array>
#include <utility>
#include <variant>

namespace almenara::sim {

void forger::overhears(node to, base::byte_view bytes) {
    forgery heard{.to = to, .bytes = {bytes.begin(), bytes.end()}};
    if (kept_.size() < most_kept) {
        kept_.push_back(std::move(heard));
    } else {
        kept_[oldest_++ % most_kept] = std::move(heard);
    }
}

void forger::learn(device_tag device, const base::key256& key) {
    stolen_ = {device, key};
}

std::optional<forger::forgery> forger::next() {
    if (kept_.empty()) {
        return std::nullopt;
    }
    forgery made = kept_[luck_.below(kept_.size())];
    if (luck_.one_in(4)) {
        made.to = kept_[luck_.below(kept_.size())].to; // Somebody else's.
    }
    switch (luck_.below(4)) {
    case 0:
        break; // As it was.
    case 1:
        made.bytes[luck_.below(made.bytes.size())] ^= static_cast<std::byte>(1U << luck_.below(8));
        break;
    case 2:
        made.bytes.resize(luck_.below(made.bytes.size()));
        break;
    default:
        made.bytes = announcement();
        break;
    }
    return made;
}

/// Of any primary in any epoch, near or far. Sealed as it should be, if he can.
base::byte_vector forger::announcement() {
    wire::u_coord what;
    for (const forgery& each : kept_) {
        const auto known = wire::parse_datagram(each.bytes);
        if (const auto* const one = known ? std::get_if<wire::u_coord>(&*known) : nullptr) {
            what = *one;
        }
    }
    std::array<std::byte, 32> made_up{};
    made_up[0] = static_cast<std::byte>(luck_.below(256));
    base::key256 key{made_up};
    if (stolen_ && luck_.one_in(2)) {
        what.device = stolen_->first;
        key = stolen_->second;
    }
    what.primary = server_id{static_cast<server_id::rep>(1 + luck_.below(8))};
    const std::uint64_t far = luck_.one_in(2) ? luck_.below(4) : luck_.number();
    what.epoch = epoch{what.epoch.value() + far};
    what.config_index = log_index{luck_.number()};
    return wire::to_bytes(what, key);
}

} // namespace almenara::sim
