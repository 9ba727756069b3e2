#include "replica/machine.hpp"
#include "replica/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

/// B.2: connections, HELLO, link sessions and what counts as CLOSED.
namespace almenara::replica {

std::vector<server_id> machine::known_peers() const {
    std::vector<server_id> peers;
    if (log_.config() != nullptr) {
        for (const member& m : log_.config()->members) {
            peers.push_back(m.id);
        }
    } else {
        peers = listed_;
    }
    std::erase(peers, self_);
    return peers;
}

// -- Connections come and go ----------------------------------------------------------------------

void machine::on(const connection_opened& e) {
    connection c{.kind = e.kind,
                 .dialled = e.dialled,
                 .peer = {},
                 .session = {},
                 .opened_at = now_.monotonic};
    if (!e.dialled) {
        connections_[e.connection] = c;
        return; // Who dialled speaks first.
    }
    link& l = links_[*e.dialled];
    c.session = e.kind == connection_kind::bulk ? l.session : link_session{};
    connections_[e.connection] = c;
    send_on(e.connection, *e.dialled, ballot_.durable().epoch,
            std::make_shared<const message>(hello{.from = own_greeting(e.kind, c.session)}), {});
}

void machine::on(const dial_failed& e) {
    link& l = links_[e.peer];
    dial_later(e.kind == connection_kind::control ? l.dial_control : l.dial_bulk, true);
}

void machine::dial_later(dialling& d, bool failed) {
    const timers& t = settings_.timers;
    d.running = false;
    d.pause = failed ? std::clamp(2 * d.pause, t.dial, t.dial_most) : t.dial;
    d.next = now_.monotonic + d.pause;
}

void machine::on(const connection_closed& e) {
    const auto found = connections_.find(e.connection);
    if (found == connections_.end()) {
        return;
    }
    const connection c = found->second;
    connections_.erase(found);
    outbox_.drop(e.connection);
    const std::optional<server_id> who = c.peer ? c.peer : c.dialled;
    if (!who) {
        return;
    }
    link& l = links_[*who];
    if (!c.peer && c.dialled) {
        dial_later(c.kind == connection_kind::control ? l.dial_control : l.dial_bulk, true);
    } else if (l.bulk == e.connection) {
        drop_bulk(l);
    } else if (l.control == e.connection) {
        link_down(*who, !l.close_announced);
    }
}

/// By this side: nothing comes from it any more, and nobody is CLOSED by it.
void machine::close_connection(connection_id id) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) {
        return;
    }
    const connection c = found->second;
    connections_.erase(found);
    outbox_.drop(id);
    out_.close.push_back(id);
    if (!c.peer) {
        if (c.dialled) {
            link& l = links_[*c.dialled];
            dial_later(c.kind == connection_kind::control ? l.dial_control : l.dial_bulk, true);
        }
        return;
    }
    link& l = links_[*c.peer];
    if (l.bulk == id) {
        drop_bulk(l);
    } else if (l.control == id) {
        link_down(*c.peer, false);
    }
}

void machine::drop_bulk(link& l) {
    l.bulk.reset();
    if (auto* office = std::get_if<primary>(&role_)) {
        for (auto& [id, p] : office->voters) {
            if (&links_[id] == &l && p.over_bulk) {
                probe_from(p, p.match.next()); // What was on its way there may be lost.
            }
        }
    }
}

// -- HELLO ----------------------------------------------------------------------------------------

void machine::on_hello(connection_id id, const hello& h) {
    connection& c = connections_[id];
    if (c.peer || c.dialled) {
        return close_connection(id); // Said twice, or by the side that was dialled.
    }
    c.kind = h.from.kind;
    if (const auto no = refuse(h.from)) {
        note_that(note_kind::link_rejected,
                  fmt::format("server {} refused: {}", h.from.server, no->text));
        send_on(id, h.from.server, ballot_.durable().epoch, std::make_shared<const message>(*no),
                {});
        return close_connection(id);
    }
    if (h.from.kind == connection_kind::bulk) {
        return accept_bulk(id, h.from);
    }
    const link_session session{
        .dialler = h.from.incarnation, .acceptor = incarnation_, .counter = ++link_counter_};
    hello_ok ok{.from = own_greeting(connection_kind::control, session), .first = {}};
    if (h.from.config_index == log_index{0}) {
        ok.first = own_first_entry();
    }
    send_on(id, h.from.server, ballot_.durable().epoch,
            std::make_shared<const message>(std::move(ok)), {});
    establish(id, h.from, session);
}

