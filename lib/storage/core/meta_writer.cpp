#include "storage/core/meta_writer.hpp"

#include "base/check.hpp"
#include "storage/core/rules.hpp"

#include <utility>

namespace almenara::storage::core {

namespace {

constexpr file_name meta_file{.kind = file_kind::meta};

void write_slot(device_operations& operations, slot_number slot, const meta_slot& content) {
    operations.emplace_back(write_blocks{.file = meta_file,
                                         .offset = slot.value() * std::uint64_t{block_size},
                                         .bytes = encode_slot(content)});
    operations.emplace_back(sync_file{.file = meta_file});
}

} // namespace

meta_writer::meta_writer(chosen_slot written)
    : slot_(other_than(written.slot)), content_(std::move(written.content)) {}

void meta_writer::change(meta_fields fields, std::optional<replica::meta_number> number) {
    ALMENARA_CHECK(!waiting_);
    waiting_ = waiting_change{.fields = std::move(fields), .number = number};
}

const meta_fields& meta_writer::newest() const {
    if (waiting_) {
        return waiting_->fields;
    }
    return in_flight_ ? in_flight_->fields : content_.fields;
}

device_operations meta_writer::next() {
    ALMENARA_CHECK(!in_flight_ && (copy_waits_ || waiting_));
    device_operations operations;
    copies_ = copy_waits_;
    if (copies_) {
        write_slot(operations, slot_, content_);
        return operations;
    }
    in_flight_ = std::exchange(waiting_, std::nullopt);
    write_slot(operations, slot_,
               {.generation = content_.generation.next(), .fields = in_flight_->fields});
    return operations;
}

std::optional<replica::meta_number> meta_writer::finished() {
    slot_ = other_than(slot_);
    if (std::exchange(copies_, false)) {
        copy_waits_ = false;
        return std::nullopt;
    }
    const waiting_change done = *std::exchange(in_flight_, std::nullopt);
    content_ = {.generation = content_.generation.next(), .fields = done.fields};
    copy_waits_ = holds(rule::both_slots);
    return done.number;
}

meta_start plan_meta_start(const chosen_slot& read, const meta_fields& fields) {
    meta_start start{
        .operations = {},
        .written = {.slot = other_than(read.slot),
                    .content = {.generation = read.content.generation.next(), .fields = fields}}};
    if (!holds(rule::start_rewrites)) {
        start.written.slot = read.slot;
        start.written.content.generation = read.content.generation;
        return start;
    }
    // What was read is on the disk before the other slot is touched: one of them is always whole.
    start.operations.emplace_back(sync_file{.file = meta_file});
    write_slot(start.operations, start.written.slot, start.written.content);
    if (holds(rule::both_slots)) {
        // What an orderly end said there is not so any more.
        write_slot(start.operations, read.slot, start.written.content);
    }
    return start;
}

} // namespace almenara::storage::core
