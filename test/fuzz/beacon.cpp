// Any datagrams from anywhere, and whatever happens to the office, against the beacon's desk: an
// answer goes to who asked and is never larger than what came; who showed no cookie that was sent
// to its address is never told anything else, nor are the backups told of it; a U_COORD says what
// is so; the table is bounded; and time alone brings everything to its end.
#include "fuzz/beacon_input.hpp"
#include "fuzz/steps.hpp"
#include "fuzz/target.hpp"
#include "server/beacon_desk.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <variant>
#include <vector>

namespace almenara::fuzz {

namespace {

using namespace std::chrono_literals;
using server::beacon_desk;

constexpr std::size_t most_devices = 4;
constexpr unsigned all_devices = 6;
constexpr unsigned all_places = 12;
constexpr cluster_id own_cluster{{std::byte{1}}};

base::key256 key_of(unsigned char first) {
    std::array<std::byte, 32> bytes{};
    bytes.front() = std::byte{first};
    return base::key256{bytes};
}

device_tag device_at(std::uint8_t which) {
    return device_tag{std::uint64_t{1} + which % all_devices};
}

/// IPv4 and IPv6, some with the same port; at some nobody can be.
wire::datagram_address place_at(std::uint8_t which) {
    wire::datagram_address at;
    at.ip = {std::byte{127}, std::byte{0}, std::byte{0},
             static_cast<std::byte>(which / all_places % 2)};
    at.is_v6 = which % 5 == 4;
    at.port = static_cast<std::uint16_t>(which % all_places);
    return at;
}

class play {
  public:
    play() { desk_.belongs_to(own_cluster); }

    void step(numbers& input) {
        const auto chosen = input.next() % static_cast<unsigned>(beacon_step::count_);
        switch (static_cast<beacon_step>(chosen)) {
        case beacon_step::ask: {
            const device_tag device = device_at(input.next());
            comes(place_at(input.next()), sealed(registration(device, {})));
            break;
        }
        case beacon_step::come_back: {
            const device_tag device = device_at(input.next());
            const auto from = place_at(input.next());
            comes(from, sealed(registration(device, last_cookie_[from])));
            break;
        }
        case beacon_step::replay: {
            const std::uint8_t which = input.next();
            comes(place_at(input.next()), recorded(which));
            break;
        }
        case beacon_step::damage: {
            base::byte_vector bytes = recorded(input.next());
            const auto from = place_at(input.next());
            const std::uint8_t offset = input.next();
            if (!bytes.empty()) {
                bytes[offset % bytes.size()] = std::byte{input.next()};
            }
            comes(from, std::move(bytes));
            break;
        }
        case beacon_step::bytes: {
            const auto from = place_at(input.next());
            const base::byte_view some = input.bytes(input.next());
            comes(from, {some.begin(), some.end()});
            break;
        }
        case beacon_step::servers: {
            const device_tag device = device_at(input.next());
            const auto from = place_at(input.next());
            comes(from, sealed(wire::u_reg_ack{.cluster = tag_, .device = device}));
            comes(from, sealed(wire::u_coord{.cluster = tag_, .device = device}));
            break;
        }
        case beacon_step::rule:
            new_primary(input.next(), true);
            break;
        case beacon_step::follow:
            new_primary(input.next(), false);
            break;
        case beacon_step::resign:
            desk_.left_office();
            break;
        case beacon_step::attach: {
            const device_tag device = device_at(input.next());
            attached_.insert(device);
            desk_.attached(device);
            break;
        }
        case beacon_step::leave: {
            const device_tag device = device_at(input.next());
            attached_.erase(device);
            desk_.gone(device);
            break;
        }
        case beacon_step::presence:
            told_by_primary(input);
            break;
        case beacon_step::wait:
            now_ = now_ + 100ms * input.next();
            break;
        case beacon_step::look:
        case beacon_step::count_:
            desk_.due(now_);
            break;
        }
        turn();
    }

    /// Nobody says anything more: what was known is forgotten, and nothing is due for ever.
    void end() {
        constexpr unsigned most_looks = 10'000;
        auto next = desk_.next_wake();
        for (unsigned looks = 0; next && looks < most_looks; ++looks) {
            now_ = std::max(now_, *next);
            desk_.due(now_);
            turn();
            next = desk_.next_wake();
        }
        ALMENARA_CHECK(!next && desk_.devices() == 0);
    }

