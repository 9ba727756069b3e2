#pragma once

#include "replica/ids.hpp"
#include "storage/core/device.hpp"
#include "storage/core/meta.hpp"

#include <optional>

namespace almenara::storage::core {

/// B.1: one change of `meta` at a time, to one slot and then to the other.
class meta_writer {
  public:
    /// What a start has written, and where. Both slots say the same from then on.
    explicit meta_writer(chosen_slot written);

    /// The next change; one at a time, as B.1 has it. `number` is told when it is in one slot.
    void change(meta_fields fields, std::optional<replica::meta_number> number);
    [[nodiscard]] bool change_waits() const { return waiting_.has_value(); }
    [[nodiscard]] bool copy_waits() const { return copy_waits_; }

    /// Goes along with the change that waits.
    void mark(const acked_mark& acked) { waiting_->fields.acked = acked; }

    /// The copy if one waits, else the change.
    [[nodiscard]] device_operations next();
    /// Its sync returned: the number that may be told now.
    [[nodiscard]] std::optional<replica::meta_number> finished();

    /// What is on the disk.
    [[nodiscard]] const meta_fields& durable() const { return content_.fields; }
    /// What will be, with what waits.
    [[nodiscard]] const meta_fields& newest() const;

  private:
    struct waiting_change {
        meta_fields fields;
        std::optional<replica::meta_number> number;
    };

    slot_number slot_;  ///< the next change goes there
    meta_slot content_; ///< of the other one, or of both
    bool copy_waits_ = false;
    bool copies_ = false; ///< what is in flight is a copy
    std::optional<waiting_change> waiting_;
    std::optional<waiting_change> in_flight_;
};

/// What a start does with what it read: a promise that was read from the page cache of a killed
/// process proves nothing (B.1). `fields` are those of the slot, as this start has them.
struct meta_start {
    device_operations operations;
    chosen_slot written;
};
[[nodiscard]] meta_start plan_meta_start(const chosen_slot& read, const meta_fields& fields);

} // namespace almenara::storage::core
