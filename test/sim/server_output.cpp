#include "sim/check/endings.hpp"
#include "sim/server.hpp"
#include "sim/wire_check.hpp"
#include "wire/print.hpp"

#include <algorithm>
#include <utility>
#include <variant>

/// One output, field by field in the order of B.15. The process may end before every single thing.
namespace almenara::sim {

namespace {

check::outcome outcome_of(state::result_code code) {
    switch (code) {
    case state::result_code::ok:
        return check::outcome::done;
    case state::result_code::conflict:
        return check::outcome::conflict;
    case state::result_code::not_found:
        return check::outcome::not_found;
    default:
        return check::outcome::refused;
    }
}

/// E.3: nothing was written for so long.
constexpr std::chrono::milliseconds quiet_before_seal{10};

/// Entries between two looks at the state.
constexpr std::uint64_t digest_every = 32;

line_kind line_of(replica::connection_kind kind) {
    return kind == replica::connection_kind::bulk ? line_kind::bulk : line_kind::control;
}

} // namespace

bool server::execute(replica::output& out) {
    return persist(out) && send(out) && read_log(out) && apply(out) && answer(out) &&
           change_office(out) && connect(out) && finish(out);
}

bool server::persist(replica::output& out) {
    if (out.meta) {
        if (!survives()) {
            return false;
        }
        around_.tale.tell(now(), self_, "writes meta: {}", out.meta->fields);
        disk_.queue(std::move(*out.meta));
    }
    for (replica::log_write& write : out.log) {
        if (!survives()) {
            return false;
        }
        around_.tale.tell(now(), self_, "writes its log, batch {}:{} behind {}, {} entries",
                          write.batch, write.truncates ? " cut" : "", write.previous.index,
                          write.entries.size());
        disk_.queue(std::move(write));
    }
    return true;
}

bool server::send(replica::output& out) {
    process& p = *process_;
    for (replica::outgoing& what : out.send) {
        if (!survives()) {
            return false;
        }
        note_sent(what);
        const hlc_stamp stamp = p.stamps.stamp(moment().wall);
        around_.tale.tell(now(), self_, "says to {} on {} e{} {}", what.peer, what.connection,
                          what.epoch, around_.tale.told() ? in_words(*what.message) : "");
        if (luck_.one_in(around_.habits.encode_one_in)) {
            what.message = through_the_wire(what.epoch, stamp, *what.message);
        }
        ambush(what);
        around_.net.send(
            what.connection, node_of(self_),
            link_frame{.epoch = what.epoch, .hlc = stamp, .message = std::move(what.message)});
    }
    return true;
}

void server::ambush(const replica::outgoing& what) {
    const auto* chunk = std::get_if<replica::log_chunk>(what.message.get());
    if (chunk != nullptr && chunk->generation && luck_.percent(around_.habits.late_chunk_percent)) {
        around_.late_chunk(self_, what.peer);
    }
}

bool server::read_log(const replica::output& out) {
    for (const replica::log_request& request : out.read_log) {
        if (!survives()) {
            return false;
        }
        process_->inbox.push_back(disk_.read(request));
    }
    return true;
}

bool server::apply(const replica::output& out) {
    process& p = *process_;
    for (const replica::entry_ptr& entry : out.apply) {
        if (!survives()) {
            return false;
        }
        if (const auto bad = p.clients.committed(*entry)) {
            state_damaged(*bad);
            return true;
        }
    }
    if (!out.apply.empty()) {
        const bool under_way = p.applied_handed > p.clients.base().applied().index;
        p.applied_handed = out.apply.back()->index;
        if (!under_way) {
            around_.time.add(now() + luck_.draw(around_.habits.flush), task::state_flushed,
                             self_.value(), life_);
        }
    }
    return true;
}

// B.8: what cannot be applied is neither skipped nor a reason to abort: the core ends in good
// order.
void server::state_damaged(const state::unusable_entry& what) {
    around_.tale.tell(now(), self_, "cannot apply entry {}: {}", what.index,
                      wire::to_text(what.why));
    arrives(replica::state_damaged{});
}

bool server::answer(const replica::output& out) {
    process& p = *process_;
    for (const replica::confirmation& confirmed : out.confirmed) {
        if (!survives()) {
            return false;
        }
        p.clients.look(moment(), here());
        p.clients.confirmed(confirmed);
    }
    for (const replica::read_ticket ticket : out.readable) {
        if (!survives()) {
            return false;
        }
        p.clients.look(moment(), here());
        p.clients.readable(ticket);
    }
    for (const replica::read_ticket ticket : out.refused_reads) {
        if (!survives()) {
            return false;
        }
        p.clients.refused_read(ticket);
    }
    return say_answers();
}

bool server::change_office(const replica::output& out) {
    process& p = *process_;
    for (const replica::office_event& change : out.office) {
        if (!survives()) {
            return false;
        }
        p.uncommitted_cuts.clear();
        if (const auto* entered = std::get_if<replica::entered_office>(&change)) {
            around_.tale.tell(now(), self_, "enters office in epoch {}, uncommitted from {}",
                              entered->epoch, entered->first_uncommitted);
            p.clients.look(moment(), here());
            if (const auto bad = p.clients.entered_office(*entered)) {
                state_damaged(*bad);
            } else {
                announce_office();
            }
        } else {
            around_.tale.tell(now(), self_, "leaves office: {}",
                              std::get<replica::left_office>(change).reason);
            p.clients.left_office();
            p.mouth.left_office();
            p.clients.look(moment(), here());
        }
    }
    if (out.announce && !p.clients.in_office() && !p.clients.is_entering()) {
        standing told = here();
        told.epoch = out.announce->epoch;
        told.primary = wire::member_address{.id = out.announce->primary, .addresses = {}};
        p.clients.look(moment(), std::move(told));
        p.clients.announced();
        p.mouth.new_primary(out.announce->epoch, out.announce->primary, false, moment().monotonic);
    }
    return say_answers();
}

void server::announce_office() {
    process& p = *process_;
    p.clients.look(moment(), here());
    if (p.clients.in_office()) {
        p.clients.announced();
        p.mouth.new_primary(p.status.epoch, self_, true, moment().monotonic);
    }
}

/// C.2: they may be lost.
void server::work_beacon() {
    process& p = *process_;
    p.mouth.attended(p.clients.take_attendance());
    for (auto& [to, bytes] : p.mouth.work(moment().monotonic)) {
        around_.net.cast(node_of(self_), to, std::move(bytes));
    }
}

/// Behind the first share of its log, before anything else of a turn.
bool server::enter_further() {
    process& p = *process_;
    if (!p.clients.is_entering()) {
        return true;
    }
    p.clients.look(moment(), here());
    if (const auto bad = p.clients.enter_further()) {
        state_damaged(*bad);
    } else {
        announce_office();
    }
    return say_answers();
}

bool server::say_answers() {
    process& p = *process_;
    for (leaving& what : p.clients.take_answers()) {
        if (!survives()) {
            return false;
        }
        note_result(what);
        around_.net.send(what.connection, node_of(self_), std::move(what.what));
    }
    for (const connection_id connection : p.clients.take_closing()) {
        around_.net.close(connection, node_of(self_));
        p.client_lines.erase(connection);
        p.clients.connection_ended(connection);
    }
    return true;
}

bool server::connect(const replica::output& out) {
    for (const replica::dial_request& dial : out.dial) {
        if (!survives()) {
            return false;
        }
        around_.tale.tell(now(), self_, "dials {}, {}", dial.peer, dial.kind);
        around_.net.dial(node_of(self_), node_of(dial.peer), line_of(dial.kind));
    }
    for (const connection_id connection : out.close) {
        if (!survives()) {
            return false;
        }
        around_.tale.tell(now(), self_, "closes {}", connection);
        around_.net.close(connection, node_of(self_));
    }
    return true;
}

bool server::finish(const replica::output& out) {
    for (const replica::note& note : out.notes) {
        around_.seen.saw(note);
        around_.tale.tell(now(), self_, "notes {}: {}", note.kind, note.text);
    }
    if (!out.die) {
        return true;
    }
    check::check_ending(around_.found, self_, *out.die, process_->to_end);
    if (out.die->how == replica::ending::stopped && luck_.one_in(2)) {
        around_.seen.saw(sight::clean_stop);
        disk_.stop();
    }
    ending_.emplace(death::exit,
                    fmt::format("ends: {}, {}", wire::to_text(out.die->how), out.die->text));
    return false;
}

// -- What a run has seen --------------------------------------------------------------------------

void server::note_heard(const link_frame& what) {
    process_->stamps.observe(what.hlc, moment().wall);
    const auto* promise = std::get_if<replica::promise>(what.message.get());
    if (promise != nullptr && promise->granted &&
        process_->status.role == replica::role_name::prospect) {
        process_->promise_came_late = true;
    }
}

void server::note_sent(const replica::outgoing& what) {
    if (const auto* said = std::get_if<replica::answer>(what.message.get())) {
        const std::pair to{what.peer, said->generation};
        if (said->kind == replica::answer_kind::refuse) {
            process_->refusals.insert(to);
        } else if (process_->refusals.erase(to) != 0) {
            around_.seen.saw(sight::refuse_taken_back);
        }
    } else if (const auto* chunk = std::get_if<replica::log_chunk>(what.message.get())) {
        if (chunk->session && !chunk->entries.empty()) {
            around_.seen.saw(sight::bulk_catch_up);
        }
    }
}

void server::note_result(const leaving& what) {
    if (what.rests_on != log_index{}) {
        around_.god.answered(self_, what.rests_on);
    }
    if (const auto* result = std::get_if<wire::operation_result>(&what.what);
        result != nullptr && result->index != log_index{}) {
        // Only compared with what the same operation is answered elsewhere, so the bytes will do.
        around_.ledger.result_sent(around_.god.committed(), what.session.value(),
                                   result->seq.value(),
                                   {.code = outcome_of(result->code),
                                    .index = result->index,
                                    .version = {},
                                    .value = base::to_hex(result->body)});
    }
    around_.tale.tell(now(), self_, "answers a client on {}", what.connection);
}

// -- Disk and state -------------------------------------------------------------------------------

void server::work_disk() {
    disk_.committed(process_->status.commit);
    disk_.may_recycle(floor(), flushed());
    if (const auto done = disk_.begin(now(), disk_habits_)) {
        if (*done - now() > std::chrono::milliseconds{400}) {
            around_.seen.saw(sight::slow_sync);
        }
        around_.time.add(*done, task::disk, self_.value(), disk_life_);
    } else if (disk_.wants_seal() && !std::exchange(seal_armed_, true)) {
        around_.time.add(disk_quiet_since_ + quiet_before_seal, task::seal, self_.value(), life_);
    }
    note_disk_events();
}

/// B.8: as the primary says it.
log_index server::floor() const {
    const log_index told = process_->status.floor;
    return around_.habits.logs_are_hurt ? std::min(told, around_.flushed_by_all()) : told;
}

/// E.3: what is rotten behind the last write is known to have been there.
void server::seal_if_quiet() {
    seal_armed_ = false;
    if (disk_.wants_seal() && now() - disk_quiet_since_ >= quiet_before_seal) {
        disk_.idle();
    }
    work_disk();
}

void server::note_disk_events() {
    const disk_events happened = disk_.take_events();
    around_.seen.saw(sight::new_segment, happened.segments);
    around_.seen.saw(sight::recycled_segment, happened.recycled);
    if (happened.gone > log_index{}) {
        arrives(replica::recycled{happened.gone});
    }
    around_.seen.saw(sight::misdirected_write, happened.misdirected);
    around_.seen.saw(sight::meta_slot_unreadable, happened.bad_slots);
}

void server::disk_done() {
    const disk::finished done = disk_.finish();
    disk_quiet_since_ = now();
    around_.tale.tell(now(), self_, "disk: {}", done.ok ? "synced" : "sync failed");
    if (!done.ok) {
        around_.seen.saw(sight::sync_error);
        if (process_) {
            process_->to_end.sync_failed = true;
        }
    }
    if (done.meta) {
        const replica::persistent& meta = done.meta->fields;
        if (done.ok) {
            around_.god.meta_durable(self_, meta);
            if (meta.promised_to) {
                const auto first = around_.promises.try_emplace(meta.epoch, meta.promised_to->id);
                if (!first.second && first.first->second != meta.promised_to->id) {
                    around_.seen.saw(sight::split_promise);
                }
            }
        }
        arrives(replica::meta_synced{.number = done.meta->number, .ok = done.ok});
    }
    if (!done.log.empty()) {
        if (done.ok) {
            for (const replica::log_write& write : done.log) {
                around_.god.log_durable(self_, write);
            }
        }
        arrives(replica::log_synced{.batch = done.log.back().batch, .ok = done.ok});
    } else if (!done.ok && !done.meta) {
        arrives(replica::log_synced{.batch = {}, .ok = false}); // E.1: nobody waited for it.
    }
    if (process_) {
        work_disk();
    }
}

void server::state_flushed() {
    process& p = *process_;
    const state::memory_key_space& base = p.clients.base();
    const log_index before = base.applied().index;
    // In steps, so that states of different servers meet at the same index.
    std::uint64_t step = before.value() / digest_every * digest_every + digest_every;
    for (; step < p.applied_handed.value(); step += digest_every) {
        p.clients.apply_to_base(log_index{step});
        compare_state();
    }
    p.clients.apply_to_base(p.applied_handed);
    if (base.applied().index == before) {
        return;
    }
    compare_state();
    keep_state();
    arrives(replica::applied{.index = p.applied_handed});
}

void server::compare_state() {
    const state::memory_key_space& base = process_->clients.base();
    if (around_.god.state_digest(self_, base.applied().index, base.digest())) {
        around_.seen.saw(sight::state_compared);
    }
}

void server::keep_state() {
    const state::memory_key_space& base = process_->clients.base();
    // A log that will begin anew behind the flushed state (B.8) leaves out what others may need.
    if (base.applied().index >= keep_state_at_ && !disk_.hurt()) {
        kept_state_ = base;
        around_.flushed[self_] = flushed();
        keep_state_at_ = log_index{base.applied().index.value() + 1 + luck_.below(500)};
    }
}

} // namespace almenara::sim
