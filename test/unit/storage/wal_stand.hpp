#pragma once

#include "base/time.hpp"
#include "replica/gate.hpp"
#include "storage/data_directory.hpp"
#include "storage/file_device.hpp"
#include "storage/open_log.hpp"
#include "storage/write_ahead_log.hpp"
#include "support/log_stand.hpp"
#include "support/owner_loop.hpp"
#include "support/results.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace almenara::test {

/// What happens to the operations of a real device: they are counted, and one of them fails.
struct disk_script {
    std::mutex mutex;
    std::vector<storage::core::device_operation> done;
    std::optional<std::size_t> fails_at; ///< the operation with this number
    bool failed = false;
    bool used_after_failure = false;
};

class scripted_device final : public storage::device {
  public:
    scripted_device(std::unique_ptr<storage::device> real, disk_script& script)
        : real_(std::move(real)), script_(script) {}

    result<void> execute(const storage::core::device_operation& operation) override {
        {
            const std::lock_guard held{script_.mutex};
            script_.used_after_failure = script_.used_after_failure || script_.failed;
            if (script_.fails_at == script_.done.size()) {
                script_.failed = true;
                return error{errc::system_failed, "doing what the test forbids",
                             std::make_error_code(std::errc::io_error)};
            }
            script_.done.push_back(operation);
        }
        return real_->execute(operation);
    }
    result<std::vector<storage::found_file>> list() override { return real_->list(); }
    result<std::unique_ptr<storage::readable_file>> open(const core::file_name& name,
                                                         storage::read_from where) override {
        return real_->open(name, where);
    }

  private:
    std::unique_ptr<storage::device> real_;
    disk_script& script_;
};

[[nodiscard]] inline storage::device_maker scripted(disk_script& script) {
    return [&script](const std::string& path) -> result<std::unique_ptr<storage::device>> {
        return std::unique_ptr<storage::device>{std::make_unique<scripted_device>(
            value_of(storage::file_device::open_directory(path)), script)};
    };
}

/// A log in a temporary directory, as a server drives it: started, written to, stopped in any way.
class wal_stand {
  public:
    static constexpr std::uint64_t small_segment = 64 * core::block_size;

    explicit wal_stand(const std::string& parent = {}) : parent_(parent) {
        options.settings.segment_size = small_segment;
        options.boot = core::boot_id{{std::byte{1}}};
        options.missing = storage::missing_log::is_made;
    }

    // -- The start --------------------------------------------------------------------------------

    [[nodiscard]] result<storage::opened_log> open(const core::state_row& state = {}) {
        if (!directory_) {
            directory_.emplace(value_of(storage::data_directory::open(path(), std::nullopt)));
        }
        ++options.seed;
        return storage::open_log(*directory_, options, state);
    }
    /// What the core would be given; the log runs from then on.
    core::reconciled start(const core::state_row& state = {}) {
        kill();
        auto opened = value_of(open(state));
        verdict = opened.verdict;
        is_new = opened.is_new;
        meta = opened.meta;
        warnings = opened.warnings;
        end_ = opened.found.position.last;
        log_ = std::make_unique<storage::write_ahead_log>(std::move(opened.parts), loop_.poster());
        return opened.found;
    }
    /// As kill -9 does: nothing is said.
    void kill() { log_.reset(); }

    // -- Writing ----------------------------------------------------------------------------------

    replica::batch_number add(std::size_t count, epoch in = epoch{1}, std::size_t payload = 100) {
        replica::log_write write{
            .batch = next_batch(), .truncates = false, .previous = end_, .entries = {}};
        return queue(std::move(write), count, in, payload);
    }
    /// A truncation, and entries of another epoch behind it.
    replica::batch_number replace(const replica::log_point& keep, std::size_t count, epoch in) {
        entries.resize(entries.size() - (end_.index.value() - keep.index.value()));
        end_ = keep;
        replica::log_write write{
            .batch = next_batch(), .truncates = true, .previous = keep, .entries = {}};
        return queue(std::move(write), count, in, 100);
    }
    void write(std::size_t count, epoch in = epoch{1}, std::size_t payload = 100) {
        const auto batch = add(count, in, payload);
        settle();
        REQUIRE(synced == batch);
    }
    /// Until the disk has nothing to do.
    void settle() {
        do {
            log_->run(now);
            collect();
            if (log_->busy()) {
                REQUIRE(loop_.run_one());
            }
            collect();
            log_->run(now);
        } while (log_->busy());
        collect();
    }
    /// Nothing is written for so long that the log is sealed.
    void rest() {
        settle();
        now = now + storage::write_ahead_log::quiet_before_seal;
        settle();
    }
    void stop() {
        log_->stop();
        settle();
        REQUIRE(log_->stopped());
    }
    replica::log_read read(log_index from, log_index to, std::size_t max_bytes = 1'000'000) {
        log_->read({.request = ++request_, .from = from, .to = to, .max_bytes = max_bytes});
        read_back.reset();
        settle();
        REQUIRE(read_back);
        CHECK(read_back->request == request_);
        return *read_back;
    }
    void set_meta(epoch in) {
        meta_number_ = meta_number_.next();
        log_->write(replica::meta_record{.number = meta_number_, .fields = {.epoch = in}});
        settle();
        REQUIRE(meta_synced == meta_number_);
    }

