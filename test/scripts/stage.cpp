#include "scripts/stage.hpp"

#include "scripts/telling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace almenara::scripts {

using namespace replica;

namespace {

constexpr duration log_read_takes = std::chrono::milliseconds{1};

/// Log time needs a date: 2026-01-01.
constexpr std::chrono::milliseconds some_day{1767225600000};

constexpr std::string_view ending_word(ending how) {
    switch (how) {
    case ending::stopped:
        return "stops";
    case ending::disk_failed:
        return "dies, its disk failed";
    case ending::safety_broken:
        return "aborts";
    }
    return "dies";
}

} // namespace

// Not at the origin: nothing may depend on a clock that begins at zero.
stage::stage() : now_(std::chrono::seconds{100}), block_began_(now_) {}

moment stage::moment() const {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now_.since_origin());
    return {.monotonic = now_, .wall = wall_time{some_day + since}};
}

server& stage::at(server_id id) {
    const auto found = servers.find(id);
    if (found == servers.end()) {
        throw script_error{fmt::format("there is no server {}", id)};
    }
    return found->second;
}

server& stage::running(server_id id) {
    server& s = at(id);
    if (!s.runs()) {
        throw script_error{fmt::format("server {} does not run", id)};
    }
    return s;
}

std::vector<server_id> stage::all_ids() const {
    std::vector<server_id> ids;
    for (const auto& [id, s] : servers) {
        ids.push_back(id);
    }
    return ids;
}

std::vector<entry_ptr> stage::log_of(const server& s) const {
    if (!s.runs()) {
        return s.storage.synced.log;
    }
    std::vector<entry_ptr> log;
    for (log_index i{1}; i <= s.core->status().last.index; i = i.next()) {
        const auto where = s.core->position(i);
        if (!where) {
            continue; // It was recycled.
        }
        const auto known = entries.find(where->hash);
        // What was not written yet is still in the core's memory.
        log.push_back(known == entries.end() ? s.core->entries_from(i).front() : known->second);
    }
    return log;
}

// -- Processes ------------------------------------------------------------------------------------

void stage::start(server& s) {
    if (s.runs()) {
        throw script_error{fmt::format("server {} runs already", s.id)};
    }
    s.powered = true;
    s.paused = false;
    s.gap = duration{0};
    s.readable.clear();
    const start_state state = start_state_of(s, all_ids(), confirm);
    god.started(s);
    for (const entry_ptr& e : s.storage.cached.log) {
        entries[e->hash] = e;
    }
    s.core.emplace(state, settings, moment());
    if (serves != nullptr) {
        serves->started(s);
    }
    turn(s, std::nullopt);
}

void stage::end_process(server& s) {
    s.core.reset();
    s.wake.reset();
    s.later.clear();
    std::erase_if(net.dials, [&s](const dial& each) { return each.from == s.id; });
}

void stage::kill(server& s) {
    end_process(s);
    s.storage.process_died();
    for (const server_id other : all_ids()) {
        for (connection* const c : net.all_between({.from = s.id, .to = other})) {
            if (c->open[c->end_of(s.id)]) {
                net.close(c->id, s.id, now_);
            }
        }
    }
}

void stage::cut_power(server& s) {
    end_process(s);
    s.storage.process_died();
    s.storage.power_lost();
    s.powered = false;
    s.unclean = true;
    for (const server_id other : all_ids()) {
        for (connection* const c : net.all_between({.from = s.id, .to = other})) {
            net.vanish(c->id, s.id);
        }
    }
}

void stage::pause(server& s) {
    s.paused = true;
    s.paused_at = now_;
}

void stage::resume(server& s) {
    if (!s.paused) {
        throw script_error{fmt::format("server {} is not paused", s.id)};
    }
    s.paused = false;
    s.gap = now_ - s.paused_at;
    s.wake = now_;
}

void stage::close(connection& c, server_id at, bool both_know) {
    const connection_id id = c.id;
    if (both_know) {
        net.close(id, at, now_);
    } else {
        net.vanish(id, at);
    }
    turn(this->at(at), connection_closed{id});
}

// -- Time -----------------------------------------------------------------------------------------

