#include "client/failover.hpp"
#include "client/rules.hpp"

#include <chrono>
#include <utility>

/// The part of the client that hears datagrams (C.2). What they say is a hint: the server that is
/// named is asked, over its connection.
namespace almenara::client {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t hints_per_second = 10;

} // namespace

void failover::register_with_servers(instant now) {
    if (!options_.follow.has(source::beacon)) {
        return;
    }
    for (beacon_ear::registration& each : ear_.due(now, routes_.all())) {
        out_.datagrams.push_back(
            {.addresses = routes_.at(each.to).addresses, .bytes = std::move(each.bytes)});
    }
}

void failover::datagram(instant now, base::byte_view bytes) {
    if (left_ || !options_.follow.has(source::beacon)) {
        return;
    }
    if (const auto announced = ear_.heard(now, bytes)) {
        judge(*announced, now);
    }
}

void failover::judge(const wire::u_coord& what, instant now) {
    // C.2: duplicates and old ones are dropped by the epoch alone.
    const std::optional<server_id> known =
        hint_ && hint_->epoch >= epoch_seen_ ? std::optional{hint_->server} : ruler_;
    const epoch newest = std::max(epoch_seen_, hint_ ? hint_->epoch : epoch{});
    if (what.epoch == newest && known && *known != what.primary) {
        ++hint_counts_.contradicted;
        out_.news.emplace_back(
            contradiction{.epoch = what.epoch, .known = *known, .announced = what.primary});
        return;
    }
    if (what.epoch < newest || (what.epoch == newest && known)) {
        ++hint_counts_.old;
        return;
    }
    // C.2: without TLS nobody is followed to an address that the member list does not have, so what
    // the datagram says of addresses is not looked at.
    const auto way = routes_.find(what.primary);
    if (!way) {
        ++hint_counts_.unknown;
    } else if (is_one_hint_too_many(now)) {
        ++hint_counts_.too_many;
    } else {
        take_hint({.server = what.primary, .route = *way, .epoch = what.epoch}, now);
    }
}

bool failover::is_one_hint_too_many(instant now) {
    std::erase_if(hinted_, [now](instant then) { return then + 1s <= now; });
    if (hinted_.size() >= hints_per_second) {
        return true;
    }
    hinted_.push_back(now);
    return false;
}

void failover::take_hint(const hint& what, instant now) {
    ++hint_counts_.taken;
    hint_ = what;
    routes_.at(what.route).whois_at = now;
    if (!holds(rule::seen_by_replies_only)) {
        epoch_seen_ = what.epoch;
    }
    if (!holds(rule::announcement_is_a_hint)) {
        look_for_primary(now);
        follow(what.route, source::beacon);
    }
}

/// The server says otherwise, or nothing. The next datagram may name it again.
void failover::refute_hint(route_number way) {
    if (is_hinted(way)) {
        ++hint_counts_.refuted;
        hint_.reset();
    }
}

} // namespace almenara::client
