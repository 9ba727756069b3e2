#include "scripts/director.hpp"

#include "base/bytes.hpp"
#include "scripts/clients.hpp"
#include "scripts/conditions.hpp"
#include "scripts/fields.hpp"
#include "scripts/setting.hpp"
#include "scripts/telling.hpp"
#include "wire/message_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace almenara::scripts {

using namespace replica;

namespace {

constexpr duration until_gives_up = std::chrono::seconds{3};

replica::message message_named(std::string_view name, const std::vector<std::string>& fields) {
    std::optional<replica::message> made;
    wire::for_each_message<link_messages>([&]<class Message>(wire::message_type) {
        if (wire::name_of<Message>() != name) {
            return;
        }
        Message body{};
        for (const std::string& each : fields) {
            const std::size_t equals = std::min(each.find('='), each.size());
            set_field(body, each.substr(0, equals),
                      std::string_view{each}.substr(std::min(equals + 1, each.size())));
        }
        made = std::move(body);
    });
    if (!made) {
        throw script_error{fmt::format("no message is called '{}'", name)};
    }
    return *std::move(made);
}

proposal proposal_of(const std::string& word) {
    const base::byte_view bytes = base::as_bytes(word);
    proposal made;
    made.payload.assign(bytes.begin(), bytes.end());
    return made;
}

disk::part part_named(std::string_view name) {
    return name == "log" ? disk::part::log : disk::part::meta;
}

} // namespace

director::director() = default;

director::action director::find(std::string_view name) {
    static constexpr std::array all{
        entry{"servers", &director::servers},
        entry{"log", &director::log},
        entry{"meta", &director::meta},
        entry{"damaged", &director::damaged},
        entry{"priority", &director::priority},
        entry{"confirm", &director::confirm},
        entry{"timer", &director::timer},
        entry{"limit", &director::limit},
        entry{"may-abort", &director::may_abort},
        entry{"count-anew", &director::count_anew},
        entry{"start", &director::start},
        entry{"restart", &director::restart},
        entry{"state", &director::state},
        entry{"kill", &director::kill},
        entry{"power-cut", &director::power_cut},
        entry{"wipe", &director::wipe},
        entry{"pause", &director::pause},
        entry{"resume", &director::resume},
        entry{"terminate", &director::terminate},
        entry{"transfer", &director::transfer},
        entry{"state-damaged", &director::state_damaged},
        entry{"recycle", &director::recycle},
        entry{"run", &director::run},
        entry{"until", &director::until},
        entry{"expect", &director::expect},
        entry{"cut", &director::cut},
        entry{"heal", &director::heal},
        entry{"hold", &director::hold},
        entry{"release", &director::release},
        entry{"deliver", &director::deliver},
        entry{"drop", &director::drop},
        entry{"close", &director::close},
        entry{"reset", &director::reset},
        entry{"inject", &director::inject},
        entry{"slow", &director::slow},
        entry{"fail", &director::fail_disk},
        entry{"rot", &director::rot},
        entry{"propose", &director::propose},
        entry{"load", &director::load},
        entry{"read", &director::read},
        entry{"kv", &director::kv},
        entry{"client", &director::client},
        entry{"show", &director::show},
        entry{"tell", &director::tell},
        entry{"quietly", &director::quietly},
    };
    const auto* const found =
        std::find_if(all.begin(), all.end(), [name](const entry& e) { return e.name == name; });
    if (found == all.end()) {
        throw script_error{fmt::format("'{}' is no command", name)};
    }
    return found->act;
}

void director::command(std::string_view line) {
    words said{line};
    run_command(said);
    said.end();
}

void director::run_command(words& said) {
    const action act = find(said.take());
    (this->*act)(said);
}

void director::curtain() {
    const server* const last = ruling(stage_);
    if (last != nullptr && !has_all_confirmed(stage_, *last)) {
        stage_.fail(fmt::format("I12: server {} rules without something confirmed", last->id));
    }
}

// -- Setting the stage ----------------------------------------------------------------------------

void director::servers(words& said) {
    add_servers(stage_, static_cast<std::uint16_t>(said.number()));
    if (!said.took("empty")) {
        found_cluster(stage_);
    }
}

void director::log(words& said) {
    server& s = stage_.at(said.server());
    write_log(stage_, s, said.rest());
}

