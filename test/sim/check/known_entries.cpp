#include "sim/check/known_entries.hpp"

namespace almenara::sim::check {

void known_entries::stands(server_id where,
                           const replica::entry& entry,
                           const replica::log_point& previous) {
    const known_entry* known = find(entry.index, entry.epoch);
    if (known == nullptr) {
        check_order(where, entry, previous);
        first_seen(entry, previous);
    } else if (known->point.hash != entry.hash || known->previous != previous.hash) {
        found_.report(
            "I5",
            "server {} has at index {} of epoch {} the hash {} behind {}, elsewhere it is "
            "{} behind {}",
            where, entry.index, entry.epoch, entry.hash, previous.hash, known->point.hash,
            known->previous);
    }
}

const known_entry* known_entries::find(log_index index, epoch of) const {
    if (index.value() >= first_.size()) {
        return nullptr;
    }
    const auto& usual = first_[index.value()];
    if (usual && usual->point.epoch == of) {
        return &*usual;
    }
    const auto place = others_.find({index, of});
    return place == others_.end() ? nullptr : &place->second;
}

void known_entries::first_seen(const replica::entry& entry, const replica::log_point& previous) {
    known_entry known{.point = replica::point_of(entry),
                      .previous = previous.hash,
                      .type = entry.type,
                      .time = entry.time,
                      .session = entry.session,
                      .seq = entry.seq};
    if (first_.size() <= entry.index.value()) {
        first_.resize(entry.index.value() + 1);
    }
    auto& usual = first_[entry.index.value()];
    if (usual) {
        others_.emplace(std::pair{entry.index, entry.epoch}, known);
    } else {
        usual = known;
    }
}

void known_entries::check_order(server_id where,
                                const replica::entry& entry,
                                const replica::log_point& previous) {
    if (entry.index != previous.index.next() || entry.epoch < previous.epoch) {
        found_.report("I5", "server {} put index {} of epoch {} behind index {} of epoch {}", where,
                      entry.index, entry.epoch, previous.index, previous.epoch);
    } else if (replica::chain_hash(previous.hash, entry, scratch_) != entry.hash) {
        found_.report("I5",
                      "server {} has index {} of epoch {} with a hash that is not the chain's",
                      where, entry.index, entry.epoch);
    }
    // B.4: log time never goes back, or expiry would depend on who was primary.
    const known_entry* before = find(previous.index, previous.epoch);
    if (before != nullptr && entry.time < before->time) {
        found_.report("B.4", "server {}: the log time of index {} is {}, of the one before {}",
                      where, entry.index, to_string(entry.time), to_string(before->time));
    }
}

} // namespace almenara::sim::check
