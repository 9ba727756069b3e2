#include "unit/sim/told_cluster.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace almenara::sim::check {

namespace {

replica::entry entry_behind(const replica::entry& before, std::uint64_t of, std::uint64_t seq) {
    replica::entry next{.index = before.index.next(), .epoch = epoch{of}, .seq = seq};
    if (seq != 0) {
        next.session.fill(std::byte{7});
    }
    base::byte_vector scratch;
    next.hash = replica::chain_hash(before.hash, next, scratch);
    return next;
}

} // namespace

told_cluster::told_cluster() {
    for (unsigned id = 1; id <= 3; ++id) {
        config_.members.push_back({.id = id_of(id)});
    }
    const auto first = std::make_shared<const replica::entry>(replica::first_entry(config_));
    for (unsigned id = 1; id <= 3; ++id) {
        server& is = servers_[id_of(id)];
        is.log = {first};
        is.disk.epoch = epoch{1};
        is.status.eligible = 2;
        restart(id, 1);
    }
}

void told_cluster::restart(unsigned id, std::uint64_t last) {
    server& is = at(id);
    is.log.resize(last);
    is.syncing.clear();
    is.start = {.self = id_of(id),
                .incarnation = replica::incarnation{++incarnations_},
                .meta = is.disk,
                .recent = is.log};
    for (const auto& entry : is.log) {
        is.start.positions.push_back(replica::point_of(*entry));
    }
    is.status = {.role = replica::role_name::backup,
                 .epoch = is.disk.epoch,
                 .last = replica::point_of(*is.log.back()),
                 .durable_upto = log_index{last},
                 .eligible = 2};
    god_.started(is.start);
}

void told_cluster::restart_damaged(unsigned id,
                                   std::uint64_t from,
                                   std::optional<replica::log_end> end) {
    server& is = at(id);
    is.log.resize(from - 1);
    is.syncing.clear();
    is.start.meta = is.disk;
    is.start.found_damaged = replica::damage{.from = log_index{from}, .end = end};
    is.start.positions.clear();
    for (const auto& entry : is.log) {
        is.start.positions.push_back(replica::point_of(*entry));
    }
    is.start.recent = is.log;
    is.status.last = replica::point_of(*is.log.back());
    is.status.durable_upto = log_index{from - 1};
    is.status.commit = log_index{};
    god_.started(is.start);
}

void told_cluster::turn(unsigned id, const replica::output& out) {
    server& is = at(id);
    if (!is.log.empty()) {
        is.status.last = replica::point_of(*is.log.back());
    }
    god_.took(id_of(id), out, is.status, &config_);
}

void told_cluster::send(unsigned from, unsigned to, std::uint64_t of, replica::message message) {
    replica::output out;
    out.send.push_back({.peer = id_of(to),
                        .epoch = epoch{of},
                        .message = std::make_shared<const replica::message>(std::move(message))});
    turn(from, out);
}

// -- Elections ------------------------------------------------------------------------------------

void told_cluster::claim(unsigned candidate, std::uint64_t of) {
    const auto& last = *at(candidate).log.back();
    replica::claim says;
    says.rank = {.last_epoch = last.epoch, .last_index = last.index, .id = id_of(candidate)};
    for (unsigned id = 1; id <= 3; ++id) {
        if (id != candidate) {
            send(candidate, id, of, says);
        }
    }
}

void told_cluster::write_meta(unsigned id, const replica::persistent& meta) {
    at(id).disk = meta;
    at(id).status.epoch = meta.epoch;
    replica::output out;
    out.meta = replica::meta_record{.fields = meta};
    turn(id, out);
}

void told_cluster::finds_damage(unsigned id, const replica::damage& what) {
    at(id).status.damaged = what;
    replica::output out;
    out.notes.push_back({.kind = replica::note_kind::damaged, .text = {}});
    turn(id, out);
    replica::persistent meta = at(id).disk;
    meta.damaged = what;
    write_meta(id, meta);
}

void told_cluster::forgets_damage(unsigned id) {
    replica::persistent meta = at(id).disk;
    meta.damaged.reset();
    at(id).status.damaged.reset();
    write_meta(id, meta);
}

