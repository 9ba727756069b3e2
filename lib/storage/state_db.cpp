#include "storage/state_db.hpp"

#include "base/check.hpp"
#include "storage/state_header.hpp"
#include "wire/codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/iterator.h>
#include <rocksdb/listener.h>
#include <rocksdb/metadata.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

namespace almenara::storage {

namespace {

/// The database's own row. No row of the state has an empty key (state::entry_check), and the
/// first key that one can have is this one's neighbour.
constexpr std::string_view header_key{};
constexpr std::string_view first_key{"\0", 1};

rocksdb::Slice slice_of(std::string_view text) {
    return {text.data(), text.size()};
}
rocksdb::Slice slice_of(base::byte_view bytes) {
    return slice_of(base::as_text(bytes));
}
base::byte_vector bytes_of(const rocksdb::Slice& slice) {
    const base::byte_view bytes = base::as_bytes({slice.data(), slice.size()});
    return {bytes.begin(), bytes.end()};
}

/// A failure of RocksDB, for the operator.
error failure_of(std::string_view doing, const std::string& path, const rocksdb::Status& status) {
    return {.code = status.IsCorruption() ? errc::bad_checksum : errc::system_failed,
            .doing = fmt::format("{} in '{}': {}", doing, path, status.ToString()),
            .advice = status.IsNoSpace()
                          ? "Make room on the disk, then start again"
                          : "Look at the disk. If the state stays unreadable, remove this server "
                            "from its cluster and add it again with a new data directory"};
}

/// The first failure, and who wants to hear of flushes. RocksDB calls it from its threads.
class watcher final : public rocksdb::EventListener {
  public:
    explicit watcher(std::string path) : path_(std::move(path)) {}

    void OnFlushCompleted(rocksdb::DB* /*db*/, const rocksdb::FlushJobInfo& /*info*/) override {
        tell();
    }
    void OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/,
                           rocksdb::Status* status) override {
        fail(failure_of("writing the state", path_, *status));
        tell();
    }
    // E.1: what failed is not tried again.
    void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/,
                              rocksdb::Status /*status*/,
                              bool* tries_again) override {
        *tries_again = false;
    }

    void OnTableFileCreated(const rocksdb::TableFileCreationInfo& /*info*/) override { ++files_; }
    void OnTableFileDeleted(const rocksdb::TableFileDeletionInfo& /*info*/) override { --files_; }

    void fail(error why) {
        const std::lock_guard held{mutex_};
        if (!failure_) {
            failure_ = std::move(why);
            failed_ = true;
        }
    }
    [[nodiscard]] bool failed() const { return failed_; }
    [[nodiscard]] std::size_t files() const {
        return static_cast<std::size_t>(std::max<std::int64_t>(files_, 0));
    }
    void found_files(std::size_t count) { files_ = static_cast<std::int64_t>(count); }
    [[nodiscard]] std::optional<error> failure() const {
        const std::lock_guard held{mutex_};
        return failure_;
    }

    void set_told(std::function<void()> told) {
        const std::lock_guard held{telling_};
        told_ = std::move(told);
    }

  private:
    void tell() {
        const std::lock_guard held{telling_};
        if (told_) {
            told_();
        }
    }

    std::string path_;
    mutable std::mutex mutex_;
    std::optional<error> failure_;
    std::atomic<bool> failed_ = false;
    std::atomic<std::int64_t> files_ = 0;
    std::mutex telling_; ///< whoever was told no more is not being told when set_told() returns
    std::function<void()> told_;
};

rocksdb::BlockBasedTableOptions table_options(const state_db_options& options) {
    rocksdb::BlockBasedTableOptions table;
    rocksdb::LRUCacheOptions cache;
    cache.capacity = options.cache;
    // A strict cache that is full makes reads fail.
    cache.strict_capacity_limit = false;
    table.block_cache = rocksdb::NewLRUCache(cache);
    constexpr double bits_per_key = 10;
    // That there is no such row is mostly known without a disk: each new operation asks it (C.1).
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(bits_per_key));
    // What was just written stays warm.
    table.prepopulate_block_cache =
        rocksdb::BlockBasedTableOptions::PrepopulateBlockCache::kFlushOnly;
    constexpr std::uint32_t known_to_all_supported_versions = 5;
    table.format_version = known_to_all_supported_versions;
    return table;
}