void machine::on_hello_ok(connection_id id, hello_ok& h) {
    connection& c = connections_[id];
    if (!c.dialled || c.peer) {
        return close_connection(id);
    }
    const auto no = refuse(h.from);
    if (no || *c.dialled != h.from.server || h.from.session.dialler != incarnation_) {
        note_that(note_kind::link_rejected,
                  no ? fmt::format("server {} refused: {}", h.from.server, no->text)
                     : fmt::format("server {} is not who was dialled", h.from.server));
        return close_connection(id);
    }
    if (c.kind == connection_kind::bulk) {
        link& l = links_[h.from.server];
        if (!l.open() || l.session != c.session || (l.bulk && self_ < h.from.server)) {
            return close_connection(id);
        }
        // Both dialled: as with control, the one dialled by the higher id stays.
        replace_bulk(l);
        c.peer = h.from.server;
        l.bulk = id;
        dial_later(l.dial_bulk, false);
        return;
    }
    dial_later(links_[h.from.server].dial_control, false);
    establish(id, h.from, h.from.session);
    if (h.first) {
        take_first_entry(*h.first);
    }
}

void machine::on_reject(connection_id id, const link_reject& r) {
    const connection& c = connections_[id];
    if (c.dialled && !c.peer) {
        link& l = links_[*c.dialled];
        if (!l.was_rejected || l.rejected != r.code) {
            note_that(note_kind::link_rejected,
                      fmt::format("server {} refuses: {}", *c.dialled, r.text));
        }
        l.was_rejected = true;
        l.rejected = r.code;
    }
    close_connection(id);
}

void machine::replace_bulk(link& l) {
    if (const auto older = l.bulk) {
        drop_bulk(l);
        connections_[*older].peer.reset();
        close_connection(*older);
    }
}

void machine::accept_bulk(connection_id id, const greeting& g) {
    link& l = links_[g.server];
    connection& c = connections_[id];
    if (!l.open() || l.session != g.session) {
        send_on(id, g.server, ballot_.durable().epoch,
                std::make_shared<const message>(link_reject{.code = link_reject_code::old_session,
                                                            .text = "that link session is over"}),
                {});
        return close_connection(id);
    }
    replace_bulk(l); // Who dials again has lost the older one; this side may not know.
    c.peer = g.server;
    c.session = g.session;
    l.bulk = id;
    link_session session = g.session;
    session.dialler = g.incarnation;
    const greeting mine = own_greeting(connection_kind::bulk, session);
    send_on(id, g.server, ballot_.durable().epoch,
            std::make_shared<const message>(hello_ok{.from = mine, .first = {}}), {});
}

// -- Link sessions --------------------------------------------------------------------------------

bool machine::loses_to_current(const link& l, connection_id id) const {
    // B.2: of two control connections the one dialled by the higher id stays; of two that the same
    // side dialled the newer one, for the older is half open at best.
    const auto dialler = [&](connection_id which) {
        const connection& c = connections_.at(which);
        return c.dialled ? self_ : *c.peer;
    };
    const server_id higher = std::max(self_, l.said.server);
    return dialler(*l.control) == higher && dialler(id) != higher;
}

void machine::establish(connection_id id, const greeting& g, link_session session) {
    connection& c = connections_[id];
    c.peer = g.server;
    c.session = session;
    link& l = links_[g.server];
    const bool restarted = l.open() && l.said.incarnation != g.incarnation;
    if (l.open() && !restarted && loses_to_current(l, id)) {
        if (holds(rule::reconnect_announced)) {
            send_on(id, g.server, ballot_.durable().epoch,
                    std::make_shared<const message>(reconnect{}), {});
        }
        c.peer.reset(); // It never counted.
        return close_connection(id);
    }
    if (l.open()) {
        replace_control(l, restarted);
    }
    l.control = id;
    l.session = session;
    l.said = g;
    l.close_announced = false;
    l.was_rejected = false;
    l.last_heard = now_.monotonic;
    l.last_sent = now_.monotonic;
    l.last_office_sent = now_.monotonic;
    link_up(g.server);
}

void machine::replace_control(link& l, bool restarted) {
    const connection_id old = *l.control;
    if (restarted) {
        link_down(l.said.server, true); // Its process is gone, whatever the connection looks like.
    } else {
        if (holds(rule::reconnect_announced)) {
            send_on(old, l.said.server, ballot_.durable().epoch,
                    std::make_shared<const message>(reconnect{}), {});
        }
        link_down(l.said.server, false);
    }
    if (holds(rule::link_session_isolation)) {
        connections_[old].peer.reset();
        close_connection(old);
    }
}