void told_cluster::decide(unsigned voter, unsigned candidate, std::uint64_t of) {
    replica::persistent meta = at(voter).disk;
    meta.epoch = epoch{of};
    meta.promised_to =
        replica::promised{.id = id_of(candidate), .incarnation = at(candidate).start.incarnation};
    at(voter).status.role =
        voter == candidate ? replica::role_name::candidate : replica::role_name::backup;
    write_meta(voter, meta);
}

void told_cluster::sync_meta(unsigned id) {
    god_.meta_durable(id_of(id), at(id).disk);
}

void told_cluster::promise(unsigned voter, unsigned candidate, std::uint64_t of) {
    send(voter, candidate, of, replica::promise{.claimed = epoch{of}, .granted = true});
}

void told_cluster::enter_office(unsigned id, std::uint64_t of) {
    at(id).status.role = replica::role_name::primary;
    replica::output out;
    out.office.push_back(replica::entered_office{.epoch = epoch{of}});
    turn(id, out);
}

void told_cluster::elect(unsigned id, std::uint64_t of) {
    elect_by({1, 2, 3}, id, of);
}

void told_cluster::elect_by(const std::vector<unsigned>& voters, unsigned id, std::uint64_t of) {
    claim(id, of);
    for (const unsigned voter : voters) {
        decide(voter, id, of);
        sync_meta(voter);
        if (voter != id) {
            promise(voter, id, of);
        }
    }
    enter_office(id, of);
}

void told_cluster::follow(unsigned id, unsigned primary, std::uint64_t of) {
    decide(id, primary, of);
    sync_meta(id);
}

// -- Logs -----------------------------------------------------------------------------------------

void told_cluster::write(unsigned id, replica::log_write what) {
    what.batch = replica::batch_number{++batches_};
    at(id).syncing.push_back(what);
    replica::output out;
    out.log.push_back(std::move(what));
    turn(id, out);
}

std::uint64_t told_cluster::append(unsigned id, std::uint64_t of, std::uint64_t seq) {
    server& is = at(id);
    const auto previous = replica::point_of(*is.log.back());
    is.log.push_back(std::make_shared<const replica::entry>(entry_behind(*is.log.back(), of, seq)));
    write(id, {.previous = previous, .entries = {is.log.back()}});
    return is.log.back()->index.value();
}

void told_cluster::copy(unsigned to, unsigned from, std::uint64_t upto) {
    server& is = at(to);
    replica::log_write what{.previous = replica::point_of(*is.log.back())};
    while (is.log.size() < upto) {
        is.log.push_back(at(from).log[is.log.size()]);
        what.entries.push_back(is.log.back());
    }
    write(to, std::move(what));
}

void told_cluster::truncate(unsigned id, std::uint64_t last) {
    server& is = at(id);
    is.log.resize(last);
    is.status.durable_upto = std::min(is.status.durable_upto, log_index{last});
    write(id, {.truncates = true, .previous = replica::point_of(*is.log.back())});
}

void told_cluster::sync_log(unsigned id) {
    server& is = at(id);
    for (const auto& what : is.syncing) {
        god_.log_durable(id_of(id), what);
    }
    is.syncing.clear();
    is.status.durable_upto = log_index{is.log.size()};
}

void told_cluster::ack(unsigned id, unsigned to, std::uint64_t match) {
    send(id, to, at(id).status.epoch.value(), replica::append_ack{.match = log_index{match}});
}

void told_cluster::commit(unsigned id, std::uint64_t index) {
    at(id).status.commit = log_index{index};
    turn(id);
}

void told_cluster::confirm(unsigned id, std::uint64_t index) {
    replica::output out;
    out.confirmed.push_back({.first = log_index{index}, .last = log_index{index}});
    turn(id, out);
}

void told_cluster::apply(unsigned id, std::uint64_t index) {
    replica::output out;
    out.apply.push_back(at(id).log[index - 1]);
    turn(id, out);
}

std::uint64_t told_cluster::replicate(unsigned primary, std::uint64_t of, std::uint64_t seq) {
    const auto index = append(primary, of, seq);
    for (unsigned id = 1; id <= 3; ++id) {
        if (id != primary) {
            copy(id, primary, index);
        }
        sync_log(id);
    }
    commit(primary, index);
    return index;
}

} // namespace almenara::sim::check