rocksdb::Options database_options(const state_db_options& options) {
    rocksdb::Options all;
    all.create_if_missing = true;
    all.write_buffer_size = options.write_buffer;
    // Batches come in the order of keys, so the place of a row is near that of the one before it.
    constexpr std::size_t kind_of_row = 3;
    all.memtable_insert_with_hint_prefix_extractor.reset(
        rocksdb::NewFixedPrefixTransform(kind_of_row));
    all.allow_concurrent_memtable_write = false; // One thread writes.
    all.max_write_buffer_number = 3;
    // All files are open, always. Of one that is not, RocksDB 7.8 says that a row is there and
    // empty when it is asked for what is in memory only.
    all.max_open_files = -1;
    all.bytes_per_sync = 1U << 20U;
    all.level_compaction_dynamic_level_bytes = true;
    all.max_bgerror_resume_count = 0;
    all.max_manifest_file_size = 16U << 20U;
    all.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    all.max_log_file_size = 1U << 20U;
    all.keep_log_file_num = 2;
    all.stats_dump_period_sec = 0;
    all.stats_persist_period_sec = 0;
    all.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(options)));
    return all;
}

/// Background work of RocksDB takes what the others leave. Where it cannot, it is only faster.
void step_back(rocksdb::Env& env) {
    for (const auto pool : {rocksdb::Env::Priority::HIGH, rocksdb::Env::Priority::LOW}) {
        env.LowerThreadPoolCPUPriority(pool, rocksdb::CpuPriority::kLow).PermitUncheckedError();
    }
}

std::size_t files_of(rocksdb::DB& db) {
    std::vector<rocksdb::LiveFileMetaData> files;
    db.GetLiveFilesMetaData(&files);
    return files.size();
}

rocksdb::Status scan(rocksdb::DB& in,
                     rocksdb::ReadOptions how,
                     const state::key_range& range,
                     const state::scan_limit& limit,
                     std::vector<state::row>& found) {
    rocksdb::Slice end;
    if (range.to) {
        end = slice_of(*range.to);
        how.iterate_upper_bound = &end;
    }
    const std::unique_ptr<rocksdb::Iterator> at{in.NewIterator(how)};
    std::size_t bytes = 0;
    for (at->Seek(slice_of(range.from.empty() ? first_key : std::string_view{range.from}));
         found.size() < limit.rows && bytes < limit.bytes && at->Valid(); at->Next()) {
        found.push_back({at->key().ToString(), bytes_of(at->value())});
        bytes += state::size_of(found.back());
    }
    return at->status();
}

} // namespace

/// RocksDB, and what is known of it.
class state_db::database {
  public:
    database(std::string where, const state_db_options& wanted)
        : path(std::move(where)), options(wanted), watch(std::make_shared<watcher>(path)) {}

    ~database() {
        watch->set_told({});
        if (on) {
            // What is not in files yet is brought there, or the log has it.
            on->Close().PermitUncheckedError();
        }
    }

    result<void> open();
    result<std::optional<state::applied_row>> header(const rocksdb::ReadOptions& how) const;
    error failed(std::string_view doing, const rocksdb::Status& status) const {
        error why = failure_of(doing, path, status);
        watch->fail(why);
        return why;
    }
    result<void> flush_if_due(const state::applied_row& upto);
    result<void> flush_soon();
    void look_what_is_flushed();

    std::string path;
    state_db_options options;
    std::shared_ptr<watcher> watch;
    std::unique_ptr<rocksdb::DB> on;
    // Of whoever writes.
    std::size_t bytes_since_flush = 0;
    log_index flush_asked;
    std::atomic<std::uint64_t> flushed = 0;

  private:
    result<void> start_new() const;
};

result<void> state_db::database::open() {
    rocksdb::Options all = database_options(options);
    all.listeners.push_back(watch);
    step_back(*all.env);
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(all, path, &opened);
    if (!status.ok()) {
        return failure_of("opening the state", path, status);
    }
    on.reset(opened);
    watch->found_files(files_of(*on));
    const auto found = header({});
    if (!found) {
        return found.error();
    }
    if (!*found) {
        return start_new();
    }
    flushed = (*found)->index.value();
    flush_asked = (*found)->index;
    return {};
}

result<void> state_db::database::start_new() const {
    std::vector<state::row> rows;
    rocksdb::Status status = scan(*on, {}, {}, {}, rows);
    if (status.ok() && !rows.empty()) {
        return error{errc::malformed,
                     fmt::format("'{}' holds a state that does not say how far it is. Restore it "
                                 "from a backup, or give a new data directory",
                                 path)};
    }
    if (status.ok()) {
        base::byte_vector bytes;
        wire::encode(state_header{}, bytes);
        rocksdb::WriteOptions how;
        how.disableWAL = true;
        status = on->Put(how, slice_of(header_key), slice_of(bytes));
    }
    if (status.ok()) {
        status = on->Flush({});
    }
    return status.ok() ? result<void>{} : failed("beginning a state", status);
}