void stage::run_until(instant end) {
    static_cast<void>(run_until(end, [] { return false; }));
}

bool stage::run_until(instant end, const std::function<bool()>& reached) {
    while (!reached()) {
        if (god.broken() || !step_to(end)) {
            return reached();
        }
    }
    return true;
}

/// The next thing that happens, if it does before `end`; else time goes there. Frames first and
/// timers last, as a driver drains its sockets before it judges (D.3).
bool stage::step_to(instant end) {
    const auto reads = [this](server_id id) { return servers.at(id).reads(); };
    const auto arrival = net.next(reads);
    const auto expiry = net.next_expiry();
    instant first = end;
    const auto consider = [&first](std::optional<instant> at) {
        first = at && *at < first ? *at : first;
    };
    consider(arrival ? std::optional{arrival->due} : std::nullopt);
    consider(expiry ? std::optional{expiry->due} : std::nullopt);
    consider(net.dials.empty() ? std::nullopt : std::optional{net.dials.front().due});
    for (const auto& [id, s] : servers) {
        if (s.runs() && !s.paused) {
            consider(s.storage.next());
            consider(s.wake);
            consider(s.later.empty() ? std::nullopt : std::optional{s.later.begin()->first});
        }
    }
    now_ = std::max(now_, first);
    if (first >= end) {
        return false;
    }
    if (arrival && arrival->due <= now_) {
        arrive(*arrival);
        return true;
    }
    if (expiry && expiry->due <= now_) {
        expire(*expiry);
        return true;
    }
    if (!net.dials.empty() && net.dials.front().due <= now_) {
        finish_dial();
        return true;
    }
    const auto due = [this](std::optional<instant> at) { return at && *at <= now_; };
    for (auto& [id, s] : servers) {
        if (!s.runs() || s.paused) {
            continue;
        }
        if (!s.later.empty() && s.later.begin()->first <= now_) {
            turn(s, s.later.extract(s.later.begin()).mapped());
            return true;
        }
        if (due(s.storage.next())) {
            finish_disk(s);
            return true;
        }
    }
    for (auto& [id, s] : servers) {
        if (s.runs() && !s.paused && due(s.wake)) {
            wake(s);
            return true;
        }
    }
    return true;
}

void stage::wake(server& s) {
    s.wake.reset();
    turn(s, tick{.gap = std::exchange(s.gap, duration{0})});
}

void stage::finish_disk(server& s) {
    const disk::finished done = s.storage.finish(now_);
    tell(fmt::format("{} disk: {}", s.id, done.text));
    std::visit([&](const auto& each) { turn(s, each); }, done.what);
}

void stage::expire(const network::expiry& which) {
    connection& c = net.connections.at(which.on);
    server& s = at(c.ends[which.at]);
    tell(fmt::format("{} gives up its connection with {}", s.id, c.ends[1 - which.at]));
    const connection_id id = which.on;
    net.vanish(id, s.id);
    if (s.runs()) {
        s.later.emplace(now_, connection_closed{id});
    }
}

// -- Network --------------------------------------------------------------------------------------

/// What comes to a closed end is answered by RST.
void stage::reset_back(connection& c, std::size_t from) {
    const std::size_t other = 1 - from;
    if (c.open[other] && !net.is_cut({.from = c.ends[from], .to = c.ends[other]})) {
        c.towards[other].push_back({.due = now_ + network::delay});
    }
}

void stage::arrive(const network::arrival& which) {
    const parcel what = net.take(which);
    connection& c = net.connections.at(which.on);
    const direction way{.from = c.ends[1 - which.to], .to = c.ends[which.to]};
    server& s = at(way.to);
    if (!s.runs() || !c.open[which.to]) {
        if (what.message) {
            reset_back(c, which.to);
        }
        net.vanish(which.on, way.to);
        return;
    }
    if (!what.message) {
        net.vanish(which.on, way.to);
        turn(s, connection_closed{which.on});
        return;
    }
    if (tells_routine || !is_routine(*what.message)) {
        tell(fmt::format("{} -> {} {}", way.from, way.to, scripts::tell(*what.message)));
    }
    turn(s, frame_received{.connection = which.on,
                           .epoch = what.epoch,
                           .message = *what.message,
                           .hlc = what.hlc});
}

