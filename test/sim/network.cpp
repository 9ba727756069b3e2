#include "sim/network.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <utility>

namespace almenara::sim {

network::network(agenda& time, dice luck, hosts& ends, const network_habits& habits)
    : time_(time), luck_(luck), hosts_(ends), habits_(habits) {}

// -- Paths ----------------------------------------------------------------------------------------

network::path& network::between(node from, node to) {
    ALMENARA_CHECK(from.value() < most_nodes && to.value() < most_nodes);
    return paths_[std::size_t{from.value()} * most_nodes + to.value()];
}

bool network::passes(node from, node to) {
    const path& way = between(from, to);
    return way.cuts == 0 && way.clogs == 0;
}

bool network::acks_pass(node from, node to) {
    return between(from, to).cuts == 0 && between(to, from).cuts == 0;
}

void network::block(node from, node to) {
    ++between(from, to).cuts;
}

void network::unblock(node from, node to) {
    ALMENARA_CHECK(between(from, to).cuts > 0);
    --between(from, to).cuts;
    // What was lost is sent again when its timer says so.
    flow_again(from, to, luck_.between(duration{0}, habits_.retransmission));
}

void network::clog(node from, node to) {
    ++between(from, to).clogs;
}

void network::unclog(node from, node to) {
    ALMENARA_CHECK(between(from, to).clogs > 0);
    --between(from, to).clogs;
    flow_again(from, to, luck_.draw(habits_.delay));
}

void network::flow_again(node from, node to, duration pause) {
    for (auto& [connection, of] : lines_) {
        for (std::size_t way = 0; way < 2; ++way) {
            const node a = of.ends[way];
            const node b = of.ends[1 - way];
            if (!(a == from && b == to) && !(a == to && b == from)) {
                continue;
            }
            if (acks_pass(a, b) && !of.swallowed) {
                of.ways[way].unacked_since.reset();
            }
            if (passes(a, b) && of.ways[way].stalled) {
                resend(connection, of, way, pause);
            }
        }
    }
}

void network::resend(connection_id connection, line& of, std::size_t way, duration pause) {
    direction& stalled = of.ways[way];
    stalled.stalled = false;
    const instant again = time_.now() + pause;
    for (parcel& waiting : stalled.queue) {
        waiting.due = std::max(waiting.due, again);
    }
    stalled.last_due = std::max(stalled.last_due, again);
    time_.add(again, task::parcel, static_cast<std::uint32_t>(way), connection.value());
}

// -- Dialling -------------------------------------------------------------------------------------

void network::dial(node from, node to, line_kind kind) {
    const std::uint64_t number = ++last_dial_;
    dials_.emplace(number,
                   pending_dial{.from = from, .to = to, .kind = kind, .life = hosts_.life(from)});
    time_.add(time_.now() + luck_.draw(habits_.delay), task::handshake, from.value(), number);
}

void network::handshake(std::uint64_t number) {
    pending_dial& dial = dials_.at(number);
    const instant now = time_.now();
    instant over = now + luck_.draw(habits_.delay);
    if (!passes(dial.from, dial.to) || !passes(dial.to, dial.from) || !hosts_.powered(dial.to)) {
        over = now + habits_.dial_timeout;
    } else if (hosts_.listens(dial.to)) {
        last_connection_ = last_connection_.next();
        dial.connection = last_connection_;
        line& made = lines_[last_connection_];
        made.kind = dial.kind;
        made.ends = {dial.from, dial.to};
        // Nothing may arrive at the dialler before it knows of the connection.
        made.ways[1].last_due = over;
        if (hosts_.life(dial.from) != dial.life) {
            made.open[0] = false;
            post(last_connection_, 0, line_end{.reset = true});
        }
    }
    time_.add(over, task::dial_over, dial.from.value(), number);
    if (dial.connection) {
        hosts_.accepted(dial.to, *dial.connection, dial.kind);
    }
}

void network::dial_over(std::uint64_t number) {
    const pending_dial dial = dials_.at(number);
    dials_.erase(number);
    if (hosts_.life(dial.from) != dial.life || !hosts_.listens(dial.from)) {
        return;
    }
    if (!dial.connection) {
        hosts_.dial_failed(dial.from, dial.to, dial.kind);
        return;
    }
    const line* made = find(*dial.connection);
    if (made == nullptr || !made->open[0]) {
        hosts_.dial_failed(dial.from, dial.to, dial.kind);
        return;
    }
    hosts_.dialled(dial.from, dial.to, *dial.connection, dial.kind);
}

// -- Data -----------------------------------------------------------------------------------------

network::line* network::find(connection_id connection) {
    const auto at = lines_.find(connection);
    return at == lines_.end() ? nullptr : &at->second;
}

instant network::arrival(const direction& way) {
    duration under_way = luck_.draw(habits_.delay);
    if (habits_.lost_per_mille != 0 && luck_.below(1000) < habits_.lost_per_mille) {
        under_way += habits_.retransmission;
    }
    return std::max(time_.now() + under_way, way.last_due);
}

void network::send(connection_id connection, node from, content what) {
    line* of = find(connection);
    if (of == nullptr) {
        return;
    }
    const std::size_t way = of->ends[0] == from ? 0 : 1;
    if (of->open[way]) {
        post(connection, way, std::move(what));
    }
}

void network::post(connection_id connection, std::size_t way, content what) {
    line& of = *find(connection);
    direction& through = of.ways[way];
    const instant due = arrival(through);
    through.last_due = due;
    through.queue.push_back({.due = due, .what = std::move(what)});
    time_.add(due, task::parcel, static_cast<std::uint32_t>(way), connection.value());
}

void network::arrive(connection_id connection, std::size_t way) {
    while (true) {
        line* of = find(connection);
        if (of == nullptr || of->ways[way].queue.empty() ||
            of->ways[way].queue.front().due > time_.now()) {
            break;
        }
        const node from = of->ends[way];
        const node to = of->ends[1 - way];
        if (of->swallowed || !passes(from, to) || !hosts_.powered(to)) {
            of->ways[way].stalled = true;
            if (of->swallowed || !acks_pass(from, to) || !hosts_.powered(to)) {
                wait_for_ack(connection, *of, way);
            }
            break;
        }
        if (!acks_pass(from, to)) {
            wait_for_ack(connection, *of, way);
        }
        if (!hand_over_front(connection, *of, way)) {
            break;
        }
    }
    forget_if_over(connection);
}

bool network::hand_over_front(connection_id connection, line& of, std::size_t way) {
    const std::size_t end = 1 - way;
    content what = std::move(of.ways[way].queue.front().what);
    of.ways[way].queue.pop_front();
    const bool is_end = std::holds_alternative<line_end>(what);
    if (!of.open[end]) {
        // Nobody has this socket any more: the kernel says so, unless it is said already.
        if (!is_end && of.open[way]) {
            of.ways[end].queue.clear();
            post(connection, end, line_end{.reset = true});
        }
        return true;
    }
    const node to = of.ends[end];
    if (is_end) {
        of.open[end] = false;
        of.ways[way].queue.clear();
        hosts_.ended(to, connection);
        return false;
    }
    hosts_.received(to, connection, std::move(what));
    return true;
}

// -- Datagrams ------------------------------------------------------------------------------------

void network::cast(node from, node to, base::byte_vector bytes) {
    const datagram_habits& habits = habits_.datagrams;
    if (luck_.percent(habits.lost_percent)) {
        return;
    }
    const int copies = luck_.percent(habits.twice_percent) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
        flying_.emplace(++last_flying_, flying{.from = from, .to = to, .bytes = bytes});
        time_.add(time_.now() + luck_.draw(habits.delay), task::datagram, to.value(), last_flying_);
    }
}