result<std::optional<state::applied_row>> state_db::database::header(
    const rocksdb::ReadOptions& how) const {
    rocksdb::PinnableSlice bytes;
    const rocksdb::Status status =
        on->Get(how, on->DefaultColumnFamily(), slice_of(header_key), &bytes);
    if (status.IsNotFound()) {
        return std::optional<state::applied_row>{};
    }
    if (!status.ok()) {
        return failed("reading how far the state is", status);
    }
    auto read = wire::decode<state_header>(base::as_bytes({bytes.data(), bytes.size()}));
    if (!read) {
        return failed("reading how far the state is", rocksdb::Status::Corruption("it is no row"));
    }
    if (read->schema > state_schema) {
        return error{errc::unsupported,
                     fmt::format("the state in '{}' was written by a newer version (schema {}, "
                                 "this one knows {}). Install that version",
                                 path, read->schema, state_schema)};
    }
    return std::optional{std::move(read->applied)};
}

result<void> state_db::database::flush_if_due(const state::applied_row& upto) {
    const std::uint64_t reached = std::max(flush_asked.value(), flushed.load());
    if (bytes_since_flush < options.flush_bytes &&
        upto.index.value() < reached + options.flush_entries) {
        return {};
    }
    flush_asked = upto.index;
    return flush_soon();
}

result<void> state_db::database::flush_soon() {
    bytes_since_flush = 0;
    rocksdb::FlushOptions how;
    how.wait = false;
    how.allow_write_stall = true;
    const rocksdb::Status status = on->Flush(how);
    return status.ok() ? result<void>{} : failed("flushing the state", status);
}

/// B.8: only what a file says of itself proves that it is there.
void state_db::database::look_what_is_flushed() {
    rocksdb::ReadOptions how;
    how.read_tier = rocksdb::kPersistedTier;
    const auto found = header(how);
    if (found && *found) {
        flushed = std::max(flushed.load(), (*found)->index.value());
    }
}

state_db::state_db(std::unique_ptr<database> on) : on_(std::move(on)) {}
state_db::~state_db() = default;

result<std::unique_ptr<state_db>> state_db::open(const std::string& path,
                                                 const state_db_options& options) {
    auto made = std::make_unique<database>(path, options);
    if (auto opened = made->open(); !opened) {
        return opened.error();
    }
    auto applied = made->header({});
    if (!applied) {
        return applied.error();
    }
    std::unique_ptr<state_db> whole{new state_db{std::move(made)}};
    whole->applied_ = std::move(**applied);
    return whole;
}

// -- The owner's thread ---------------------------------------------------------------------------

namespace {

rocksdb::ReadOptions reading(cold_rows cold) {
    rocksdb::ReadOptions how;
    how.read_tier = cold == cold_rows::are_said ? rocksdb::kBlockCacheTier : rocksdb::kReadAllTier;
    return how;
}

} // namespace

std::optional<state::warm_row> state_db::look(std::string_view key) const {
    return look(key, on_->options.cold);
}

std::optional<state::warm_row> state_db::look(std::string_view key, cold_rows cold) const {
    if (on_->watch->failed()) {
        return std::nullopt;
    }
    rocksdb::PinnableSlice found;
    rocksdb::DB& db = *on_->on;
    const rocksdb::Status status =
        db.Get(reading(cold), db.DefaultColumnFamily(), slice_of(key), &found);
    if (status.ok()) {
        return state::warm_row{bytes_of(found)};
    }
    if (status.IsNotFound()) {
        return state::warm_row{};
    }
    if (!status.IsIncomplete()) {
        static_cast<void>(on_->failed("reading a row", status));
    }
    return std::nullopt;
}

std::optional<std::vector<state::row>> state_db::look(const state::key_range& range,
                                                      const state::scan_limit& limit) const {
    if (on_->watch->failed()) {
        return std::nullopt;
    }
    std::vector<state::row> found;
    const rocksdb::Status status = scan(*on_->on, reading(on_->options.cold), range, limit, found);
    if (status.ok()) {
        return found;
    }
    if (!status.IsIncomplete()) {
        static_cast<void>(on_->failed("reading rows", status));
    }
    return std::nullopt;
}

/// Nothing is written after a failure, so what is made of the missing row does not stay.
std::optional<base::byte_vector> state_db::wait_for(std::string_view key) const {
    auto found = look(key, cold_rows::are_fetched);
    return found ? std::move(found->value) : std::nullopt;
}

void state_db::apply(const state::applied_row& upto, std::span<const state::change> changes) {
    if (write(upto, changes)) {
        wrote(upto);
    }
}

// -- Any thread -----------------------------------------------------------------------------------