  private:
    [[nodiscard]] wire::u_register registration(device_tag device,
                                                wire::beacon_cookie cookie) const {
        return {
            .cluster = tag_, .device = device, .nonce = wire::datagram_nonce{7}, .cookie = cookie};
    }
    template <class Datagram>
    [[nodiscard]] base::byte_vector sealed(const Datagram& what) const {
        return wire::to_bytes(what, wire::beacon_key(announces_, what.device));
    }
    [[nodiscard]] base::byte_vector recorded(std::uint8_t which) const {
        return came_.empty() ? base::byte_vector{} : came_[which % came_.size()];
    }

    void comes(const wire::datagram_address& from, base::byte_vector bytes) {
        const auto what = wire::parse_datagram(bytes);
        const auto* const asked = what ? std::get_if<wire::u_register>(&*what) : nullptr;
        if (asked != nullptr && sent_to_[from].contains(asked->cookie)) {
            proven_.insert({asked->device, from});
        }
        desk_.received(from, bytes, now_);
        const auto answers = desk_.take_datagrams();
        ALMENARA_CHECK(answers.size() <= 1);
        for (const server::outgoing_datagram& one : answers) {
            ALMENARA_CHECK(one.to == from && one.bytes.size() <= bytes.size());
            const auto answer = wire::parse_datagram(one.bytes);
            ALMENARA_CHECK(answer && asked != nullptr);
            const auto* const given = std::get_if<wire::u_reg_ack>(&*answer);
            ALMENARA_CHECK(given != nullptr && given->device == asked->device &&
                           given->nonce == asked->nonce);
            sent_to_[from].insert(given->cookie);
            last_cookie_[from] = given->cookie;
        }
        came_.push_back(std::move(bytes));
    }

    void new_primary(std::uint8_t later, bool is_self) {
        const almenara::epoch next{epoch_.value() + later};
        if (next > epoch_) {
            epoch_ = next;
            primary_ = server_id{static_cast<std::uint16_t>(is_self ? 1 : 2)};
            attached_.clear();
            rules_ = is_self;
        }
        desk_.new_primary({.epoch = next,
                           .primary = server_id{static_cast<std::uint16_t>(is_self ? 1 : 2)},
                           .addresses = {place_at(1), place_at(0), place_at(4)},
                           .config_index = log_index{3},
                           .is_this_server = is_self},
                          now_);
    }

    void told_by_primary(numbers& input) {
        const device_tag device = device_at(input.next());
        const auto at = place_at(input.next());
        const auto state = static_cast<wire::presence_state>(input.next() % 3);
        if (state == wire::presence_state::attached) {
            proven_.insert({device, at}); // It was validated by the primary.
        }
        desk_.told({.devices = {{.device = device, .address = at, .state = state}}}, now_);
    }

    /// What leaves at the end of it.
    void turn() {
        for (const server::outgoing_datagram& one : desk_.take_datagrams()) {
            const auto what = wire::parse_datagram(one.bytes);
            ALMENARA_CHECK(what.has_value());
            const auto* const told = std::get_if<wire::u_coord>(&*what);
            ALMENARA_CHECK(told != nullptr && told->cluster == tag_);
            ALMENARA_CHECK(
                wire::is_authentic(one.bytes, wire::beacon_key(announces_, told->device)));
            ALMENARA_CHECK(told->epoch == epoch_ && told->primary == primary_);
            ALMENARA_CHECK(proven_.contains({told->device, one.to}));
            ALMENARA_CHECK(!rules_ || !attached_.contains(told->device));
        }
        for (const wire::presence& message : desk_.take_presence(now_)) {
            ALMENARA_CHECK(!message.devices.empty());
            for (const wire::device_presence& one : message.devices) {
                ALMENARA_CHECK(proven_.contains({one.device, one.address}));
            }
        }
        ALMENARA_CHECK(desk_.devices() <= most_devices);
    }

    const base::key256 announces_ = key_of(1);
    const wire::cluster_tag tag_ = wire::tag_of(own_cluster);
    beacon_desk desk_{{.announce_key = announces_,
                       .cookie_key = key_of(2),
                       .table = {.devices = most_devices},
                       .most_answers = 20,
                       .most_answers_to_device = 8}};
    instant now_{1h};
    almenara::epoch epoch_;
    server_id primary_;
    bool rules_ = false;
    std::set<device_tag> attached_; ///< in this office
    std::map<wire::datagram_address, wire::beacon_cookie> last_cookie_;
    std::map<wire::datagram_address, std::set<wire::beacon_cookie>> sent_to_;
    std::set<std::pair<device_tag, wire::datagram_address>> proven_;
    std::vector<base::byte_vector> came_;
};

} // namespace

} // namespace almenara::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    almenara::fuzz::numbers input{almenara::fuzz::input(data, size)};
    almenara::fuzz::play play;
    while (input.any_left()) {
        play.step(input);
    }
    play.end();
    return 0;
}
