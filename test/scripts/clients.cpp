#include "scripts/clients.hpp"

#include "base/bytes.hpp"
#include "server/log_words.hpp"
#include "services/body.hpp"
#include "services/kv/messages.hpp"
#include "wire/described.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace almenara::scripts {

namespace kv = services::kv;
using almenara::server::record_of;
using almenara::server::type_of;

namespace {

base::byte_vector bytes_of(std::string_view text) {
    const base::byte_view view = base::as_bytes(text);
    return {view.begin(), view.end()};
}

/// `put k v`, `cas k VERSION v`, `add k 5`, `rm k`.
base::byte_vector body_of(words& said) {
    const std::string verb = said.take();
    const std::string key = said.take();
    if (verb == "put") {
        return services::body_of<kv::kv_messages>(
            kv::put{.key = key, .value = bytes_of(said.take())});
    }
    if (verb == "cas") {
        const log_index version{said.number()};
        return services::body_of<kv::kv_messages>(kv::cas{.key = key,
                                                          .expected_version = version,
                                                          .expected_value = {},
                                                          .value = bytes_of(said.take())});
    }
    if (verb == "add") {
        const auto delta = static_cast<std::int64_t>(said.number());
        return services::body_of<kv::kv_messages>(kv::add{.key = key, .delta = delta});
    }
    if (verb == "rm") {
        return services::body_of<kv::kv_messages>(kv::remove{.key = key});
    }
    throw script_error{fmt::format("'{}' is no operation", verb)};
}

std::string value_text(const state::reply& reply) {
    const auto found = services::message_in<kv::kv_messages, kv::value>(reply.body);
    return found ? std::string{base::as_text(found->bytes)}
                 : std::string{wire::enumerator_name(reply.code)};
}

} // namespace

// -- What the core says ---------------------------------------------------------------------------

void clients::started(server& s) {
    place& here = places_[s.id];
    here.desk = std::make_unique<state::desk>(here.base, kv_);
}

void clients::applied(server& s, const replica::entry_ptr& what) {
    place& here = places_[s.id];
    if (const auto bad = here.desk->committed(record_of(*what))) {
        return damaged(s, *bad);
    }
    here.desk->apply_to_base(what->index);
    const auto [known, is_first] = digests_.try_emplace(what->index, here.base.digest());
    if (!is_first && known->second != here.base.digest()) {
        stage_.fail(fmt::format("I9: server {} has another state at {}", s.id, what->index));
    }
}

/// B.8: neither skipped nor a reason to abort.
void clients::damaged(server& s, const state::unusable_entry& what) {
    stage_.tell(fmt::format("server {} cannot apply entry {}: {}", s.id, what.index,
                            wire::enumerator_name(what.why)));
    s.later.emplace(stage_.now(), replica::state_damaged{});
}

void clients::confirmed(server& s, const replica::confirmation& what) {
    deliver(s, places_[s.id].desk->confirmed(what.last));
}

void clients::office(server& s, const replica::office_event& what) {
    state::desk& desk = *places_[s.id].desk;
    if (const auto* const term = std::get_if<replica::entered_office>(&what)) {
        const std::vector<replica::entry_ptr> tail = s.core->entries_from(term->first_uncommitted);
        std::vector<state::log_record> records;
        for (const replica::entry_ptr& each : tail) {
            records.push_back(record_of(*each));
        }
        if (const auto bad = desk.entered_office(term->first_uncommitted, records)) {
            damaged(s, *bad);
        }
        return;
    }
    deliver(s, desk.left_office());
    std::erase_if(questions_, [&](const auto& each) {
        const bool gone = each.first.first == s.id && each.second.held;
        if (gone) {
            stage_.tell(fmt::format("{} sends {} elsewhere", s.id, each.second.name));
        }
        return gone;
    });
}

/// What a probe round released is a turn of its own.
void clients::turned(server&) {
    for (const auto& each : std::exchange(released_, {})) {
        each();
    }
}

void clients::readable(server& s, replica::read_ticket ticket) {
    const auto found = questions_.find({s.id, ticket.value()});
    if (found == questions_.end()) {
        return;
    }
    const question asked = found->second;
    questions_.erase(found);
    client& c = who(asked.name);
    state::desk& desk = *places_[s.id].desk;
    if (asked.held) {
        c.told_epoch = s.core->status().epoch;
        stage_.tell(fmt::format("{} hears {}: the epoch is {}", c.name, s.id, *c.told_epoch));
        released_.push_back(asked.held);
        return;
    }
    if (!asked.body) {
        hear(c, s, asked.seq ? asked.seq->value() : 0, log_index{},
             desk.why_not(*c.session, asked.seq));
        return;
    }
    c.last_read = value_text(desk.read(*asked.body).reply);
    stage_.tell(fmt::format("{} reads at {}: {}", c.name, s.id, c.last_read));
}