void network::land(std::uint64_t number) {
    const flying what = std::move(flying_.extract(number).mapped());
    if (passes(what.from, what.to) && hosts_.listens(what.to)) {
        hosts_.datagram(what.to, what.from, what.bytes);
    }
}

// -- Patience -------------------------------------------------------------------------------------

void network::wait_for_ack(connection_id connection, line& of, std::size_t way) {
    if (!of.open[way] || of.ways[way].unacked_since) {
        return;
    }
    of.ways[way].unacked_since = time_.now();
    const duration patience =
        of.kind == line_kind::control ? habits_.control_timeout : habits_.other_timeout;
    time_.add(time_.now() + patience, task::unacked, static_cast<std::uint32_t>(way),
              connection.value());
}

void network::patience_over(connection_id connection, std::size_t way) {
    line* of = find(connection);
    if (of == nullptr || !of->open[way] || !of->ways[way].unacked_since) {
        return;
    }
    const duration patience =
        of->kind == line_kind::control ? habits_.control_timeout : habits_.other_timeout;
    if (time_.now() - *of->ways[way].unacked_since >= patience) {
        end_locally(connection, *of, way);
    }
}

void network::end_locally(connection_id connection, line& of, std::size_t end) {
    const node at = of.ends[end];
    of.open[end] = false;
    of.ways[end].queue.clear();
    hosts_.ended(at, connection);
    forget_if_over(connection);
}

