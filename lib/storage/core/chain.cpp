#include "storage/core/chain.hpp"

namespace almenara::storage::core {

std::optional<replica::log_point> chain_through(const replica::log_point& before,
                                                std::span<const replica::entry_ptr> entries,
                                                log_index cap,
                                                base::byte_vector& scratch) {
    replica::log_point at = before;
    replica::log_point last = before;
    for (const replica::entry_ptr& e : entries) {
        if (e->index != at.index.next() || e->epoch < at.epoch ||
            e->hash != replica::chain_hash(at.hash, *e, scratch)) {
            return std::nullopt;
        }
        at = replica::point_of(*e);
        if (at.index <= cap) {
            last = at;
        }
    }
    return last;
}

std::optional<replica::log_point> goes_on(const replica::log_point& before,
                                          const read_batch& found,
                                          log_index cap,
                                          base::byte_vector& scratch) {
    if (!found.at_home() || found.header.first != before.index.next() ||
        found.header.durable.index > before.index) {
        return std::nullopt;
    }
    return chain_through(before, found.content.entries, cap, scratch);
}

} // namespace almenara::storage::core
