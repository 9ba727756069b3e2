#include "server/beacon_desk.hpp"

#include "base/check.hpp"
#include "base/little_endian.hpp"

#include <algorithm>
#include <variant>

namespace almenara::server {

namespace {

/// C.2: a cookie is good in the period that it was made in, and in the next.
constexpr duration cookie_period = std::chrono::minutes{2};

constexpr duration between_rounds = std::chrono::seconds{15};

/// Devices that are told in one turn; each has beacon_table::most_addresses at most.
constexpr std::size_t announced_at_once = 256;

std::uint64_t period_of(instant now) {
    return static_cast<std::uint64_t>(now.since_origin() / cookie_period);
}

/// Nobody is at another one, and two ways to write one would be two addresses.
bool is_usable(const wire::datagram_address& at) {
    const bool is_tidy =
        at.is_v6 || std::all_of(at.ip.begin() + 4, at.ip.end(),
                                [](std::byte unused) { return unused == std::byte{}; });
    return at.port != 0 && is_tidy;
}

/// In messages of their largest size.
std::vector<wire::presence> in_messages(std::vector<wire::device_presence>&& all) {
    std::vector<wire::presence> messages;
    for (std::size_t at = 0; at < all.size(); at += wire::presence::most_devices) {
        const std::size_t count = std::min(wire::presence::most_devices, all.size() - at);
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(at);
        messages.push_back({.devices = {first, first + static_cast<std::ptrdiff_t>(count)}});
    }
    return messages;
}

} // namespace

beacon_desk::beacon_desk(const settings& wanted)
    : announce_key_(wanted.announce_key),
      cookie_key_(wanted.cookie_key),
      most_answers_(wanted.most_answers),
      most_answers_to_device_(wanted.most_answers_to_device),
      table_(wanted.table) {}

// -- Registrations --------------------------------------------------------------------------------

void beacon_desk::received(const wire::datagram_address& from, base::byte_view bytes, instant now) {
    const auto what = wire::parse_datagram(bytes);
    if (!what || !is_usable(from)) {
        ++counts_.nonsense;
        return;
    }
    const auto* const asked = std::get_if<wire::u_register>(&*what);
    if (asked == nullptr) {
        ++counts_.unexpected;
        return;
    }
    if (asked->cluster != cluster_) {
        ++counts_.foreign;
        return;
    }
    // Before anything is kept, and before anything is answered.
    if (!wire::is_authentic(bytes, wire::beacon_key(announce_key_, asked->device))) {
        ++counts_.forged;
        return;
    }
    // C.2: a registration that was recorded and comes again from a forged source makes nobody a
    // target: who does not hear what is sent there has no cookie.
    const bool is_proved = is_valid(asked->cookie, from, now);
    if (is_proved && !registers(asked->device, from, now)) {
        ++counts_.no_room;
        return;
    }
    // Whoever repeats a recorded one from anywhere takes nothing from those who prove their
    // address.
    if (!may_answer({asked->device, is_proved}, now)) {
        ++counts_.unanswered;
        return;
    }
    answer(*asked, from, now);
}

bool beacon_desk::registers(device_tag device, const wire::datagram_address& from, instant now) {
    if (!table_.registers(device, from, now)) {
        return false;
    }
    ++counts_.registered;
    if (office_ && !office_->attached.contains(device)) {
        schedule_.join(device, now);
    }
    changed(device);
    return true;
}

bool beacon_desk::is_valid(const wire::beacon_cookie& shown,
                           const wire::datagram_address& from,
                           instant now) const {
    const wire::beacon_cookie::rep cookie = shown.value();
    const std::uint64_t period = period_of(now);
    const auto is_of = [&](std::uint64_t which) {
        const wire::beacon_cookie::rep made = cookie_of(from, which).value();
        return base::equal_in_constant_time(made, cookie);
    };
    return is_of(period) || (period > 0 && is_of(period - 1));
}

wire::beacon_cookie beacon_desk::cookie_of(const wire::datagram_address& from,
                                           std::uint64_t period) const {
    base::byte_vector text{from.ip.begin(), from.ip.end()};
    text.push_back(from.is_v6 ? std::byte{6} : std::byte{4});
    const std::size_t before = text.size();
    text.resize(before + sizeof(from.port) + sizeof(period));
    base::put_fixed(text.data() + before, from.port);
    base::put_fixed(text.data() + before + sizeof(from.port), period);
    return wire::beacon_cookie{base::blake2b_128(cookie_key_, text)};
}

bool beacon_desk::may_answer(asker who, instant now) {
    if (now - second_began_ >= std::chrono::seconds{1}) {
        second_began_ = now;
        answers_ = 0;
        answers_to_.clear();
    }
    if (answers_ >= most_answers_ || answers_to_[who] >= most_answers_to_device_) {
        return false;
    }
    ++answers_;
    ++answers_to_[who];
    return true;
}

void beacon_desk::answer(const wire::u_register& asked,
                         const wire::datagram_address& from,
                         instant now) {
    base::byte_vector bytes =
        wire::to_bytes(wire::u_reg_ack{.cluster = asked.cluster,
                                       .device = asked.device,
                                       .nonce = asked.nonce,
                                       .cookie = cookie_of(from, period_of(now))},
                       wire::beacon_key(announce_key_, asked.device));
    // C.2: an address that has proved nothing yet never gets more than it sent.
    ALMENARA_CHECK(bytes.size() <= wire::register_size);
    ++counts_.answered;
    leaving_.push_back({.to = from, .bytes = std::move(bytes)});
}

// -- Who rules ------------------------------------------------------------------------------------

void beacon_desk::new_primary(news what, instant now) {
    if (!is_news(what.epoch)) {
        return;
    }
    news_ = std::move(what);
    std::erase_if(news_.addresses, [](const auto& at) { return !is_usable(at); });
    news_.addresses.resize(std::min(news_.addresses.size(), wire::u_coord::most_addresses));
    office_.reset();
    if (news_.is_this_server) {
        office_.emplace();
        office_->next_round = now + between_rounds;
        schedule_.begin(beacon_schedule::teller::primary,
                        table_.devices(beacon_table::source::any, now), now);
    } else {
        // C.2: by another path, to those whose filters let datagrams of this server pass.
        schedule_.begin(beacon_schedule::teller::backup,
                        table_.devices(beacon_table::source::own, now), now);
    }
}

void beacon_desk::left_office() {
    if (office_) {
        office_.reset();
        schedule_.end();
    }
}

void beacon_desk::attached(device_tag device) {
    if (office_) {
        office_->attached.insert(device);
        schedule_.leave(device);
        changed(device);
    }
}

void beacon_desk::gone(device_tag device) {
    if (office_) {
        office_->attached.erase(device);
        changed(device);
    }
}

void beacon_desk::announce(const beacon_schedule::due& whom, instant now) {
    const auto heard_at = table_.addresses(
        whom.device, news_.is_this_server ? beacon_table::source::any : beacon_table::source::own,
        now);
    if (heard_at.empty() || !cluster_) {
        return;
    }
    const base::byte_vector bytes = wire::to_bytes(wire::u_coord{.cluster = *cluster_,
                                                                 .device = whom.device,
                                                                 .epoch = news_.epoch,
                                                                 .primary = news_.primary,
                                                                 .addresses = news_.addresses,
                                                                 .config_index = news_.config_index,
                                                                 .sent = whom.sent},
                                                   wire::beacon_key(announce_key_, whom.device));
    for (const wire::datagram_address& at : heard_at) {
        ++counts_.announced;
        leaving_.push_back({.to = at, .bytes = bytes});
    }
}

// -- PRESENCE -------------------------------------------------------------------------------------

void beacon_desk::told(const wire::presence& what, instant now) {
    if (office_) {
        return; // Who rules knows it better.
    }
    for (const wire::device_presence& one : what.devices) {
        if (!is_usable(one.address)) {
            continue;
        }
        if (one.state == wire::presence_state::gone) {
            table_.told_gone(one.device, one.address);
            ++counts_.departures;
        } else if (one.state == wire::presence_state::attached) {
            const bool has_room = table_.told(one.device, one.address, now);
            ++(has_room ? counts_.presences : counts_.no_room);
        }
    }
}

void beacon_desk::changed(device_tag device) {
    if (office_) {
        office_->changed.insert(device);
    }
}

void beacon_desk::compare(device_tag device,
                          instant now,
                          std::vector<wire::device_presence>& into) {
    std::set<wire::datagram_address> here;
    if (office_->attached.contains(device)) {
        for (const auto& at : table_.addresses(device, beacon_table::source::own, now)) {
            here.insert(at);
        }
    }
    const auto told = office_->told.find(device);
    const auto before =
        told == office_->told.end() ? std::set<wire::datagram_address>{} : told->second;
    for (const auto& at : here) {
        if (!before.contains(at)) {
            into.push_back({device, at, wire::presence_state::attached});
        }
    }
    for (const auto& at : before) {
        if (!here.contains(at)) {
            into.push_back({device, at, wire::presence_state::gone});
        }
    }
    if (here.empty()) {
        office_->told.erase(device);
    } else {
        office_->told.insert_or_assign(device, std::move(here));
    }
}

std::vector<wire::presence> beacon_desk::take_presence(instant now) {
    std::vector<wire::device_presence> all;
    if (!office_) {
        return {};
    }
    if (now >= office_->next_round) {
        office_->next_round = now + between_rounds;
        for (const auto& [device, addresses] : office_->told) {
            for (const auto& at : addresses) {
                all.push_back({device, at, wire::presence_state::attached});
            }
        }
    }
    for (const device_tag device : std::exchange(office_->changed, {})) {
        compare(device, now, all);
    }
    return in_messages(std::move(all));
}

// -- Time -----------------------------------------------------------------------------------------

void beacon_desk::due(instant now) {
    for (const beacon_schedule::due& one : schedule_.take_due(now, announced_at_once)) {
        announce(one, now);
    }
    for (const device_tag device : table_.sweep(now)) {
        changed(device);
    }
}

std::optional<instant> beacon_desk::next_wake() const {
    instant next = schedule_.next_due().value_or(instant::max());
    next = std::min(next, table_.next_sweep().value_or(instant::max()));
    if (office_ && !office_->told.empty()) {
        next = std::min(next, office_->next_round);
    }
    return next == instant::max() ? std::nullopt : std::optional{next};
}

} // namespace almenara::server