std::optional<std::string> stage::deliver_one(direction way, bool newest) {
    connection* found = nullptr;
    for (connection* const c : net.all_between(way)) {
        if (!c->towards[c->end_of(way.to)].empty() && (newest || found == nullptr)) {
            found = c;
        }
    }
    if (found == nullptr) {
        return std::nullopt;
    }
    const std::size_t to = found->end_of(way.to);
    const parcel& first = found->towards[to].front();
    std::string name = first.message ? name_of(*first.message) : "END";
    arrive({.due = now_, .on = found->id, .to = to});
    return name;
}

void stage::finish_dial() {
    const dial which = net.dials.front();
    net.dials.pop_front();
    server& from = at(which.from);
    const auto found = servers.find(which.request.peer);
    const direction there{.from = which.from, .to = which.request.peer};
    const direction back{.from = which.request.peer, .to = which.from};
    if (found == servers.end() || !found->second.runs() || net.is_cut(there) || net.is_cut(back)) {
        turn(from, dial_failed{.peer = which.request.peer, .kind = which.request.kind});
        return;
    }
    connection& c = net.connect(which);
    found->second.later.emplace(now_, connection_opened{.connection = c.id, .kind = c.kind});
    turn(from,
         connection_opened{.connection = c.id, .kind = c.kind, .dialled = which.request.peer});
}

// -- One turn -------------------------------------------------------------------------------------

void stage::turn(server& s, std::optional<event> what) {
    if (!s.runs()) {
        return;
    }
    if (what && !god.broken()) {
        s.core->step(moment(), std::move(*what));
    }
    if (!god.broken()) {
        execute(s, s.core->take_output(moment(), true));
        god.turned(s);
    }
    if (god.broken() && !violation_told_) {
        violation_told_ = true;
        fail(*god.broken());
    }
    if (serves != nullptr) {
        serves->turned(s);
    }
}

std::optional<log_index> stage::propose(server& s, const std::vector<proposal>& what) {
    std::optional<log_index> last;
    for (const proposal& each : what) {
        const std::optional<slot> where = s.core->next_slot(moment());
        if (!where) {
            return std::nullopt;
        }
        s.core->step(moment(), each);
        last = where->index;
    }
    turn(s, std::nullopt);
    return last;
}

void stage::execute(server& s, const output& out) {
    if (out.meta) {
        s.storage.write(*out.meta, now_);
    }
    for (const log_write& each : out.log) {
        s.storage.write(each, now_);
        for (const entry_ptr& e : each.entries) {
            entries[e->hash] = e;
        }
    }
    for (const outgoing& each : out.send) {
        send(s, each);
    }
    for (const log_request& each : out.read_log) {
        read_log(s, each);
    }
    apply(s, out.apply);
    tell_outcome(s, out);
    for (const dial_request& each : out.dial) {
        const bool reaches = servers.contains(each.peer) && servers.at(each.peer).powered &&
                             !net.is_cut({.from = s.id, .to = each.peer}) &&
                             !net.is_cut({.from = each.peer, .to = s.id});
        const dial next{.due = now_ + (reaches ? network::delay : network::patience),
                        .from = s.id,
                        .request = each};
        const auto behind =
            std::upper_bound(net.dials.begin(), net.dials.end(), next,
                             [](const dial& a, const dial& b) { return a.due < b.due; });
        net.dials.insert(behind, next);
    }
    for (const connection_id each : out.close) {
        net.close(each, s.id, now_);
    }
    for (const note& each : out.notes) {
        if (each.kind == note_kind::link_up || each.kind == note_kind::link_down) {
            continue;
        }
        tell(fmt::format("{} {}", s.id, each.text));
    }
    s.wake = out.wake;
    if (out.die) {
        tell(fmt::format("{} {}{}{}", s.id, ending_word(out.die->how),
                         out.die->text.empty() ? "" : ": ", out.die->text));
        if (out.die->how == ending::safety_broken) {
            aborted.insert(s.id);
        }
        if (out.die->how == ending::safety_broken && !may_abort.contains(s.id)) {
            fail(fmt::format("server {} aborts: {}", s.id, out.die->text));
        }
        kill(s);
    }
}