void director::meta(words& said) {
    server& s = stage_.at(said.server());
    said.must("epoch");
    s.storage.cached.meta.epoch = epoch{said.number()};
    if (said.took("promised")) {
        const server& to = stage_.at(said.server());
        s.storage.cached.meta.promised_to =
            replica::promised{.id = to.id, .incarnation = to.incarnation()};
    }
    s.storage.settle();
}

void director::damaged(words& said) {
    server& s = stage_.at(said.server());
    said.must("from");
    const log_index from{said.number()};
    std::optional<log_end> end;
    if (!said.took("unknown")) {
        if (s.storage.cached.log.empty()) {
            throw script_error{"an empty log cannot be damaged"};
        }
        end = end_of(point_of(*s.storage.cached.log.back()));
    }
    s.found_damaged = damage{.from = from, .end = end};
}

void director::priority(words& said) {
    server& s = stage_.at(said.server());
    s.priority = static_cast<std::uint16_t>(said.number());
    found_cluster(stage_);
}

void director::confirm(words& said) {
    stage_.confirm = detail::enumerator_of<confirm_policy>(said.take());
    found_cluster(stage_);
}

void director::timer(words& said) {
    timers& t = stage_.settings.timers;
    const std::string name = said.take();
    if (name == "sync_drop") {
        t.sync_drop = said.duration();
    } else if (name == "start_jitter") {
        t.start_jitter = said.duration();
    } else {
        throw script_error{fmt::format("timer '{}' cannot be set", name)};
    }
}

void director::limit(words& said) {
    limits& l = stage_.settings.limits;
    const std::string name = said.take();
    const auto value = static_cast<std::size_t>(said.number());
    if (name == "append_bytes") {
        l.append_bytes = value;
    } else if (name == "chunk_bytes") {
        l.chunk_bytes = value;
    } else if (name == "in_flight_entries") {
        l.in_flight_entries = value;
    } else if (name == "entry_cache_bytes") {
        l.entry_cache_bytes = value;
    } else {
        throw script_error{fmt::format("limit '{}' cannot be set", name)};
    }
}

/// `state 2 upto 6`: only so much of the state was flushed; the next start applies the rest anew.
void director::state(words& said) {
    const std::vector<server*> servers = some_servers(said, false);
    said.must("upto");
    const log_index upto{said.number()};
    for (server* const s : servers) {
        std::erase_if(s->applied, [upto](const entry_ptr& each) { return each->index > upto; });
    }
}

/// `sent` asks about what is sent from here on.
void director::count_anew(words&) {
    stage_.count_anew();
}

void director::may_abort(words& said) {
    stage_.may_abort.insert(said.server());
}

// -- Processes and time ---------------------------------------------------------------------------

std::vector<server*> director::some_servers(words& said, bool running) {
    std::vector<server_id> ids = said.took("all") ? stage_.all_ids() : said.servers();
    std::vector<server*> found;
    for (const server_id id : ids) {
        found.push_back(running ? &stage_.running(id) : &stage_.at(id));
    }
    return found;
}

void director::start(words& said) {
    for (server* const s : some_servers(said, false)) {
        stage_.start(*s);
    }
}

/// Whether it runs or not.
void director::restart(words& said) {
    for (server* const s : some_servers(said, false)) {
        if (s->runs()) {
            stage_.kill(*s);
        }
        stage_.start(*s);
    }
}

void director::kill(words& said) {
    for (server* const s : some_servers(said, true)) {
        stage_.kill(*s);
    }
}

void director::power_cut(words& said) {
    for (server* const s : some_servers(said, false)) {
        stage_.cut_power(*s);
    }
}

void director::wipe(words& said) {
    server& s = stage_.at(said.server());
    data_uuid::rep other = s.uuid.value();
    other.front() = static_cast<std::byte>(std::to_integer<unsigned>(other.front()) + 1U);
    s.uuid = data_uuid{other};
    s.storage = {};
    s.applied.clear();
    stage_.god.wiped(s);
}

void director::pause(words& said) {
    for (server* const s : some_servers(said, true)) {
        stage_.pause(*s);
    }
}

void director::resume(words& said) {
    for (server* const s : some_servers(said, true)) {
        stage_.resume(*s);
    }
}

void director::terminate(words& said) {
    stage_.turn(stage_.running(said.server()), replica::terminate{});
}

void director::transfer(words& said) {
    server& s = stage_.running(said.server());
    replica::transfer wish;
    if (said.took("to")) {
        wish.target = said.server();
    }
    stage_.turn(s, wish);
}

void director::state_damaged(words& said) {
    stage_.turn(stage_.running(said.server()), replica::state_damaged{});
}

