#include "sim/check/god_view.hpp"
#include "wire/described.hpp"

#include <algorithm>
#include <type_traits>
#include <variant>

/// The part of the god's view that is about who is primary and what servers tell each other.
namespace almenara::sim::check {

namespace {

template <class T, class... Others>
inline constexpr bool is_one_of = (std::is_same_v<T, Others> || ...);

/// What may name an epoch that is not durable yet: questions, and CLAIM in parallel with its own
/// sync (B.6). All others are bound by I2.
template <class T>
inline constexpr bool may_run_ahead = is_one_of<T,
                                                replica::hello,
                                                replica::reconnect,
                                                replica::link_reject,
                                                replica::link_ping,
                                                replica::election,
                                                replica::claim,
                                                replica::fetch,
                                                replica::resign,
                                                replica::link_whois>;

const replica::peer_status* peer_of(const replica::core_status& status, server_id id) {
    const auto place =
        std::find_if(status.peers.begin(), status.peers.end(),
                     [id](const replica::peer_status& peer) { return peer.id == id; });
    return place == status.peers.end() ? nullptr : &*place;
}

bool in_sync(const replica::core_status& status, server_id self, server_id id) {
    if (id == self) {
        return status.in_sync;
    }
    const replica::peer_status* peer = peer_of(status, id);
    return peer != nullptr && peer->in_sync;
}

} // namespace

// -- Office ---------------------------------------------------------------------------------------

void god_view::take_offices(server_id server,
                            const replica::output& out,
                            const replica::core_status& before) {
    for (const auto& office : out.office) {
        if (const auto* entered = std::get_if<replica::entered_office>(&office)) {
            enter_office(server, entered->epoch, before);
        } else {
            record(server).office.reset();
        }
    }
}

void god_view::enter_office(server_id server, epoch of, const replica::core_status& before) {
    server_record& is = record(server);
    const auto [known, is_new] =
        terms_.try_emplace(of, term{.primary = {.id = server, .incarnation = is.incarnation}});
    term& here = known->second;
    if (!is_new) {
        found_.report("I1", "server {} takes office in epoch {}, which is that of server {}",
                      server, of, here.primary.id);
    }
    is.office = of;
    check_own_promise(server, of, before);
    check_completeness(server, of);
    here.checked_upto = committed_.last_before(of);
    here.tail.clear();
    for (auto index = here.checked_upto.next(); index <= is.memory.last(); index = index.next()) {
        here.tail.push_back(*is.memory.at(index));
    }
}

void god_view::check_own_promise(server_id server, epoch of, const replica::core_status& before) {
    const server_record& is = record(server);
    const bool own = is.meta.epoch == of && is.meta.promised_to &&
                     is.meta.promised_to->id == server &&
                     is.meta.promised_to->incarnation == is.incarnation;
    if (!own) {
        found_.report("I25", "server {} takes office in epoch {}, its disk knows epoch {}", server,
                      of, is.meta.epoch);
    }
    if (before.eligible == 0 && is.status.eligible == 0) {
        found_.report("I25", "server {} takes office in epoch {} and must not run", server, of);
    }
    if (!config_) {
        return;
    }
    if (!replica::is_voter(*config_, server)) {
        found_.report("I25", "server {} takes office in epoch {} and is no voter", server, of);
    }
    const auto promises = ballots_.promises_for({.id = server, .incarnation = is.incarnation}, of);
    if (promises < replica::majority(*config_)) {
        found_.report("I20", "server {} takes office in epoch {} with {} of {} promises", server,
                      of, promises, replica::voters(*config_));
    }
}

void god_view::check_completeness(server_id server, epoch of) {
    const server_record& is = record(server);
    const committed_entry* must = committed_.at(committed_.last_before(of));
    if (must != nullptr && !is.memory.holds(must->entry.point)) {
        found_.report(
            "I6",
            "server {} takes office in epoch {} with a log up to {}; index {} of epoch {} "
            "was committed before and is not in it",
            server, of, is.memory.last(), must->entry.point.index, must->entry.point.epoch);
    }
}

void god_view::check_role(server_id server) {
    const server_record& is = record(server);
    if (is.status.role == replica::role_name::primary && is.office != is.status.epoch) {
        found_.report("I1", "server {} is primary of epoch {} and never took that office", server,
                      is.status.epoch);
    }
}

// -- Confirming -----------------------------------------------------------------------------------

void god_view::check_confirmed(server_id server,
                               const replica::confirmation& confirmed,
                               const replica::core_status& before) {
    const server_record& is = record(server);
    const committed_entry* entry = committed_.at(confirmed.last);
    if (entry == nullptr || !is.memory.holds(entry->entry.point)) {
        found_.report("I18", "server {} confirms index {}, which is not committed", server,
                      confirmed.last);
        return;
    }
    if (!config_) {
        return;
    }
    std::size_t durable = 0;
    for (const auto& member : config_->members) {
        if (!member.voter) {
            continue;
        }
        const server_record& other = record(member.id);
        // Another disk in its place is no voter's, but its acks of the old one were true.
        const bool has = (!other.replaced && other.durable.holds(entry->entry.point)) ||
                         other.once_durable.holds(entry->entry.point);
        durable += has ? 1 : 0;
        // Who joined or left in this very turn is judged by neither side of it.
        const bool counted =
            config_->confirm == replica::confirm_policy::all ||
            (config_->confirm == replica::confirm_policy::sync_set &&
             in_sync(before, server, member.id) && in_sync(is.status, server, member.id));
        if (!has && counted) {
            found_.report("I18", "server {} confirms index {}; server {} counts and has only {}",
                          server, confirmed.last, member.id, other.durable.last());
        }
    }
    if (durable < replica::majority(*config_)) {
        found_.report("I18", "server {} confirms index {}, which is on {} of {} disks", server,
                      confirmed.last, durable, replica::voters(*config_));
    }
}

/// I20: what a primary credits a peer with in a link session is on the peer's disk, as long as the
/// peer is in the same session and epoch.
void god_view::check_credit(server_id server) {
    const server_record& is = record(server);
    if (!is.office || is.status.role != replica::role_name::primary) {
        return;
    }
    for (const auto& credited : is.status.peers) {
        check_credit_of(server, credited);
    }
}

void god_view::check_credit_of(server_id server, const replica::peer_status& credited) {
    const server_record& is = record(server);
    const server_record* other = find(credited.id);
    if (other == nullptr || !other->running || !other->seen || !credited.session) {
        return;
    }
    const replica::peer_status* back = peer_of(other->status, server);
    if (back == nullptr || !back->session || *back->session != *credited.session) {
        return;
    }
    if (other->replaced && credited.match > log_index{}) {
        found_.report("I20", "server {} credits server {} with {}, which has another disk", server,
                      credited.id, credited.match);
    }
    const bool follows =
        other->status.role == replica::role_name::backup && other->status.epoch == *is.office;
    const auto point = is.memory.at(credited.match);
    if (follows && point && !other->durable.holds(*point)) {
        found_.report("I20", "server {} credits server {} with {}, its disk has {}", server,
                      credited.id, credited.match, other->durable.last());
    }
}

// -- Messages -------------------------------------------------------------------------------------

void god_view::check_sent(server_id server, const replica::outgoing& sent) {
    const server_record& is = record(server);
    const epoch known = std::max(is.meta.epoch, is.epoch_of_log);
    std::visit(
        [&](const auto& message) {
            using kind = std::decay_t<decltype(message)>;
            if (!may_run_ahead<kind> && sent.epoch > known) {
                found_.report("I2", "server {} says {} in epoch {}, its disk knows {}", server,
                              wire::name_of<kind>(), sent.epoch, known);
            }
            check_content(server, sent, message);
        },
        *sent.message);
}

void god_view::check_content(server_id server,
                             const replica::outgoing& sent,
                             const replica::claim& claim) {
    ballots_.claimed(server, sent.epoch, claim.rank);
}

void god_view::check_content(server_id server,
                             const replica::outgoing& sent,
                             const replica::promise& promise) {
    if (!promise.granted) {
        return;
    }
    const replica::persistent& meta = record(server).meta;
    if (meta.epoch != promise.claimed || !meta.promised_to || meta.promised_to->id != sent.peer) {
        found_.report("I2", "server {} promises epoch {} to server {}, its disk says epoch {} {}",
                      server, promise.claimed, sent.peer, meta.epoch,
                      meta.promised_to ? fmt::format("for server {}", meta.promised_to->id)
                                       : std::string{"for nobody"});
    }
}

void god_view::check_content(server_id server,
                             const replica::outgoing& sent,
                             const replica::append_ack& ack) {
    check_ack(server, {.epoch = sent.epoch, .index = ack.match});
}

void god_view::check_content(server_id server,
                             const replica::outgoing& sent,
                             const replica::heartbeat_ack& ack) {
    check_ack(server, {.epoch = sent.epoch, .index = ack.match});
}

void god_view::check_content(server_id server,
                             const replica::outgoing& sent,
                             const replica::append& append) {
    check_office_of(server, append.primary, sent.epoch);
}

void god_view::check_content(server_id server,
                             const replica::outgoing& sent,
                             const replica::heartbeat& heartbeat) {
    check_office_of(server, heartbeat.primary, sent.epoch);
}

void god_view::check_content(server_id server,
                             const replica::outgoing& sent,
                             const replica::coordinator& said) {
    check_office_of(server, said.primary, sent.epoch);
}

/// Catch-up is a primary's word; the chunks of a pull are anybody's.
void god_view::check_content(server_id server,
                             const replica::outgoing& sent,
                             const replica::log_chunk& chunk) {
    if (chunk.session) {
        check_office_of(server, server, sent.epoch);
    }
}

/// What clients are told.
void god_view::check_announced(server_id server, const replica::announcement& said) {
    const auto place = terms_.find(said.epoch);
    if (place == terms_.end() || place->second.primary.id != said.primary) {
        found_.report("I1", "server {} tells clients that server {} is primary of epoch {}", server,
                      said.primary, said.epoch);
    }
}

/// I11: what is acked is on the disk, and is what the log in memory says.
void god_view::check_ack(server_id server, replica::log_end match) {
    server_record& is = record(server);
    const auto point = is.memory.at(match.index);
    if (match.index > is.memory.last() || (point && !is.durable.holds(*point))) {
        found_.report("I11", "server {} acks index {}, its disk has {} and its log {}", server,
                      match.index, is.durable.last(), is.memory.last());
    }
    is.acked = std::max(is.acked, match);
}

void god_view::check_office_of(server_id server, server_id named, epoch of) {
    const auto place = terms_.find(of);
    if (named != server || place == terms_.end() || place->second.primary.id != server) {
        found_.report(
            "I1", "server {} speaks as primary {} of epoch {}, which is {}", server, named, of,
            place == terms_.end() ? std::string{"nobody's"}
                                  : fmt::format("that of server {}", place->second.primary.id));
    }
}

} // namespace almenara::sim::check