result<void> state_db::write(const state::applied_row& upto,
                             std::span<const state::change> changes,
                             std::size_t log_bytes) {
    if (auto before = failure()) {
        return *before;
    }
    rocksdb::WriteBatch batch;
    rocksdb::Status status;
    for (const state::change& what : changes) {
        ALMENARA_CHECK(what.kind != state::change_kind::splice && !what.key.empty());
        status = what.kind == state::change_kind::put
                     ? batch.Put(slice_of(what.key), slice_of(what.bytes))
                     : batch.Delete(slice_of(what.key));
        if (!status.ok()) {
            return on_->failed("writing the state", status);
        }
    }
    base::byte_vector header;
    wire::encode(state_header{.applied = upto}, header);
    status = batch.Put(slice_of(header_key), slice_of(header));
    on_->bytes_since_flush += std::max(batch.GetDataSize(), log_bytes);
    if (status.ok()) {
        rocksdb::WriteOptions how;
        how.disableWAL = true;
        status = on_->on->Write(how, &batch);
    }
    if (!status.ok()) {
        return on_->failed("writing the state", status);
    }
    return on_->flush_if_due(upto);
}

std::size_t state_db::files() const {
    return on_->watch->files();
}

log_index state_db::flushed() const {
    on_->look_what_is_flushed();
    return log_index{on_->flushed.load()};
}

result<void> state_db::flush() {
    const rocksdb::Status status = on_->on->Flush({});
    return status.ok() ? result<void>{} : on_->failed("flushing the state", status);
}

void state_db::flush_soon() {
    static_cast<void>(on_->flush_soon()); // A failure is kept.
}

void state_db::when_flushed(std::function<void()> told) {
    on_->watch->set_told(std::move(told));
}

std::optional<error> state_db::failure() const {
    return on_->watch->failed() ? on_->watch->failure() : std::nullopt;
}

// -- Views ----------------------------------------------------------------------------------------

namespace {

class snapshot_view final : public state_view {
  public:
    snapshot_view(rocksdb::DB& in, std::string path, std::shared_ptr<watcher> watch)
        : in_(in), path_(std::move(path)), watch_(std::move(watch)), at_(in.GetSnapshot()) {}
    ~snapshot_view() override { in_.ReleaseSnapshot(at_); }
    snapshot_view(const snapshot_view&) = delete;
    snapshot_view& operator=(const snapshot_view&) = delete;

    void says(state::applied_row applied) { applied_ = std::move(applied); }
    [[nodiscard]] rocksdb::ReadOptions reading() const {
        rocksdb::ReadOptions how;
        how.snapshot = at_;
        return how;
    }

    [[nodiscard]] const state::applied_row& applied() const override { return applied_; }

    [[nodiscard]] result<std::optional<base::byte_vector>> get(
        std::string_view key) const override {
        rocksdb::PinnableSlice found;
        const rocksdb::Status status =
            in_.Get(reading(), in_.DefaultColumnFamily(), slice_of(key), &found);
        if (status.IsNotFound()) {
            return std::optional<base::byte_vector>{};
        }
        if (!status.ok()) {
            return failed("reading a row", status);
        }
        return std::optional{bytes_of(found)};
    }

    [[nodiscard]] result<std::vector<state::row>> scan(
        const state::key_range& range, const state::scan_limit& limit) const override {
        std::vector<state::row> found;
        const rocksdb::Status status = storage::scan(in_, reading(), range, limit, found);
        if (!status.ok()) {
            return failed("reading rows", status);
        }
        return found;
    }

  private:
    [[nodiscard]] error failed(std::string_view doing, const rocksdb::Status& status) const {
        error why = failure_of(doing, path_, status);
        watch_->fail(why);
        return why;
    }

    rocksdb::DB& in_;
    std::string path_;
    std::shared_ptr<watcher> watch_;
    const rocksdb::Snapshot* at_;
    state::applied_row applied_;
};

} // namespace

result<std::unique_ptr<state_view>> state_db::view() const {
    if (auto before = failure()) {
        return *before;
    }
    auto made = std::make_unique<snapshot_view>(*on_->on, on_->path, on_->watch);
    auto applied = on_->header(made->reading());
    if (!applied) {
        return applied.error();
    }
    made->says(applied->value_or(state::applied_row{}));
    return std::unique_ptr<state_view>{std::move(made)};
}

core::state_row row_for_log(const state::applied_row& applied) {
    core::state_row row{.applied = {.index = applied.index,
                                    .epoch = applied.epoch,
                                    .hash = replica::hash64{applied.hash}},
                        .config = nullptr,
                        .time = applied.time};
    if (applied.config_index > log_index{0}) {
        // What the log knows of it beside its payload is long gone, and nobody asks.
        row.config = std::make_shared<const replica::entry>(
            replica::entry{.index = applied.config_index,
                           .type = replica::entry_type::config,
                           .payload = applied.config});
    }
    return row;
}

} // namespace almenara::storage