// -- Ends -----------------------------------------------------------------------------------------

void network::close(connection_id connection, node by) {
    line* of = find(connection);
    if (of == nullptr) {
        return;
    }
    const std::size_t end = of->ends[0] == by ? 0 : 1;
    if (!of->open[end]) {
        return;
    }
    of->open[end] = false;
    if (of->open[1 - end]) {
        post(connection, end, line_end{});
    }
    forget_if_over(connection);
}

void network::process_ended(node at, death how) {
    std::vector<connection_id> touched;
    for (auto& [connection, of] : lines_) {
        for (std::size_t end = 0; end < 2; ++end) {
            if (of.ends[end] == at && of.open[end]) {
                of.open[end] = false;
                touched.push_back(connection);
                if (how == death::exit && of.open[1 - end]) {
                    // Unread bytes make the kernel say RST, which does not wait behind the data.
                    const bool reset = !of.ways[1 - end].queue.empty() && luck_.one_in(2);
                    if (reset && luck_.one_in(2)) {
                        of.ways[end].queue.clear();
                    }
                    post(connection, end, line_end{.reset = reset});
                }
            }
        }
    }
    for (const connection_id connection : touched) {
        forget_if_over(connection);
    }
}

void network::powered_up(node at) {
    for (auto& [connection, of] : lines_) {
        for (std::size_t way = 0; way < 2; ++way) {
            if (of.ends[1 - way] == at && of.ways[way].stalled && passes(of.ends[way], at) &&
                !of.swallowed) {
                resend(connection, of, way, luck_.between(duration{0}, habits_.retransmission));
            }
        }
    }
}

void network::forget_if_over(connection_id connection) {
    const line* of = find(connection);
    if (of != nullptr && !of->open[0] && !of->open[1]) {
        lines_.erase(connection);
    }
}

std::optional<connection_id> network::any_line(dice& luck) {
    std::vector<connection_id> candidates;
    for (const auto& [connection, of] : lines_) {
        if (of.open[0] && of.open[1] && !of.swallowed) {
            candidates.push_back(connection);
        }
    }
    if (candidates.empty()) {
        return std::nullopt;
    }
    return candidates[static_cast<std::size_t>(luck.below(candidates.size()))];
}

bool network::reset_one_side(dice& luck) {
    const auto connection = any_line(luck);
    if (connection) {
        end_locally(*connection, *find(*connection), luck.below(2));
    }
    return connection.has_value();
}

bool network::swallow_one(dice& luck) {
    const auto connection = any_line(luck);
    if (connection) {
        find(*connection)->swallowed = true;
    }
    return connection.has_value();
}

void network::on(const appointment& due) {
    const connection_id connection{due.which};
    switch (due.about) {
    case task::parcel:
        return arrive(connection, due.who);
    case task::unacked:
        return patience_over(connection, due.who);
    case task::handshake:
        return handshake(due.which);
    case task::dial_over:
        return dial_over(due.which);
    case task::datagram:
        return land(due.which);
    default:
        return;
    }
}

} // namespace almenara::sim
