#include "replica/config.hpp"

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <array>

namespace almenara::replica {

namespace {

void append_id(server_id id, base::byte_vector& out) {
    out.push_back(static_cast<std::byte>(id.value() & 0xffU));
    out.push_back(static_cast<std::byte>(id.value() >> 8U));
}

} // namespace

const member* find_member(const cluster_config& config, server_id id) {
    const auto at = std::find_if(config.members.begin(), config.members.end(),
                                 [id](const member& m) { return m.id == id; });
    return at == config.members.end() ? nullptr : &*at;
}

bool is_voter(const cluster_config& config, server_id id) {
    const member* const found = find_member(config, id);
    return found != nullptr && found->voter;
}

std::size_t voters(const cluster_config& config) {
    return static_cast<std::size_t>(std::count_if(config.members.begin(), config.members.end(),
                                                  [](const member& m) { return m.voter; }));
}

std::size_t majority(const cluster_config& config) {
    return voters(config) / 2 + 1;
}

cluster_id cluster_of_list(const cluster_config& config) {
    std::vector<const member*> sorted;
    for (const member& m : config.members) {
        sorted.push_back(&m);
    }
    std::sort(sorted.begin(), sorted.end(),
              [](const member* a, const member* b) { return a->id < b->id; });
    // Each takes the same number of bytes, so that no two lists give the same ones.
    base::byte_vector bytes;
    for (const member* const m : sorted) {
        append_id(m->id, bytes);
        const data_uuid::rep uuid = m->uuid.value();
        bytes.insert(bytes.end(), uuid.begin(), uuid.end());
    }
    const base::sha256_digest digest = base::sha256(bytes);
    cluster_id::rep front{};
    std::copy_n(digest.begin(), front.size(), front.begin());
    return cluster_id{front};
}

entry first_entry(const cluster_config& config) {
    entry first{.index = log_index{1}, .epoch = epoch{1}, .type = entry_type::config};
    wire::encode(config, first.payload);
    base::byte_vector scratch;
    first.hash = chain_hash(hash64{0}, first, scratch);
    return first;
}

hash64 list_hash(const std::vector<server_id>& ids) {
    std::vector<server_id> sorted = ids;
    std::sort(sorted.begin(), sorted.end());
    base::byte_vector bytes;
    for (const server_id id : sorted) {
        append_id(id, bytes);
    }
    return hash64{base::xxh3_64(bytes)};
}

} // namespace almenara::replica