/// As a driver does whose state has all that was applied, and who keeps nothing behind that.
void director::recycle(words& said) {
    for (server* const s : some_servers(said, true)) {
        const core_status now = s->core->status();
        stage_.turn(*s, replica::recycled{std::min(now.floor, now.applied)});
        stage_.tell(fmt::format("{} has its log from {} on", s->id, s->core->status().first));
    }
}

void director::run(words& said) {
    stage_.run_until(stage_.now() + said.duration());
}

void director::until(words& said) {
    const condition reached = read_condition(stage_, said);
    const duration patience = said.took("within") ? said.duration() : until_gives_up;
    const instant end = stage_.now() + patience;
    if (!stage_.run_until(end, reached)) {
        stage_.fail(fmt::format("that did not come within {}", to_string(patience)));
    }
}

void director::expect(words& said) {
    if (!read_condition(stage_, said)()) {
        stage_.fail("that is not so");
    }
}

// -- Network and disks ----------------------------------------------------------------------------

void director::cut(words& said) {
    for (const direction& way : said.link()) {
        stage_.net.set_cut(way, true, stage_.now());
    }
}

void director::heal(words& said) {
    std::vector<direction> ways;
    if (said.took("all")) {
        for (const server_id a : stage_.all_ids()) {
            for (const server_id b : stage_.all_ids()) {
                ways.push_back({.from = a, .to = b});
            }
        }
    } else {
        ways = said.link();
    }
    for (const direction& way : ways) {
        stage_.net.set_cut(way, false, stage_.now());
    }
}

void director::hold_something(words& said, bool on) {
    if (said.peek() == "log" || said.peek() == "meta") {
        const disk::part which = part_named(said.take());
        for (server* const s : some_servers(said, false)) {
            s->storage.hold(which, on, stage_.now());
        }
        return;
    }
    if (said.took("disk")) {
        for (server* const s : some_servers(said, false)) {
            s->storage.hold(disk::part::log, on, stage_.now());
            s->storage.hold(disk::part::meta, on, stage_.now());
        }
        return;
    }
    for (const direction& way : said.link()) {
        stage_.net.set_held(way, on, stage_.now());
    }
}

void director::hold(words& said) {
    hold_something(said, true);
}

void director::release(words& said) {
    hold_something(said, false);
}

/// Up to and with the first message of a type, or one; `newest`: of the newest connection.
void director::deliver(words& said) {
    const direction way = said.one_way();
    const bool newest = said.took("newest");
    const std::string wanted = said.empty() ? std::string{} : said.take();
    while (true) {
        const std::optional<std::string> name = stage_.deliver_one(way, newest);
        if (!name) {
            stage_.fail("nothing like that is under way");
            return;
        }
        if (wanted.empty() || *name == wanted) {
            return;
        }
    }
}

/// Everything that is under way, or only what has this name.
void director::drop(words& said) {
    const direction way = said.one_way();
    const std::string wanted = said.empty() ? std::string{} : said.take();
    for (connection* const c : stage_.net.all_between(way)) {
        std::erase_if(c->towards[c->end_of(way.to)], [&](const parcel& each) {
            return wanted.empty() || (each.message && name_of(*each.message) == wanted);
        });
    }
}

void director::close(words& said) {
    const server_id a = said.server();
    const server_id b = said.server();
    connection* const c = stage_.net.between({.from = a, .to = b}, connection_kind::control);
    if (c == nullptr) {
        throw script_error{"there is no connection"};
    }
    stage_.close(*c, a, true);
}

void director::reset(words& said) {
    const server_id at = said.server();
    const server_id other = said.server();
    connection* const c = stage_.net.between({.from = at, .to = other}, connection_kind::control);
    if (c == nullptr) {
        throw script_error{"there is no connection"};
    }
    stage_.close(*c, at, false);
}

void director::inject(words& said) {
    const direction way = said.one_way();
    const connection_kind kind =
        said.took("bulk") ? connection_kind::bulk : connection_kind::control;
    const std::string name = lower(said.take());
    said.must("epoch");
    const epoch header{said.number()};
    std::optional<log_index> behind;
    if (said.took("behind")) {
        behind = log_index{said.number()};
    }
    const std::vector<std::string> epochs = said.words_while(
        [](const std::string& word) { return word.find('=') == std::string::npos; });
    replica::message what = message_named(name, said.rest());
    if (behind) {
        add_entries(what, stage_, way, *behind, epochs);
    }
    connection* const c = stage_.net.between(way, kind);
    if (c == nullptr) {
        throw script_error{"there is no connection"};
    }
    stage_.tell(fmt::format("{} -> {} {} (injected)", way.from, way.to, scripts::tell(what)));
    stage_.turn(stage_.running(way.to),
                frame_received{.connection = c->id, .epoch = header, .message = what, .hlc = {}});
}