void clients::deliver(const server& at, const std::vector<state::delivery>& all) {
    for (const state::delivery& each : all) {
        for (auto& [name, c] : clients_) {
            const auto& mine = c.connections[at.id];
            if (std::find(mine.begin(), mine.end(), each.connection) == mine.end()) {
                continue;
            }
            if (each.seq == state::sequence{0} && each.reply.code == state::result_code::ok) {
                c.session = each.session;
            }
            hear(c, at, each.seq.value(), each.index, each.reply);
        }
    }
}

void clients::hear(
    client& c, const server& at, std::uint64_t seq, log_index index, const state::reply& reply) {
    const std::string code{wire::enumerator_name(reply.code)};
    std::string text = code;
    if (index > log_index{0}) {
        text += fmt::format(", entry {}", index);
    }
    stage_.tell(seq == 0 ? fmt::format("{} hears {}: session {}", c.name, at.id, text)
                         : fmt::format("{} hears {}: operation {} {}", c.name, at.id, seq, text));
    c.heard[seq].push_back(code);
    if (seq == 0 || !state::leaves_entry(reply.code)) {
        return;
    }
    const auto [before, is_first] = c.result.try_emplace(seq, text);
    if (!is_first && before->second != text) {
        stage_.fail(fmt::format("I14: operation {} of {} was {} and is {}", seq, c.name,
                                before->second, text));
    }
}

// -- What clients say -----------------------------------------------------------------------------

clients::client& clients::who(const std::string& name) {
    client& c = clients_[name];
    if (c.name.empty()) {
        c.name = name;
        state::open_nonce::rep nonce{};
        nonce.back() = static_cast<std::byte>(clients_.size());
        c.nonce = state::open_nonce{nonce};
    }
    return c;
}

connection_id clients::newest(client& c, server_id at) {
    std::vector<connection_id>& mine = c.connections[at];
    if (mine.empty()) {
        mine.emplace_back(++last_connection_);
    }
    return mine.back();
}

std::optional<state::turn> clients::turn_of(server& at) {
    const std::optional<replica::slot> where = at.core->next_slot(stage_.moment());
    if (!where) {
        return std::nullopt;
    }
    state::turn now{.next = {.index = where->index, .time = where->time},
                    .confirmed_upto = at.core->confirmed_upto()};
    now.random.front() = static_cast<std::byte>(++last_random_);
    return now;
}

void clients::become(client& c, server& at, const state::decision& what) {
    if (const auto* const entry = std::get_if<state::proposed>(&what)) {
        const replica::proposal made{.type = type_of(entry->label),
                                     .session = entry->session.value(),
                                     .seq = entry->seq.value(),
                                     .first_unacked = entry->first_unacked.value(),
                                     .payload = entry->payload};
        at.core->step(stage_.moment(), made);
        stage_.turn(at, std::nullopt);
    } else if (const auto* const later = std::get_if<state::waits>(&what)) {
        stage_.tell(fmt::format("{} waits for entry {}", c.name, later->index));
    } else if (const auto* const before = std::get_if<state::known>(&what)) {
        if (!c.session) {
            c.session = before->session;
        }
        hear(c, at, c.seq, before->index, before->reply);
    } else if (const auto* const no = std::get_if<state::turned_away>(&what)) {
        hear(c, at, c.seq, log_index{}, no->reply);
    } else if (std::holds_alternative<state::probe_first>(what)) {
        ask(at, {.name = c.name, .body = {}, .seq = state::sequence{c.seq}});
    } else {
        stage_.tell(fmt::format("{} does not listen to {} on that connection", at.id, c.name));
    }
}

void clients::ask(server& at, question what, epoch seen) {
    const std::uint64_t ticket = ++last_ticket_;
    questions_[{at.id, ticket}] = std::move(what);
    stage_.turn(at,
                replica::read_request{.ticket = replica::read_ticket{ticket}, .epoch_seen = seen});
}

/// B.5.1: who says that it has seen a higher epoch than is here waits for a probe round.
void clients::hold(client& c, server& at, epoch seen, std::function<void()> what) {
    if (seen <= at.core->status().epoch || !places_[at.id].desk->in_office()) {
        return what();
    }
    ask(at, {.name = c.name, .body = {}, .seq = {}, .held = std::move(what)}, seen);
}

