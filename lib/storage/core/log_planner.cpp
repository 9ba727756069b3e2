#include "storage/core/log_planner.hpp"

#include "base/check.hpp"
#include "base/little_endian.hpp"
#include "storage/core/rules.hpp"

#include <algorithm>
#include <utility>

namespace almenara::storage::core {

namespace {

/// The mark of a new segment waits for a quiet moment, but not for ever.
constexpr std::size_t batches_before_mark = 8;

segment_uuid new_uuid(base::generator& random) {
    segment_uuid::rep bytes{};
    base::put_fixed(bytes.data(), random.next());
    base::put_fixed(bytes.data() + 8, random.next());
    return segment_uuid{bytes};
}

} // namespace

log_planner::log_planner(planner_start start)
    : settings_(start.settings),
      random_(start.seed),
      meta_(std::move(start.meta)),
      spares_(std::move(start.spares), settings_.segment_size, settings_.spares),
      map_(std::move(start.map)),
      end_(start.position.last),
      durable_(replica::end_of(end_)),
      newest_(start.position.newest),
      offset_(start.position.length),
      go_on_(start.position.go_on),
      resets_(start.position.resets),
      sealed_(start.position.sealed),
      hint_(start.position.hint),
      hint_written_(start.position.hint) {
    ALMENARA_CHECK(settings_.segment_size % block_size == 0);
    for (const replica::entry_ptr& config : start.configs) {
        configs_.push_back(config->index);
    }
    if (resets_) {
        map_.cut_behind(log_index{}); // B.8: the log begins anew behind the state.
    }
    if (go_on_) {
        uuid_ = map_.segments().back().uuid;
        size_ = map_.segments().back().size;
    }
}

void log_planner::queue(replica::log_write write) {
    ALMENARA_CHECK(!stopping_);
    waiting_.add(std::move(write));
}

void log_planner::queue(replica::meta_record record) {
    meta_fields fields = meta_.newest();
    fields.core = std::move(record.fields);
    meta_.change(std::move(fields), record.number);
}

void log_planner::committed(log_index index) {
    hint_ = std::max(hint_, index);
}

void log_planner::idle() {
    idle_ = true;
}

void log_planner::stop() {
    stopping_ = true;
}

// -- What is next ---------------------------------------------------------------------------------

std::optional<device_operations> log_planner::next() {
    if (in_flight_ != job::none) {
        return std::nullopt;
    }
    if (meta_is_next()) {
        return meta_job();
    }
    if (!waiting_.empty()) {
        return log_job();
    }
    return quiet_job();
}

/// A promise waits for its record, so a change goes before the log. Its copy lets one batch pass:
/// whoever takes office after a promise has an entry to write.
bool log_planner::meta_is_next() const {
    if (meta_.change_waits()) {
        return true;
    }
    if (meta_.copy_waits()) {
        return waiting_.empty() || batches_since_change_ > 0;
    }
    return mark_due_ && (waiting_.empty() || batches_since_mark_due_ >= batches_before_mark);
}

device_operations log_planner::meta_job() {
    in_flight_ = job::meta;
    if (!meta_.copy_waits()) {
        if (!meta_.change_waits()) {
            meta_.change(meta_.newest(), std::nullopt);
        }
        meta_.mark(mark());
        mark_due_ = false;
        batches_since_change_ = 0;
    }
    return meta_.next();
}

std::optional<device_operations> log_planner::quiet_job() {
    if ((idle_ || stopping_) && !sealed_ && go_on_) {
        idle_ = false;
        in_flight_ = job::log;
        device_operations operations;
        if (!has_room_for(block_size)) {
            open_segment(operations);
        }
        write_batch(operations, {});
        return operations;
    }
    if (stopping_ && !meta_.durable().clean_stop) {
        meta_fields fields = meta_.newest();
        fields.clean_stop = true;
        meta_.change(std::move(fields), std::nullopt);
        return meta_job();
    }
    stopped_ = stopping_;
    return std::nullopt;
}

disk_answer log_planner::finished() {
    const job done = std::exchange(in_flight_, job::none);
    ALMENARA_CHECK(done != job::none);
    if (done == job::meta) {
        return {.meta = meta_.finished(), .log = std::nullopt};
    }
    durable_ = replica::end_of(end_);
    return {.meta = std::nullopt, .log = std::exchange(answers_, std::nullopt)};
}

acked_mark log_planner::mark() const {
    return {.epoch = durable_.epoch, .index = durable_.index, .segment = newest_};
}

// -- The log --------------------------------------------------------------------------------------

device_operations log_planner::log_job() {
    in_flight_ = job::log;
    idle_ = false;
    ++batches_since_change_;
    ++batches_since_mark_due_;
    const waiting_writes::taken taken = waiting_.take(end_, settings_.batch_bytes);
    answers_ = taken.answers;
    device_operations operations;
    std::uint64_t bytes = batch_header_size + 2 * sizeof(commit_hint);
    for (const replica::entry_ptr& e : taken.entries) {
        bytes += record_size(*e);
    }
    if (taken.cut) {
        cut(*taken.cut);
    }
    if (!has_room_for(bytes)) {
        open_segment(operations);
    }
    if (!taken.entries.empty()) {
        write_batch(operations, taken.entries);
    }
    return operations;
}

/// E.3: a truncation closes the segment; nothing is erased.
void log_planner::cut(const replica::log_point& last) {
    end_ = last;
    durable_ = std::min(durable_, replica::end_of(last));
    go_on_ = false;
    while (!configs_.empty() && configs_.back() > last.index) {
        configs_.pop_back();
    }
}

bool log_planner::has_room_for(std::uint64_t bytes) const {
    return go_on_ && up_to_block(bytes) <= size_ - offset_;
}

void log_planner::open_segment(device_operations& operations) {
    const spare_file file = spares_.take(operations);
    const meta_fields& meta = meta_.durable();
    uuid_ = new_uuid(random_);
    newest_ = newest_.next();
    const segment_header header{.cluster = meta.core.cluster,
                                .uuid = uuid_,
                                .seq = newest_,
                                .previous = end_,
                                .previous_length = offset_,
                                .resets = resets_,
                                .blank = file.name.kind != file_kind::used_spare,
                                .epoch = meta.core.epoch,
                                .promised_to = meta.core.promised_to,
                                .config = configs_.empty() ? log_index{} : configs_.back()};
    // Its header is on the disk before it has its name, and its name before its first batch.
    operations.emplace_back(
        write_blocks{.file = file.name, .offset = 0, .bytes = encode_header(header)});
    operations.emplace_back(sync_file{.file = file.name});
    operations.emplace_back(rename_file{.from = file.name, .to = segment_file_name(newest_)});
    operations.emplace_back(sync_directory{});
    map_.open({.seq = newest_, .uuid = uuid_, .size = file.size, .previous = end_.index}, resets_);
    offset_ = block_size;
    size_ = file.size;
    go_on_ = true;
    resets_ = false;
    sealed_ = false;
    mark_due_ = true;
    batches_since_mark_due_ = 0;
}

void log_planner::write_batch(device_operations& operations,
                              const std::vector<replica::entry_ptr>& entries) {
    const bool news = hint_ > hint_written_;
    hint_written_ = hint_;
    base::byte_vector bytes = encode_batch({.uuid = uuid_,
                                            .offset = offset_,
                                            .first = end_.index.next(),
                                            .entries = entries,
                                            .durable = durable_,
                                            .commit = news ? std::optional{hint_} : std::nullopt});
    ALMENARA_CHECK(bytes.size() <= size_ - offset_);
    if (!entries.empty()) {
        end_ = replica::point_of(*entries.back());
        map_.add({.first = entries.front()->index,
                  .last = end_.index,
                  .offset = offset_,
                  .length = bytes.size()});
    }
    for (const replica::entry_ptr& e : entries) {
        if (e->type == replica::entry_type::config) {
            configs_.push_back(e->index);
        }
    }
    sealed_ = entries.empty();
    const std::uint64_t length = bytes.size();
    operations.emplace_back(write_blocks{
        .file = segment_file_name(newest_), .offset = offset_, .bytes = std::move(bytes)});
    operations.emplace_back(sync_file{.file = segment_file_name(newest_)});
    offset_ += length;
}

// -- Beside it ------------------------------------------------------------------------------------

std::optional<device_operations> log_planner::next_beside() {
    if (spares_.busy()) {
        return std::nullopt;
    }
    // What a scan found damaged is not thrown away before it is repaired.
    const bool sound = !meta_.newest().core.damaged && go_on_;
    auto free = sound ? map_.oldest_if_free(limits_) : std::nullopt;
    if (free) {
        map_.forget_oldest();
    }
    return spares_.tend(std::move(free), makes_spares_);
}

void log_planner::finished_beside() {
    spares_.tended();
}

device_operations plan_log_start(const scan_result& scanned) {
    device_operations operations;
    if (!scanned.tail || !holds(rule::start_rewrites)) {
        return operations;
    }
    const file_name file = segment_file_name(scanned.tail->segment);
    operations.emplace_back(
        write_blocks{.file = file, .offset = scanned.tail->offset, .bytes = scanned.tail->bytes});
    operations.emplace_back(sync_file{.file = file});
    return operations;
}

} // namespace almenara::storage::core
