#include "sim/nemesis.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>

/// What can go wrong between servers, and how it is mended.
namespace almenara::sim {

namespace {

using namespace std::chrono_literals;

std::vector<std::pair<node, node>> one_way(const std::set<node>& from, const std::set<node>& to) {
    std::vector<std::pair<node, node>> ways;
    for (const node x : from) {
        for (const node y : to) {
            ways.emplace_back(x, y);
        }
    }
    return ways;
}

} // namespace

std::uint64_t nemesis::mend_later(duration after, std::function<void()> how) {
    const std::uint64_t number = ++last_mend_;
    mends_.emplace(number, std::move(how));
    around_.time.add(around_.time.now() + after, task::fault_over, 0, number);
    return number;
}

void nemesis::mend_now(std::uint64_t number) {
    if (auto mend = mends_.extract(number)) {
        mend.mapped()();
    }
}

/// E6: a chunk that comes when the prospect follows a new primary already is the worst of all.
void nemesis::hold_chunk(server_id from, server_id to) {
    const auto who = std::find_if(victims_.begin(), victims_.end(),
                                  [&](const auto& one) { return one->id() == to; });
    if (stopped_ || !(*who)->runs()) {
        return;
    }
    ++late_chunks_;
    around_.net.clog(node_of(from), node_of(to));
    const std::uint64_t number = mend_later(luck_.between(500ms, 4s), [this, from, to] {
        around_.net.unclog(node_of(from), node_of(to));
    });
    let_go_when_newer(number, **who, (*who)->status()->last.epoch);
}

void nemesis::let_go_when_newer(std::uint64_t number, const server& who, epoch than) {
    if (who.runs() && who.status()->last.epoch > than) {
        return mend_now(number);
    }
    if (!stopped_ && mends_.contains(number)) {
        mend_later(500us, [this, number, &who, than] { let_go_when_newer(number, who, than); });
    }
}

/// As soon as a chunk of a pull is sent that will be late.
void nemesis::mend_at_late_chunk(std::uint64_t number, std::uint64_t chunks) {
    if (late_chunks_ != chunks) {
        return mend_now(number);
    }
    if (!stopped_ && mends_.contains(number)) {
        mend_later(10ms, [this, number, chunks] { mend_at_late_chunk(number, chunks); });
    }
}

std::set<node> nemesis::others(const std::set<node>& than) const {
    std::set<node> rest;
    for (const auto& who : victims_) {
        if (!than.contains(node_of(who->id()))) {
            rest.insert(node_of(who->id()));
        }
    }
    return rest;
}

std::set<node> nemesis::random_half() {
    std::set<node> half;
    while (half.size() < victims_.size() / 2) {
        half.insert(node_of(any().id()));
    }
    return half;
}

node nemesis::any_of(const std::set<node>& some) {
    return *std::next(some.begin(), static_cast<std::ptrdiff_t>(luck_.below(some.size())));
}

void nemesis::take_sides(std::set<node>& one, std::set<node>& other) {
    if (luck_.one_in(2)) {
        return;
    }
    around_.seen.saw(sight::client_cut_off);
    for (const node client : clients_) {
        (luck_.one_in(2) ? one : other).insert(client);
    }
}

nemesis::direction nemesis::any_direction() {
    const node one = node_of(any().id());
    std::set<node> peers = others({one});
    if (!clients_.empty() && luck_.one_in(3)) {
        around_.seen.saw(sight::client_cut_off);
        peers = {clients_.begin(), clients_.end()};
    }
    const node other = any_of(peers);
    return luck_.one_in(2) ? direction{one, other} : direction{other, one};
}

std::vector<nemesis::direction> nemesis::both_ways(const std::set<node>& a,
                                                   const std::set<node>& b) const {
    std::vector<direction> ways;
    for (const node x : a) {
        for (const node y : b) {
            ways.emplace_back(x, y);
            ways.emplace_back(y, x);
        }
    }
    return ways;
}

std::vector<nemesis::direction> nemesis::among(const std::set<node>& all) const {
    std::vector<direction> ways = both_ways(all, all);
    std::erase_if(ways, [](const direction& way) { return way.first == way.second; });
    std::sort(ways.begin(), ways.end());
    ways.erase(std::unique(ways.begin(), ways.end()), ways.end());
    return ways;
}

std::vector<nemesis::direction> nemesis::chain() {
    std::vector<node> order;
    for (const auto& who : victims_) {
        order.insert(order.begin() + static_cast<std::ptrdiff_t>(luck_.below(order.size() + 1)),
                     node_of(who->id()));
    }
    std::vector<direction> ways;
    for (std::size_t i = 0; i < order.size(); ++i) {
        for (std::size_t j = i + 2; j < order.size(); ++j) {
            ways.emplace_back(order[i], order[j]);
            ways.emplace_back(order[j], order[i]);
        }
    }
    return ways;
}

std::uint64_t nemesis::cut(std::vector<direction> ways, duration length) {
    for (const auto& [from, to] : ways) {
        around_.tale.tell(around_.time.now(), "bad", "nothing goes from {} to {}", from, to);
        around_.net.block(from, to);
    }
    return mend_later(length, [this, ways = std::move(ways)] {
        for (const auto& [from, to] : ways) {
            around_.tale.tell(around_.time.now(), "bad", "{} to {} is mended", from, to);
            around_.net.unblock(from, to);
        }
    });
}

void nemesis::swizzle() {
    std::vector<direction> ways = both_ways(others({}), others({}));
    std::erase_if(ways, [](const direction& way) { return way.first >= way.second; });
    for (const direction& way : ways) {
        const duration stops = luck_.between(0ms, 1s);
        const duration goes_on = stops + luck_.between(100ms, 2s);
        mend_later(stops, [this, way, length = goes_on - stops] {
            around_.net.clog(way.first, way.second);
            around_.net.clog(way.second, way.first);
            const auto go_on = [this, way] {
                around_.net.unclog(way.first, way.second);
                around_.net.unclog(way.second, way.first);
            };
            if (stopped_) {
                return go_on();
            }
            mend_later(length, go_on);
        });
    }
}

void nemesis::flap() {
    const node a = node_of(any().id());
    const node b = any_of(others({a}));
    for (int i = 0; i < 5; ++i) {
        mend_later(i * 1s, [this, a, b] {
            if (!stopped_) {
                cut({{a, b}, {b, a}}, 500ms);
            }
        });
    }
}

const server* nemesis::primary() const {
    for (const auto& who : victims_) {
        if (who->runs() && who->status()->role == replica::role_name::primary) {
            return who.get();
        }
    }
    return nullptr;
}

// E6: `hub` falls behind; then nobody reaches anybody and the primary's tail stays its own; then
// all reach the hub and nobody else. The others find each other again before the old primary does.
void nemesis::constrain() {
    const server* const old = primary();
    if (old == nullptr) {
        return;
    }
    const node top = node_of(old->id());
    const node hub = any_of(others({top}));
    const std::set<node> rest = others({top, hub});
    const duration behind = luck_.between(100ms, 300ms);
    const duration silent = behind + luck_.between(420ms, 700ms);
    const duration star = silent + luck_.between(800ms, 2500ms);
    cut(both_ways({hub}, others({hub})), silent);
    mend_later(behind, [this, top, rest, star, behind] {
        if (stopped_) {
            return;
        }
        const std::uint64_t apart = cut(among(rest), star - behind);
        mend_at_late_chunk(apart, late_chunks_);
        cut(both_ways({top}, rest), star - behind + luck_.between(1s, 4s));
    });
}

void nemesis::strike_network(fault what) {
    const duration length = luck_.draw({.usual = 900ms, .most = 8s});
    std::set<node> one{node_of(any().id())};
    std::set<node> all = others(one);
    std::set<node> half = random_half();
    std::set<node> rest = others(half);
    switch (what) {
    case fault::halves:
        around_.seen.saw(sight::partition);
        take_sides(half, rest);
        cut(both_ways(half, rest), length);
        return;
    case fault::isolate:
        around_.seen.saw(sight::partition);
        take_sides(one, all);
        cut(both_ways(one, all), length);
        return;
    case fault::bridge:
        around_.seen.saw(sight::partition);
        rest.erase(any_of(rest));
        cut(both_ways(half, rest), length);
        return;
    case fault::constrained:
        return constrain();
    case fault::chain:
        around_.seen.saw(sight::partition);
        cut(chain(), length);
        return;
    case fault::one_way:
        around_.seen.saw(sight::one_way_cut);
        cut({any_direction()}, length);
        return;
    case fault::deaf:
    case fault::mute: {
        around_.seen.saw(sight::one_way_cut);
        take_sides(one, all);
        cut(what == fault::deaf ? one_way(all, one) : one_way(one, all), length);
        return;
    }
    case fault::clog: {
        const auto way = any_direction();
        around_.net.clog(way.first, way.second);
        mend_later(length, [this, way] { around_.net.unclog(way.first, way.second); });
        return;
    }
    case fault::swizzle:
        return swizzle();
    case fault::flap:
        return flap();
    case fault::reset:
        return around_.net.reset_one_side(luck_) ? around_.seen.saw(sight::reset) : void();
    default:
        return around_.net.swallow_one(luck_) ? around_.seen.saw(sight::half_open) : void();
    }
}

} // namespace almenara::sim
