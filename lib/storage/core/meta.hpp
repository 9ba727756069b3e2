#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "replica/gate.hpp"
#include "storage/core/device.hpp"
#include "storage/core/ids.hpp"
#include "wire/described.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

/// B.1: what must never be forgotten beside the log, in two slots of a block each. A change goes to
/// one slot and is synced, then to the other, before the next change starts. So an unreadable slot
/// beside a readable one is a torn write that nobody saw, or a copy; never a forgotten promise.
namespace almenara::storage::core {

struct meta_fields {
    replica::persistent core;
    acked_mark acked;
    /// Everything was synced and nothing was written since; `acked` is the log's very end.
    bool clean_stop = false;
    boot_id boot; ///< of the machine, when this was written
};
ALMENARA_DESCRIBE(meta_fields, core, acked, clean_stop, boot)

using meta_generation = base::strong<struct meta_generation_tag, std::uint64_t>;

struct meta_slot {
    meta_generation generation;
    meta_fields fields;
};
ALMENARA_DESCRIBE(meta_slot, generation, fields)

inline constexpr std::uint64_t meta_slots = 2;
inline constexpr std::uint64_t meta_size = meta_slots * block_size;

/// Number of a slot: 0 or 1.
using slot_number = base::strong<struct slot_number_tag, std::uint8_t>;

[[nodiscard]] constexpr slot_number other_than(slot_number slot) {
    return slot_number{static_cast<std::uint8_t>(1 - slot.value())};
}

[[nodiscard]] base::byte_vector encode_slot(const meta_slot& slot);

/// What a start finds.
struct chosen_slot {
    slot_number slot;
    meta_slot content;
};

/// The readable slot with the higher generation. A failure if none can be read: a server that
/// assumed epoch 0 would promise a second time.
[[nodiscard]] result<chosen_slot> choose_slot(base::byte_view file);

/// Both slots, as a data directory gets them once. The file has its name only when it is whole.
[[nodiscard]] device_operations plan_new_meta(const meta_fields& fields);

} // namespace almenara::storage::core
