#include "replica/machine.hpp"
#include "replica/rules.hpp"
#include "wire/codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

/// B.12.3: the first start of a list of servers. Entry 1 is the same whoever writes it and however
/// often, so a crash at any step is only a delay.
namespace almenara::replica {

/// The config that follows from the list, once every disk of it has shown itself.
std::optional<cluster_config> machine::list_in_view() const {
    cluster_config config;
    config.confirm = listed_confirm_;
    for (const server_id id : listed_) {
        // Nothing that an operator may change between two tries.
        member m{.id = id, .uuid = uuid_, .addresses = {}};
        if (id != self_) {
            const auto l = links_.find(id);
            if (l == links_.end() || !l->second.open()) {
                return std::nullopt;
            }
            m.uuid = l->second.said.uuid;
        }
        config.members.push_back(std::move(m));
    }
    return config;
}

void machine::boot_due() {
    auto* b = std::get_if<boot>(&role_);
    if (b == nullptr || b->retry_at > now_.monotonic) {
        return;
    }
    b->retry_at = now_.monotonic + settings_.timers.suspect;
    if (writer_.durable() >= log_index{1}) {
        // Entry 1 can only be this one; GO, or who was to say it, may be lost.
        b->ready_at =
            held_by_other_options() ? now_.monotonic : b->ready_at.value_or(now_.monotonic);
        if (now_.monotonic - *b->ready_at >= 2 * settings_.timers.suspect) {
            return leave_boot(false);
        }
    }
    if (!listed_.empty() && listed_.back() == self_) {
        lead_init();
    }
}

/// One that is here and has no entry 1 yet would refuse this one, because it was told other
/// options: the list does not begin without it, or it could never come.
bool machine::held_by_other_options() {
    bool held = false;
    for (auto& [id, l] : links_) {
        const bool takes_it = l.said.cluster || l.said.options == options_;
        if (!l.open() || l.said.config_index != log_index{0} || takes_it) {
            continue;
        }
        held = true;
        if (!std::exchange(l.was_rejected, true)) {
            note_that(note_kind::bootstrap,
                      fmt::format("nothing begins: {}", other_options(l.said).text));
        }
    }
    return held;
}

/// The highest id offers entry 1 to all, when it sees all.
void machine::lead_init() {
    const auto config = list_in_view();
    if (!config || damaged()) {
        return; // A damaged log had an entry 1: it is repaired, not made again.
    }
    if (somebody_waits() || held_by_other_options()) {
        return;
    }
    auto& b = std::get<boot>(role_);
    const cluster_id cluster = cluster_of_list(*config);
    for (const auto& [id, l] : links_) {
        if (l.said.cluster && *l.said.cluster != cluster) {
            note_that(note_kind::bootstrap,
                      fmt::format("server {} belongs to another cluster already", id));
            return;
        }
    }
    if (!b.nonce) {
        b.nonce = random_.next();
        note_that(note_kind::bootstrap, "all listed servers are here: offering the first entry");
    }
    const entry first = first_entry(*config);
    for (const server_id id : listed_) {
        if (id != self_ && !b.acked.contains(id)) {
            send_now(id,
                     init{.nonce = *b.nonce, .members_hash = list_hash(listed_), .first = first});
        }
    }
    if (!b.acked.contains(self_)) {
        b.acked.insert(self_);
        take_first_entry(first);
    }
}

/// Entry 1 follows from its config, so it need not be in memory.
std::optional<entry> machine::own_first_entry() const {
    if (log_.config() == nullptr || log_.config_index() != log_index{1}) {
        return std::nullopt;
    }
    return first_entry(*log_.config());
}

/// A member that has entry 1 gives it to one that has nothing.
void machine::offer_first_entry(server_id to) {
    const std::optional<entry> first = own_first_entry();
    if (is_boot() || !first || links_[to].said.config_index != log_index{0} ||
        links_[to].said.role != role_name::boot) {
        return;
    }
    send_now(to, init{.nonce = 0, .members_hash = list_hash(listed_), .first = *first});
}

void machine::on_init(const sender& from, const init& m) {
    init_ack reply{.nonce = m.nonce, .first = m.first.hash, .refused = false};
    const auto mine = log_.at(log_index{1});
    if (mine && mine->index == log_index{1}) {
        // Empty or not: who has the same entry says yes, who has another says no.
        reply.refused = !(*mine == point_of(m.first)) || !holds(rule::init_deterministic);
        until when;
        if (writer_.durable() < log_index{1}) {
            when.batch = writer_.newest();
        }
        return send_when(from.id, reply, when);
    }
    if (!is_boot()) {
        return;
    }
    take_first_entry(m.first);
    const auto now_mine = log_.at(log_index{1});
    reply.refused = !now_mine || now_mine->hash != m.first.hash;
    until when;
    if (!reply.refused) {
        when.batch = writer_.newest();
        when.meta = ballot_.record();
    }
    send_when(from.id, reply, when);
}

/// Checked against what this server knows itself: its disk, its list, the disks it has seen.
void machine::take_first_entry(const entry& first) {
    if (!is_boot() || log_.last().index != log_index{0} || first.index != log_index{1} ||
        first.type != entry_type::config || !log_.continues(first)) {
        return;
    }
    const auto config = wire::decode<cluster_config>(first.payload);
    if (!config) {
        return;
    }
    std::vector<server_id> ids;
    for (const member& m : config->members) {
        ids.push_back(m.id);
        const auto l = links_.find(m.id);
        const bool seen = l != links_.end() && l->second.open();
        if ((m.id == self_ && m.uuid != uuid_) || (seen && l->second.said.uuid != m.uuid)) {
            return refuse_first_entry(
                first,
                fmt::format("the offered first entry names another disk of server {}", m.id));
        }
    }
    const cluster_id cluster = cluster_of_list(*config);
    // Who knows its cluster was founded once, whatever it is started with now: only that entry 1
    // has this id.
    const auto& mine = ballot_.word().cluster;
    const bool of_this_list = mine ? *mine == cluster && find_member(*config, self_) != nullptr
                                   : ids == listed_ && config->confirm == listed_confirm_;
    if (first != first_entry(*config) || !of_this_list) {
        std::string why = "the offered first entry is not that of this list";
        if (!mine && ids == listed_ && config->confirm != listed_confirm_) {
            why = fmt::format("confirm is {} in the offered first entry, and {} here: start this "
                              "server with the same --peers and --confirm as the others",
                              wire::enumerator_name(config->confirm),
                              wire::enumerator_name(listed_confirm_));
        }
        return refuse_first_entry(first, std::move(why));
    }
    note_that(note_kind::bootstrap, "first entry taken");
    // The cluster id is on the disk before entry 1 (B.1), which waits for it in write_log().
    ballot_.set_cluster(cluster);
    ballot_.adopt(std::max(epoch(), first.epoch), ballot_.word().promised_to);
    append_taken(std::make_shared<const entry>(first));
}

/// It comes again and again, and is complained of once.
void machine::refuse_first_entry(const entry& first, std::string why) {
    if (std::exchange(std::get<boot>(role_).refused, first.hash) != first.hash) {
        note_that(note_kind::bootstrap, std::move(why));
    }
}

void machine::on_init_ack(const sender& from, const init_ack& m) {
    auto* b = std::get_if<boot>(&role_);
    if (b == nullptr || b->nonce != m.nonce) {
        return;
    }
    if (m.refused) {
        note_that(note_kind::bootstrap,
                  fmt::format("server {} has another first entry: join it instead", from.id));
        return;
    }
    b->acked.insert(from.id);
    go_if_all_have_it();
}

/// With all N acks, one's own disk among them.
void machine::go_if_all_have_it() {
    const auto* b = std::get_if<boot>(&role_);
    if (b == nullptr || !b->nonce || b->acked.size() < listed_.size() ||
        writer_.durable() < log_index{1}) {
        return;
    }
    for (const server_id id : listed_) {
        if (id != self_) {
            send_now(id, init_go{.nonce = *b->nonce});
        }
    }
    leave_boot(true);
}

// -- GO -------------------------------------------------------------------------------------------

/// B.12: one server that waits holds the whole list, and GO said to one releases all.
bool machine::somebody_waits() const {
    return waits_ || std::any_of(links_.begin(), links_.end(), [](const auto& one) {
               const link& l = one.second;
               return l.open() && l.said.role == role_name::boot &&
                      (l.said.features & waits_for_go) != 0;
           });
}

void machine::on(const go&) {
    if (!is_boot() || std::exchange(released_, true)) {
        return;
    }
    note_that(note_kind::bootstrap, "go: the list begins when all of it is here");
    waits_ = false;
    for (const auto& [id, l] : links_) {
        if (l.open()) {
            pass_on_go(id);
        }
    }
    std::get<boot>(role_).retry_at = now_.monotonic;
    boot_due();
}

void machine::pass_on_go(server_id peer) {
    link& l = links_[peer];
    if (released_ && l.said.role == role_name::boot) {
        l.said.features &= ~waits_for_go;
        send_now(peer, init_go{.nonce = 0});
    }
}

void machine::on_init_go(const sender& from, const init_go& m) {
    if (m.nonce == 0 && is_boot()) {
        links_[from.id].said.features &= ~waits_for_go;
        return on(go{});
    }
    // Whoever says it: entry 1 is the same for all. Without it on the disk there is nothing to go
    // by.
    if (is_boot() && m.nonce != 0 && writer_.durable() >= log_index{1}) {
        note_that(note_kind::bootstrap, fmt::format("server {} says go", from.id));
        leave_boot(false);
    }
}

/// The sender of INIT runs at once, the others after suspect_timeout.
void machine::leave_boot(bool at_once) {
    become_backup(at_once ? now_.monotonic : now_.monotonic + settings_.timers.suspect,
                  election_reason::boot);
    backup_due();
}

} // namespace almenara::replica