    // -- Looking ----------------------------------------------------------------------------------

    [[nodiscard]] std::string path() const {
        return (parent_.empty() ? place_.path() : parent_) + "/data";
    }
    [[nodiscard]] std::string file(const std::string& name) const {
        return path() + "/log/" + name;
    }
    [[nodiscard]] static std::string segment(std::uint64_t seq) {
        return to_text(core::segment_file_name(core::segment_seq{seq}));
    }
    [[nodiscard]] storage::write_ahead_log& log() { return *log_; }
    [[nodiscard]] owner_loop& loop() { return loop_; }
    [[nodiscard]] const replica::log_point& end() const { return end_; }
    void collect() {
        for (replica::event& e : log_->take_answers()) {
            if (const auto* log = std::get_if<replica::log_synced>(&e)) {
                failures += log->ok ? 0 : 1;
                synced = log->ok ? log->batch : synced;
            } else if (const auto* of_meta = std::get_if<replica::meta_synced>(&e)) {
                meta_synced = of_meta->number;
            } else if (const auto* gone = std::get_if<replica::recycled>(&e)) {
                CHECK(gone->upto > recycled);
                recycled = gone->upto;
            } else {
                read_back = std::get<replica::log_read>(e);
            }
        }
    }

    storage::open_log_options options;
    instant now;
    core::scan_verdict verdict = core::scan_verdict::clean; ///< of the last start
    bool is_new = false;
    replica::persistent meta;
    std::vector<std::string> warnings;
    std::vector<replica::entry_ptr> entries; ///< all that were queued and not cut
    replica::batch_number synced;
    replica::meta_number meta_synced;
    log_index recycled;
    std::optional<replica::log_read> read_back;
    int failures = 0;

  private:
    replica::batch_number queue(replica::log_write write,
                                std::size_t count,
                                epoch in,
                                std::size_t payload) {
        for (std::size_t i = 0; i < count; ++i) {
            write.entries.push_back(entry_behind(end_, in, payload));
            end_ = replica::point_of(*write.entries.back());
            entries.push_back(write.entries.back());
        }
        const replica::batch_number batch = write.batch;
        log_->write(std::move(write));
        return batch;
    }
    [[nodiscard]] replica::batch_number next_batch() {
        batch_ = batch_.next();
        return batch_;
    }

    temporary_directory place_;
    std::string parent_;
    std::optional<storage::data_directory> directory_;
    owner_loop loop_;
    std::unique_ptr<storage::write_ahead_log> log_;
    replica::log_point end_;
    replica::batch_number batch_;
    replica::meta_number meta_number_;
    std::uint64_t request_ = 0;
};

/// Whether these are the same entries, byte by byte.
[[nodiscard]] inline bool same_entries(const std::vector<replica::entry_ptr>& a,
                                       const std::vector<replica::entry_ptr>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const auto& x, const auto& y) { return *x == *y; });
}

/// Of what was written, from one index to another.
[[nodiscard]] inline std::vector<replica::entry_ptr> part(const wal_stand& s,
                                                          std::size_t from,
                                                          std::size_t to) {
    return {s.entries.begin() + static_cast<std::ptrdiff_t>(from) - 1,
            s.entries.begin() + static_cast<std::ptrdiff_t>(to)};
}

/// Behind everybody's back.
inline void overwrite(const std::string& path, std::uint64_t offset, std::string_view bytes) {
    std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(static_cast<std::streamoff>(offset));
    file << bytes;
    REQUIRE(file.flush());
}

} // namespace almenara::test