void clients::open(client& c, server& at) {
    const std::optional<state::turn> now = turn_of(at);
    if (!now) {
        stage_.tell(fmt::format("{} sends {} elsewhere", at.id, c.name));
        return;
    }
    const connection_id over = newest(c, at.id);
    become(c, at,
           places_[at.id].desk->open_session(
               *now, over, {.request = request_id{1}, .device = {}, .nonce = c.nonce}));
}

void clients::attach(client& c, server& at) {
    if (!c.session) {
        throw script_error{fmt::format("{} has no session", c.name)};
    }
    if (!places_[at.id].desk->in_office()) {
        stage_.tell(fmt::format("{} sends {} elsewhere", at.id, c.name));
        return;
    }
    const connection_id over{++last_connection_};
    c.connections[at.id].push_back(over);
    const auto done = places_[at.id].desk->attach(over, *c.session);
    stage_.tell(std::holds_alternative<state::attached>(done)
                    ? fmt::format("{} is attached to {}", c.name, at.id)
                    : fmt::format("{} is not known at {}", c.name, at.id));
}

void clients::send(client& c, server& at, connection_id over, std::uint64_t seq) {
    const std::optional<state::turn> now = turn_of(at);
    if (!now) {
        stage_.tell(fmt::format("{} sends {} elsewhere", at.id, c.name));
        return;
    }
    // Whoever is told now is told about this one.
    const std::uint64_t last = std::exchange(c.seq, seq);
    become(c, at,
           places_[at.id].desk->operation(*now, over,
                                          {.request = request_id{static_cast<std::uint32_t>(seq)},
                                           .session = c.session.value(),
                                           .seq = state::sequence{seq},
                                           .first_unacked = state::sequence{1},
                                           .body = c.bodies.at(seq)}));
    c.seq = std::max(last, seq);
}

void clients::operate(client& c, server& at, words& said, epoch seen) {
    const std::uint64_t seq = ++c.seq;
    c.bodies[seq] = body_of(said);
    hold(c, at, seen, [this, &c, &at, seq] { send(c, at, newest(c, at.id), seq); });
}

/// Over the connection before the newest: a copy of an operation that was long on its way.
void clients::operate_late(client& c, server& at, words& said) {
    const std::vector<connection_id>& mine = c.connections[at.id];
    if (mine.size() < 2) {
        throw script_error{fmt::format("{} has no older connection", c.name)};
    }
    const connection_id over = mine[mine.size() - 2];
    const std::uint64_t seq = ++c.seq;
    c.bodies[seq] = body_of(said);
    send(c, at, over, seq);
}

void clients::retry(client& c, server& at, words& said) {
    send(c, at, newest(c, at.id), said.number());
}

void clients::read(client& c, server& at, const std::string& key) {
    c.last_read = "nothing yet";
    ask(at, {.name = c.name,
             .body = services::body_of<kv::kv_messages>(kv::get{.key = key}),
             .seq = {}});
}

void clients::command(words& said) {
    client& c = who(said.take());
    const std::string verb = said.take();
    server& at = stage_.running(said.server());
    const epoch seen{said.took("epoch-seen") ? said.number() : 0};
    if (verb == "opens") {
        open(c, at);
    } else if (verb == "attaches") {
        hold(c, at, seen, [this, &c, &at] { attach(c, at); });
    } else if (verb == "at") {
        operate(c, at, said, seen);
    } else if (verb == "late") {
        operate_late(c, at, said);
    } else if (verb == "retries") {
        retry(c, at, said);
    } else if (verb == "reads") {
        read(c, at, said.take());
    } else {
        throw script_error{fmt::format("clients do not know '{}'", verb)};
    }
}

// -- What can be asked ----------------------------------------------------------------------------

bool clients::was_told(const std::string& name, std::uint64_t seq, const std::string& code) const {
    const auto c = clients_.find(name);
    if (c == clients_.end() || !c->second.heard.contains(seq)) {
        return false;
    }
    const std::vector<std::string>& all = c->second.heard.at(seq);
    return std::find(all.begin(), all.end(), code) != all.end();
}

std::string clients::last_read(const std::string& name) const {
    const auto c = clients_.find(name);
    return c == clients_.end() ? std::string{} : c->second.last_read;
}

std::optional<epoch> clients::told_epoch(const std::string& name) const {
    const auto c = clients_.find(name);
    return c == clients_.end() ? std::nullopt : c->second.told_epoch;
}

std::string clients::value_at(server_id id, const std::string& key) const {
    const auto found = places_.find(id);
    if (found == places_.end() || !found->second.desk) {
        return {};
    }
    return value_text(
        found->second.desk->read(services::body_of<kv::kv_messages>(kv::get{.key = key})).reply);
}

} // namespace almenara::scripts