void director::slow(words& said) {
    const std::string which = said.take();
    const std::vector<server*> servers = some_servers(said, false);
    const duration takes = said.duration();
    for (server* const s : servers) {
        (part_named(which) == disk::part::log ? s->storage.log_latency : s->storage.meta_latency) =
            takes;
    }
}

void director::fail_disk(words& said) {
    stage_.at(said.server()).storage.fails = true;
}

/// One bit on the disk; the process's memory is as it was.
void director::rot(words& said) {
    server& s = stage_.at(said.server());
    const auto at = static_cast<std::size_t>(said.number()) - 1;
    for (disk_content* const each : {&s.storage.cached, &s.storage.synced}) {
        if (at >= each->log.size()) {
            throw script_error{"the log is not that long"};
        }
        each->log[at] = with_a_bit_turned(*each->log[at]);
    }
}

// -- Operations and looking -----------------------------------------------------------------------

void director::propose(words& said) {
    server& s = stage_.running(said.server());
    std::vector<proposal> all;
    for (const std::string& word : said.rest()) {
        all.push_back(proposal_of(word));
    }
    if (!stage_.propose(s, all)) {
        stage_.tell(fmt::format("{} takes no proposal", s.id));
    }
}

/// `load 3 every 5ms for 300ms`: an operation each time.
void director::load(words& said) {
    server& s = stage_.running(said.server());
    said.must("every");
    const duration every = said.duration();
    said.must("for");
    const instant end = stage_.now() + said.duration();
    for (unsigned n = 1; stage_.now() < end && s.runs(); ++n) {
        static_cast<void>(stage_.propose(s, {proposal_of(fmt::format("load{}", n))}));
        stage_.run_until(std::min(end, stage_.now() + every));
    }
}

void director::read(words& said) {
    server& s = stage_.running(said.server());
    read_request wish{.ticket = read_ticket{said.number()}};
    if (said.took("epoch-seen")) {
        wish.epoch_seen = epoch{said.number()};
    }
    stage_.turn(s, wish);
}

/// From here on entries are updates of the key-value service.
void director::kv(words&) {
    stage_.serves = std::make_unique<clients>(stage_);
}

void director::client(words& said) {
    if (!stage_.serves) {
        throw script_error{"'kv' comes first"};
    }
    stage_.serves->command(said);
}

void director::show_roles() {
    for (const auto& [id, s] : stage_.servers) {
        if (!s.runs()) {
            stage_.tell_plain(fmt::format("{}: {}", id, s.powered ? "not running" : "no power"));
            continue;
        }
        const core_status now = s.core->status();
        std::string line =
            fmt::format("{}: {} epoch {} log {}.{} commit {}", id, wire::enumerator_name(now.role),
                        now.epoch, now.last.epoch, now.last.index, now.commit);
        if (now.known_primary && *now.known_primary != id) {
            line += fmt::format(", follows {}", *now.known_primary);
        }
        if (now.damaged) {
            line += fmt::format(", damaged from {}", now.damaged->from);
        }
        constexpr std::uint8_t normal = 2;
        if (now.eligible != normal) {
            line += fmt::format(", eligible {}", now.eligible);
        }
        stage_.tell_plain(line);
    }
}

void director::show_logs() {
    for (const auto& [id, s] : stage_.servers) {
        const std::vector<entry_ptr> log = stage_.log_of(s);
        const std::size_t durable = s.storage.synced.log.size();
        std::string line = fmt::format("{}:", id);
        for (const entry_ptr& each : log) {
            line += fmt::format(" {}.{}", each->epoch, scripts::tell(*each));
        }
        if (durable < log.size()) {
            line += fmt::format(" (on disk {})", durable);
        }
        stage_.tell_plain(line);
    }
}

void director::show(words& said) {
    if (said.took("log")) {
        show_logs();
    } else {
        show_roles();
    }
}

void director::tell(words& said) {
    const std::string what = said.take();
    stage_.tells_routine = what == "all";
}

void director::quietly(words& said) {
    stage_.silent = true;
    run_command(said);
    stage_.silent = false;
}

} // namespace almenara::scripts