void machine::link_up(server_id peer) {
    note_that(note_kind::link_up, fmt::format("link with server {} is up", peer));
    reset_progress(peer);
    if (is_boot() || links_[peer].said.config_index == log_index{0}) {
        offer_first_entry(peer);
        pass_on_go(peer);
        boot_due();
    }
    // B.8: a start may hurry when a majority, and everybody connected, knows no primary.
    auto* k = std::get_if<backup>(&role_);
    if (k == nullptr || known_primary_ || attempts_ > 0 || promised_at_ ||
        generation_.value() > 0) {
        return;
    }
    std::size_t alone = voter(self_) ? 1 : 0;
    for (const auto& [id, l] : links_) {
        if (l.open() && voter(id)) {
            if (l.said.knows_primary) {
                return;
            }
            ++alone;
        }
    }
    if (alone >= quorum()) {
        k->election_at =
            std::min(k->election_at,
                     now_.monotonic + random_between(duration{0}, settings_.timers.start_jitter));
    }
}

void machine::link_down(server_id peer, bool closed) {
    link& l = links_[peer];
    note_that(note_kind::link_down,
              fmt::format("link with server {} is down{}", peer, closed ? "" : ", as announced"));
    if (l.bulk) {
        const connection_id bulk = *l.bulk;
        l.bulk.reset();
        connections_.erase(bulk);
        outbox_.drop(bulk);
        out_.close.push_back(bulk);
    }
    if (l.control && !connections_.contains(*l.control)) {
        outbox_.drop(*l.control);
    }
    l.control.reset();
    l.wants_bulk = false;
    held_claims_.erase(peer);
    next_fetch_.erase(peer);
    std::erase_if(fetch_reads_, [&](const auto& r) { return r.second.first == peer; });
    if (closed) {
        l.closed_at = now_.monotonic;
        l.lost.push_back(now_.monotonic);
        while (l.lost.size() > settings_.limits.link_sessions_lost) {
            l.lost.pop_front();
        }
    }
    if (auto* office = std::get_if<primary>(&role_)) {
        const bool flaps = l.lost.size() >= settings_.limits.link_sessions_lost &&
                           now_.monotonic - l.lost.front() < settings_.timers.flap_window;
        if (closed || flaps) {
            office->sync.remove(peer, flaps ? now_.monotonic + settings_.timers.flap_pause
                                            : now_.monotonic);
        }
        reset_progress(peer);
        advance_confirmed();
    }
    if (auto* p = std::get_if<prospect>(&role_)) {
        if (p->pulling && p->pulling->source == peer) {
            end_pull("its source is gone", false);
        } else if (p->phase == prospect::doing::asking && all_connected_answered()) {
            decide();
        }
    }
    if (closed && known_primary_ == peer) {
        suspect(election_reason::closed);
    }
}

// -- Timers ---------------------------------------------------------------------------------------

/// A connection that never said who it is does not stay.
void machine::close_silent() {
    std::vector<connection_id> silent;
    for (const auto& [id, c] : connections_) {
        if (!c.peer && now_.monotonic - c.opened_at >= settings_.timers.dial_most) {
            silent.push_back(id);
        }
    }
    for (const connection_id id : silent) {
        close_connection(id);
    }
}

void machine::dial_due() {
    close_silent();
    for (const server_id peer : known_peers()) {
        link& l = links_[peer];
        if (!l.open() && !l.dial_control.running && l.dial_control.next <= now_.monotonic) {
            l.dial_control.running = true;
            out_.dial.push_back({.peer = peer, .kind = connection_kind::control});
        }
        if (l.open() && l.wants_bulk && !l.bulk && !l.dial_bulk.running &&
            l.dial_bulk.next <= now_.monotonic) {
            l.dial_bulk.running = true;
            out_.dial.push_back({.peer = peer, .kind = connection_kind::bulk});
        }
    }
}

void machine::ping_due() {
    if (is_primary()) {
        return; // Heartbeats say more.
    }
    for (auto& [peer, l] : links_) {
        if (l.open() && now_.monotonic - l.last_sent >= settings_.timers.link_ping) {
            send_now(peer, link_ping{.role = role_of()});
        }
    }
}

instant machine::links_deadline() const {
    instant at = instant::max();
    for (const auto& [id, c] : connections_) {
        if (!c.peer) {
            at = std::min(at, c.opened_at + settings_.timers.dial_most);
        }
    }
    for (const server_id peer : known_peers()) {
        const auto found = links_.find(peer);
        if (found == links_.end()) {
            continue;
        }
        const link& l = found->second;
        if (!l.open() && !l.dial_control.running) {
            at = std::min(at, l.dial_control.next);
        }
        if (l.open() && l.wants_bulk && !l.bulk && !l.dial_bulk.running) {
            at = std::min(at, l.dial_bulk.next);
        }
        if (l.open() && !is_primary()) {
            at = std::min(at, l.last_sent + settings_.timers.link_ping);
        }
    }
    return at;
}

} // namespace almenara::replica
