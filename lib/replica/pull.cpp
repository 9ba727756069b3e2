#include "replica/machine.hpp"
#include "replica/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

/// E6: a prospect adopts the best log that a server holds which does not run itself. It drops
/// nothing that was committed: the more recent log contains every entry that could have been, and
/// that the prospect holds (leader completeness and log matching). That is so only as long as
/// nothing from a primary was accepted since, which is why a pull lives in role PROSPECT and in one
/// generation, and why everything is tested again for every chunk.
namespace almenara::replica {

namespace {

constexpr unsigned rounds_without_bad_source = 3;

} // namespace

bool machine::start_pull() {
    auto& p = std::get<prospect>(role_);
    const answer* best = nullptr;
    for (const auto& [id, a] : p.answers) {
        if (end_of(a.rank) > end_of(log_.last()) && !bad_sources_.contains(id) &&
            links_[id].open() && (best == nullptr || end_of(best->rank) < end_of(a.rank))) {
            best = &a;
        }
    }
    if (best == nullptr) {
        return false;
    }
    p.phase = prospect::doing::pulling;
    p.pulling =
        prospect::pull{.source = best->rank.id, .promised = end_of(best->rank), .asked = {}};
    note_that(note_kind::pull_started,
              fmt::format("pulling from server {}, whose log ends at {}.{}", best->rank.id,
                          best->rank.last_epoch, best->rank.last_index));
    p.pulling->asked = log_.last();
    send_fetch();
    return true;
}

void machine::send_fetch() {
    auto& p = std::get<prospect>(role_);
    p.deadline = now_.monotonic + settings_.timers.pull_idle;
    send_now(p.pulling->source,
             fetch{.generation = p.generation,
                   .from = p.pulling->asked,
                   .max_bytes = static_cast<std::uint32_t>(settings_.limits.chunk_bytes)});
}

void machine::end_pull(const std::string& why, bool bad_source) {
    auto& p = std::get<prospect>(role_);
    note_that(note_kind::pull_ended,
              fmt::format("pull from server {} ended: {}", p.pulling->source, why));
    if (bad_source) {
        bad_sources_[p.pulling->source] = rounds_without_bad_source + 1;
    }
    p.pulling.reset();
    back_off();
}

// -- The source -----------------------------------------------------------------------------------

/// One answer for each peer and turn: a FETCH is small and its answer is not. The newest counts.
void machine::on_fetch(const sender& from, const fetch& m) {
    next_fetch_.insert_or_assign(from.id, std::pair{from, m});
}

void machine::answer_fetches() {
    for (auto it = next_fetch_.begin(); it != next_fetch_.end();) {
        const bool running = std::any_of(fetch_reads_.begin(), fetch_reads_.end(),
                                         [&](auto& r) { return r.second.first == it->first; });
        if (running) {
            ++it;
            continue;
        }
        const auto [from, asked] = it->second;
        it = next_fetch_.erase(it);
        look_up(from, asked);
    }
}

void machine::look_up(const sender& from, const fetch& m) {
    log_chunk reply{.generation = m.generation,
                    .session = {},
                    .previous = m.from,
                    .entries = {},
                    .reason = chunk_reason::end,
                    .hint = {},
                    .rank = own_rank()};
    if (cut_after_meta_) {
        reply.reason = chunk_reason::hole; // Part of this log is wrong, and goes in a moment.
        return send_now(from.id, std::move(reply));
    }
    const auto here = log_.at(std::min(m.from.index, log_.last().index));
    if (!here) {
        reply.reason = chunk_reason::compacted;
        return send_now(from.id, std::move(reply));
    }
    if (*here != m.from) {
        reply.reason = chunk_reason::mismatch;
        reply.hint = m.from.index > log_.last().index ? log_.last().index.next()
                                                      : log_.first_of_epoch(here->index);
        return send_now(from.id, std::move(reply));
    }
    if (here->index == log_.last().index) {
        // A damaged log that should reach further has a hole there.
        reply.reason = own_end() > end_of(log_.last()) ? chunk_reason::hole : chunk_reason::end;
        return send_now(from.id, std::move(reply));
    }
    if (here->index.next() < log_.first_in_memory()) {
        fetch_reads_[request_read(read_purpose::fetch, here->index.next(), log_.last().index)] = {
            from.id, m};
        return;
    }
    std::vector<entry_ptr> entries;
    std::size_t bytes = 0;
    for (log_index i = here->index.next();
         i <= log_.last().index &&
         (entries.empty() ||
          bytes < std::min<std::size_t>(m.max_bytes, settings_.limits.chunk_bytes));
         i = i.next()) {
        entries.push_back(log_.find(i));
        bytes += weight(*entries.back());
    }
    answer_fetch(from.id, m, std::move(entries), false);
}

void machine::answer_fetch(server_id to,
                           const fetch& m,
                           std::vector<entry_ptr> entries,
                           bool hole) {
    log_chunk reply{.generation = m.generation,
                    .session = {},
                    .previous = m.from,
                    .entries = {},
                    .reason = chunk_reason::more,
                    .hint = {},
                    .rank = own_rank()};
    const auto here = log_.at(m.from.index);
    if (hole || !here || *here != m.from) {
        reply.reason = chunk_reason::hole; // It cannot be read, or is not there any more.
        send_now(to, std::move(reply));
        // A read that raced with a cut finds nothing either.
        if (hole && here && *here == m.from && log_.at(m.from.index.next())) {
            find_damaged(m.from.index.next(), end_of(log_.last()), "an entry cannot be read back");
        }
        return;
    }
    for (const entry_ptr& e : entries) {
        const auto still = log_.at(e->index);
        if (!still || *still != point_of(*e)) {
            break; // Truncated while it was read.
        }
        reply.entries.push_back(*e);
    }
    if (reply.entries.empty()) {
        reply.reason = chunk_reason::hole;
    } else if (reply.entries.back().index == log_.last().index) {
        reply.reason = own_end() > end_of(log_.last()) ? chunk_reason::hole : chunk_reason::end;
    }
    send_now(to, std::move(reply));
}

// -- The prospect ---------------------------------------------------------------------------------

/// For every chunk, before it is used.
bool machine::pull_may_use(const sender& from, const log_chunk& m) const {
    const auto* p = std::get_if<prospect>(&role_);
    if (!holds(rule::pull_generation)) {
        // Mutation: any chunk is taken, whatever happened since it was asked for.
        return !is_primary() && m.generation.has_value();
    }
    return p != nullptr && p->phase == prospect::doing::pulling && p->pulling &&
           p->pulling->source == from.id && m.generation == p->generation &&
           m.previous == p->pulling->asked;
}

void machine::on_pull_chunk(const sender& from, log_chunk& m) {
    if (!pull_may_use(from, m)) {
        return;
    }
    if (m.reason == chunk_reason::mismatch) {
        return pull_from_before(m.hint);
    }
    if (end_of(m.rank) <= end_of(log_.last()) && holds(rule::pull_generation)) {
        return pull_failed("its log is not more recent any more");
    }
    if (m.reason == chunk_reason::compacted ||
        (m.entries.empty() && m.reason != chunk_reason::end)) {
        return pull_failed("it cannot read what it should have");
    }
    if (!take_pulled(m)) {
        return pull_failed("its entries do not fit");
    }
    auto* p = std::get_if<prospect>(&role_);
    if (p == nullptr || !p->pulling) {
        return;
    }
    p->pulling->asked = m.entries.empty() ? p->pulling->asked : log_.last();
    if (m.reason == chunk_reason::more) {
        return send_fetch();
    }
    if (m.reason == chunk_reason::hole || end_of(log_.last()) < p->pulling->promised) {
        return pull_failed("it ended below what it had said");
    }
    pull_complete();
}

void machine::pull_failed(const std::string& why) {
    const auto* p = std::get_if<prospect>(&role_);
    if (p != nullptr && p->pulling) {
        end_pull(why, true);
    }
}

/// Where the logs may still agree: one step back per epoch, and never below what is committed,
/// for there they do.
void machine::pull_from_before(log_index hint) {
    auto* p = std::get_if<prospect>(&role_);
    if (p == nullptr || !p->pulling) {
        return;
    }
    const log_index before{hint.value() == 0 ? 0 : hint.value() - 1};
    const auto at = log_.at(std::max(std::min(before, log_.last().index), commit_));
    if (!at || at->index >= p->pulling->asked.index) {
        return pull_failed("the logs do not meet above what is committed");
    }
    p->pulling->asked = *at;
    send_fetch();
}

/// What is held already stays: only a conflict truncates, and what conflicts with a more recent
/// log was never committed. Gives whether all of the chunk is in the log now.
bool machine::take_pulled(log_chunk& m) {
    const auto at = log_.at(m.previous.index);
    if (!at || *at != m.previous) {
        return false;
    }
    for (entry& e : m.entries) {
        const auto here = log_.at(e.index);
        if (here && here->epoch == e.epoch && here->hash == e.hash) {
            continue;
        }
        const bool corrupt =
            (here && here->epoch == e.epoch) || e.epoch > m.rank.last_epoch || implausible(e.epoch);
        const bool committed = e.index <= commit_ && holds(rule::no_truncation_below_commit);
        if (corrupt || committed || !log_.continues(e) || !make_room(e)) {
            return false;
        }
        // The log that was claimed with is gone: a promise that still comes was for another one.
        claimed_.reset();
        append_taken(std::make_shared<const entry>(std::move(e)));
    }
    return true;
}

void machine::pull_complete() {
    auto& p = std::get<prospect>(role_);
    note_that(note_kind::pull_ended, fmt::format("pulled all from server {}", p.pulling->source));
    p.phase = prospect::doing::syncing;
    p.deadline = now_.monotonic + settings_.timers.backoff_cap;
    if (log_.last().epoch > epoch()) {
        // Not adopt_epoch(): the pull has ended well, and asks again with what it brought.
        const prospect::pull done = *p.pulling;
        p.pulling.reset();
        adopt_epoch(log_.last().epoch, std::nullopt);
        std::get<prospect>(role_).pulling = done;
    }
    pull_synced();
}

/// What was pulled is on the disk: ask again.
void machine::pull_synced() {
    auto* p = std::get_if<prospect>(&role_);
    if (p == nullptr || p->phase != prospect::doing::syncing ||
        writer_.durable() < log_.last().index) {
        return;
    }
    p->pulling.reset();
    if (may_run()) {
        start_round();
    }
}

} // namespace almenara::replica
