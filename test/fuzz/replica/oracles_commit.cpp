#include "fuzz/replica/oracles.hpp"
#include "fuzz/replica/world.hpp"

#include <fmt/format.h>

#include <algorithm>

// The part of the oracles that is about what is committed, applied and confirmed.
namespace almenara::fuzz {

namespace {

void hold(bool condition, std::string_view invariant, std::string_view how) {
    if (!condition) {
        broken(invariant, how);
    }
}

/// Whether that voter's word for an entry is worth something. A disk that was lost is a voter who
/// is dead, and what it held when it was lost still counts for those who relied on it; the disk
/// behind it counts only where INIT met no other.
bool has_copy(const server& one,
              const replica::cluster_config& config,
              const replica::log_point& at) {
    const auto held = one.held_at_wipe.find(at.index);
    if (held != one.held_at_wipe.end() && held->second == at.hash) {
        return true;
    }
    const replica::member* const known = replica::find_member(config, one.id);
    return known != nullptr && known->voter && known->uuid == one.uuid &&
           one.disk.kept(at.index, at.hash);
}

} // namespace

bool oracles::is_committed(log_index index, replica::hash64 hash) const {
    const auto found = committed_.find(index);
    return found != committed_.end() && found->second == hash;
}

void oracles::check_majority(std::size_t place,
                             const replica::log_point& at,
                             std::string_view what) const {
    const replica::cluster_config* const config = servers_[place].core->config();
    hold(config != nullptr, "I11", fmt::format("entry {} is {} without members", at.index, what));
    const auto copies = static_cast<std::size_t>(
        std::count_if(servers_.begin(), servers_.end(),
                      [&](const server& one) { return has_copy(one, *config, at); }));
    hold(copies >= replica::majority(*config), "I11",
         fmt::format("entry {} is {}, but only {} disks have it", at.index, what, copies));
}

void oracles::remember(const replica::log_point& at) {
    const auto [known, is_new] = committed_.try_emplace(at.index, at.hash);
    hold(is_new || known->second == at.hash, "I9",
         fmt::format("two different entries {} are committed", at.index));
}

void oracles::stepped(std::size_t place) {
    const server& one = servers_[place];
    const replica::core_status status = one.core->status();
    check_commit(place, status.commit);
    // B.8: the state may be ahead of a log that is being repaired.
    hold(
        status.damaged || status.applied <= status.commit, "I8",
        fmt::format("server {} applied {} of {} committed", one.id, status.applied, status.commit));
    hold(status.damaged || status.commit <= status.last.index, "I8",
         fmt::format("server {} committed {} of {} entries", one.id, status.commit,
                     status.last.index));
}

void oracles::check_commit(std::size_t place, log_index commit) {
    process& seen = processes_.at(place);
    hold(commit >= seen.commit, "I8",
         fmt::format("the commit index of server {} goes from {} to {}", servers_[place].id,
                     seen.commit, commit));
    if (everybody_honest_ && commit > seen.commit) {
        check_new_commit(place, seen.commit, commit);
    }
    seen.commit = commit;
}

void oracles::check_new_commit(std::size_t place, log_index before, log_index commit) {
    const server& one = servers_[place];
    const auto newest = one.core->position(commit);
    const bool is_news = newest && !is_committed(commit, newest->hash);
    for (log_index i = before.next(); i <= commit; i = i.next()) {
        if (const auto own = one.core->position(i)) {
            remember(*own);
        }
    }
    // Only a primary finds that something is committed; all others learn what one has found.
    if (newest && (is_news || processes_.at(place).rules)) {
        check_majority(place, *newest, "committed");
    }
}

void oracles::will_apply(std::size_t place, const replica::output& out) {
    process& seen = processes_.at(place);
    for (const replica::entry_ptr& entry : out.apply) {
        hold(entry->index == seen.applied.next(), "I10",
             fmt::format("server {} applies {} after {}", servers_[place].id, entry->index,
                         seen.applied));
        seen.applied = entry->index;
        check_applied(place, *entry);
    }
    for (const replica::confirmation& what : out.confirmed) {
        check_confirmed(place, what);
    }
}

/// I10 at the gate: nothing goes to the state that is not committed, here and (without liars) for
/// everybody, and on the own disk.
void oracles::check_applied(std::size_t place, const replica::entry& what) const {
    const server& one = servers_[place];
    const bool known_here = what.index <= processes_.at(place).commit;
    hold(known_here && (!everybody_honest_ || is_committed(what.index, what.hash)), "I10",
         fmt::format("server {} applies {}, which is not committed", one.id, what.index));
    hold(one.disk.holds(what.index, what.hash), "I10",
         fmt::format("server {} applies {}, which is not on its disk", one.id, what.index));
}

void oracles::check_confirmed(std::size_t place, const replica::confirmation& what) const {
    const server& one = servers_[place];
    const auto own = one.core->position(what.last);
    const bool known_here = own && what.last <= processes_.at(place).commit;
    hold(known_here && (!everybody_honest_ || is_committed(what.last, own->hash)), "I10",
         fmt::format("server {} confirms {}, which is not committed", one.id, what.last));
    if (everybody_honest_) {
        check_majority(place, *own, "confirmed");
    }
}

} // namespace almenara::fuzz
