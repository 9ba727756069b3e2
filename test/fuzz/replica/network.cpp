#include "base/check.hpp"
#include "fuzz/replica/world.hpp"
#include "fuzz/replica_input.hpp"

#include <algorithm>

// The part of the world that is between servers.
namespace almenara::fuzz {

namespace {

using namespace std::chrono_literals;

/// TCP_USER_TIMEOUT of a control connection (B.2).
constexpr duration kernel_gives_up = 400ms;

/// Bound of what a connection holds: whoever sends more to a peer that does not read waits.
constexpr std::size_t most_frames = 20'000;

way_id reverse(way_id id) {
    return {id.first, 1 - id.second};
}

std::size_t place_of(server_id id) {
    return id.value() - std::size_t{1};
}

} // namespace

void world::send(std::size_t place, const replica::outgoing& what) {
    oracles_.will_send(place, what);
    const std::uint64_t number = what.connection.value();
    const auto first = ways_.find({number, 0});
    if (first == ways_.end()) {
        return;
    }
    const way_id id{number, first->second.from == place ? 0U : 1U};
    way& direction = ways_.at(id);
    if (!direction.unanswered_since) {
        direction.unanswered_since = now_.monotonic;
    }
    if (direction.dead || direction.ended || direction.to == nobody) {
        return;
    }
    ALMENARA_CHECK(direction.frames.size() < most_frames);
    const auto milliseconds = static_cast<std::uint64_t>(now_.wall.since_epoch().count());
    direction.frames.push_back(
        {.epoch = what.epoch, .hlc = hlc_stamp{milliseconds << 16U}, .message = what.message});
    last_said_ = direction.frames.back();
}

void world::close(std::size_t place, connection_id connection) {
    for (unsigned side = 0; side < 2; ++side) {
        const auto found = ways_.find({connection.value(), side});
        if (found != ways_.end()) {
            (found->second.from == place ? found->second.ended : found->second.dead) = true;
        }
    }
}

void world::hang_up(std::uint64_t connection) {
    for (unsigned side = 0; side < 2; ++side) {
        way& direction = ways_.at({connection, side});
        if (direction.from == nobody) {
            direction.ended = true;
        }
    }
}

void world::add_way(way_id id, std::size_t from, std::size_t to) {
    ways_[id] = {
        .from = from, .to = to, .to_start = to == nobody ? std::uint64_t{0} : servers_[to].starts};
}

void world::open(std::size_t dialler, std::size_t acceptor, const replica::dial_request& what) {
    const std::uint64_t connection = next_connection_++;
    add_way({connection, 0}, dialler, acceptor);
    add_way({connection, 1}, acceptor, dialler);
    if (dialler != nobody) {
        tell(dialler, replica::connection_opened{.connection = connection_id{connection},
                                                 .kind = what.kind,
                                                 .dialled = what.peer});
    }
    if (acceptor != nobody) {
        tell(acceptor, replica::connection_opened{.connection = connection_id{connection}});
    }
}

void world::dial(std::size_t place, bool accepted) {
    server& one = servers_[place];
    if (!runs(place) || one.dials.empty()) {
        return;
    }
    const replica::dial_request what = one.dials.front();
    one.dials.pop_front();
    const std::size_t other = place_of(what.peer);
    const bool reachable = other < size() && runs(other) && !held_.contains({place, other}) &&
                           !held_.contains({other, place});
    if (accepted && reachable) {
        open(place, other, what);
    } else {
        tell(place, replica::dial_failed{.peer = what.peer, .kind = what.kind});
    }
}

std::uint64_t world::strange_connection(std::size_t place) {
    const std::uint64_t connection = next_connection_;
    open(nobody, place, {});
    return connection;
}

std::optional<std::uint64_t> world::strange_answer(std::size_t place) {
    server& one = servers_[place];
    if (!runs(place) || one.dials.empty()) {
        return std::nullopt;
    }
    const replica::dial_request what = one.dials.front();
    one.dials.pop_front();
    const std::uint64_t connection = next_connection_;
    open(place, nobody, what);
    return connection;
}

std::vector<way_id> world::ways_with_news() const {
    std::vector<way_id> found;
    for (const auto& [id, direction] : ways_) {
        if (!direction.dead && (!direction.frames.empty() || direction.ended)) {
            found.push_back(id);
        }
    }
    return found;
}

std::vector<std::uint64_t> world::connections() const {
    std::vector<std::uint64_t> found;
    for (const auto& [id, direction] : ways_) {
        if (id.second == 0) {
            found.push_back(id.first);
        }
    }
    return found;
}

void world::hand_over(std::uint64_t connection, std::size_t place, const frame_on_its_way& frame) {
    const way& dialled = ways_.at({connection, 0});
    const way& direction = dialled.to == place ? dialled : ways_.at({connection, 1});
    // A closed connection is read no more.
    if (direction.dead || place == nobody || servers_[place].starts != direction.to_start) {
        return;
    }
    tell(place, replica::frame_received{.connection = connection_id{connection},
                                        .epoch = frame.epoch,
                                        .message = *frame.message,
                                        .hlc = frame.hlc});
}

bool world::deliver_one(way_id id) {
    way& direction = ways_.at(id);
    const std::size_t to = direction.to;
    if (direction.dead || (direction.frames.empty() && !direction.ended)) {
        return false;
    }
    if (to == nobody || !runs(to) || servers_[to].starts != direction.to_start) {
        direction.dead = true;
        return false;
    }
    direction.unanswered_since.reset();
    if (direction.frames.empty()) {
        direction.dead = true;
        way& back = ways_.at(reverse(id));
        back.dead = back.dead || !back.ended;
        tell(to, replica::connection_closed{connection_id{id.first}});
        return true;
    }
    const frame_on_its_way frame = std::move(direction.frames.front());
    direction.frames.pop_front();
    hand_over(id.first, to, frame);
    return true;
}

void world::deliver(way_id id, std::size_t count) {
    for (std::size_t i = 0; i < count && deliver_one(id); ++i) {
    }
}

bool world::run_network() {
    bool worked = false;
    for (std::size_t place = 0; place < size(); ++place) {
        while (runs(place) && !servers_[place].dials.empty()) {
            dial(place, true);
            worked = true;
        }
    }
    for (const way_id& id : ways_with_news()) {
        const way& direction = ways_.at(id);
        if (!held_.contains({direction.from, direction.to})) {
            deliver(id, direction.frames.size() + 1);
            worked = true;
        }
    }
    return worked;
}

void world::run_kernel_timers() {
    std::vector<way_id> given_up;
    for (const auto& [id, direction] : ways_) {
        const bool stuck = direction.dead || held_.contains({direction.from, direction.to});
        if (stuck && direction.unanswered_since &&
            *direction.unanswered_since + kernel_gives_up <= now_.monotonic) {
            given_up.push_back(id);
        }
    }
    for (const way_id& id : given_up) {
        give_up(id);
    }
}

/// The sender's kernel ends the connection; the receiver hears nothing.
void world::give_up(way_id id) {
    way& direction = ways_.at(id);
    direction.dead = true;
    direction.frames.clear();
    direction.unanswered_since.reset();
    way& back = ways_.at(reverse(id));
    const std::size_t sender = direction.from;
    back.dead = true;
    back.frames.clear();
    if (sender != nobody && runs(sender) && servers_[sender].starts == back.to_start) {
        tell(sender, replica::connection_closed{connection_id{id.first}});
    }
}

void world::reset(std::uint64_t connection, std::uint8_t bits) {
    for (unsigned side = 0; side < 2; ++side) {
        way& direction = ways_.at({connection, side});
        const std::uint8_t hears =
            side == 0 ? reset_bits::acceptor_hears : reset_bits::dialler_hears;
        if (direction.dead) {
            continue;
        }
        if ((bits & reset_bits::frames_arrive) == 0) {
            direction.frames.clear();
        }
        direction.ended = (bits & hears) != 0;
        direction.dead = !direction.ended;
    }
}

void world::hold(std::size_t from, std::size_t to) {
    const std::pair<std::size_t, std::size_t> direction{from, to};
    if (held_.erase(direction) == 0) {
        held_.insert(direction);
    }
}

} // namespace almenara::fuzz
