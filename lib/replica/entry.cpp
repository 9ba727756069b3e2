#include "replica/entry.hpp"

#include "base/hash.hpp"
#include "wire/codec.hpp"

#include <string_view>

namespace almenara::replica {

namespace {

/// The members that the hash covers, in the codec's order.
template <class Visitor>
void visit_hashed(const entry& e, Visitor&& visit) {
    wire::visit_members(e, [&](const char* name, const auto& member) {
        if (std::string_view{name} != "hash") {
            visit(member);
        }
    });
}

} // namespace

hash64 chain_hash(hash64 previous, const entry& e, base::byte_vector& scratch) {
    std::size_t size = 0;
    visit_hashed(e, [&size](const auto& member) { size += wire::encoded_size(member); });
    // Only grown: shrinking and growing again would write zeros over the whole difference.
    if (scratch.size() < size) {
        scratch.resize(size);
    }
    std::byte* at = scratch.data();
    visit_hashed(e, [&at](const auto& member) { at = wire::put(at, member); });
    return hash64{base::xxh3_64(base::byte_view{scratch.data(), at}, previous.value())};
}

} // namespace almenara::replica