void stage::send(server& s, const outgoing& what) {
    god.sent(s, what);
    ++sent_[{direction{.from = s.id, .to = what.peer}, name_of(*what.message)}];
    net.send(what.connection, s.id,
             {.due = now_,
              .epoch = what.epoch,
              .message = what.message,
              .hlc = s.clock.stamp(moment().wall)});
}

/// The driver reads its files, where everything stands that it was given before.
void stage::read_log(server& s, const log_request& request) {
    log_read answer{.request = request.request};
    const std::vector<entry_ptr>& log = s.storage.cached.log;
    base::byte_vector scratch;
    std::size_t bytes = 0;
    for (log_index i = request.from; i <= request.to; i = i.next()) {
        const auto at = static_cast<std::size_t>(i.value());
        if (at == 0 || at > log.size() || (!answer.entries.empty() && bytes >= request.max_bytes)) {
            break;
        }
        const hash64 before = at == 1 ? hash64{} : log[at - 2]->hash;
        if (chain_hash(before, *log[at - 1], scratch) != log[at - 1]->hash) {
            break; // It rotted, and storage sees that by its checksum.
        }
        bytes += log[at - 1]->payload.size();
        answer.entries.push_back(log[at - 1]);
    }
    answer.hole = answer.entries.empty();
    s.later.emplace(now_ + log_read_takes, answer);
}

void stage::apply(server& s, const std::vector<entry_ptr>& committed) {
    for (const entry_ptr& each : committed) {
        god.applied(s, *each);
        s.applied.push_back(each);
        if (serves != nullptr) {
            serves->applied(s, each);
        }
    }
    if (!committed.empty()) {
        s.later.emplace(now_, applied{.index = committed.back()->index});
    }
}

void stage::tell_outcome(server& s, const output& out) {
    for (const confirmation& each : out.confirmed) {
        god.confirmed(s, each);
        const std::string which = each.first == each.last
                                      ? fmt::format("{}", each.first)
                                      : fmt::format("{}..{}", each.first, each.last);
        tell(fmt::format("{} confirms {}, on {} of {}", s.id, which, each.durable_on, each.voters));
        if (serves != nullptr) {
            serves->confirmed(s, each);
        }
    }
    for (const read_ticket each : out.readable) {
        s.readable.insert(each.value());
        tell(fmt::format("{} may answer read {}", s.id, each));
        if (serves != nullptr) {
            serves->readable(s, each);
        }
    }
    for (const replica::office_event& each : out.office) {
        tell_office(s, each);
    }
}

void stage::tell_office(server& s, const replica::office_event& what) {
    if (const auto* const term = std::get_if<entered_office>(&what)) {
        tell(fmt::format("{} enters office of epoch {}, uncommitted from {}", s.id, term->epoch,
                         term->first_uncommitted));
        god.entered_office(s, *term);
    } else {
        const auto& left = std::get<left_office>(what);
        tell(fmt::format("{} leaves office: {}", s.id, wire::enumerator_name(left.reason)));
    }
    if (serves != nullptr) {
        serves->office(s, what);
    }
}

// -- The transcript -------------------------------------------------------------------------------

void stage::tell(std::string_view line) {
    if (silent) {
        return;
    }
    const auto since =
        std::chrono::duration_cast<std::chrono::milliseconds>(now_ - block_began_).count();
    transcript_ += fmt::format("{:>4} {}\n", since, line);
}

void stage::tell_plain(std::string_view line) {
    transcript_.append(line).append("\n");
}

std::string stage::take_transcript() {
    block_began_ = now_;
    return std::exchange(transcript_, {});
}

void stage::fail(std::string_view what) {
    failed_ = true;
    tell_plain(fmt::format("FAILED: {}", what));
}

unsigned stage::sent(direction way, std::string_view name) const {
    const auto found = sent_.find({way, std::string{name}});
    return found == sent_.end() ? 0 : found->second;
}

} // namespace almenara::scripts
