#pragma once

#include "base/check.hpp"
#include "replica/entry.hpp"
#include "storage/core/log_planner.hpp"
#include "storage/core/reconcile.hpp"
#include "storage/core/scan.hpp"
#include "storage/core/start_log.hpp"
#include "support/block_device.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace almenara::test {

namespace core = storage::core;

/// The entry behind a point, with its place in the chain.
[[nodiscard]] inline replica::entry_ptr entry_behind(
    const replica::log_point& before,
    epoch in,
    std::size_t payload,
    replica::entry_type type = replica::entry_type::update) {
    replica::entry e{.index = before.index.next(), .epoch = in, .type = type};
    for (std::size_t i = 0; i < payload; ++i) {
        e.payload.push_back(static_cast<std::byte>(e.index.value() * 7 + i * 13 + in.value()));
    }
    base::byte_vector scratch;
    e.hash = replica::chain_hash(before.hash, e, scratch);
    return std::make_shared<const replica::entry>(std::move(e));
}

/// A log on a disk, as a server drives it: started, written to, stopped in any way.
class log_stand {
  public:
    static constexpr std::uint64_t small_segment = 32 * core::block_size;

    explicit log_stand(std::uint64_t segment_size = small_segment,
                       std::size_t batch_bytes = std::size_t{1} << 20U)
        : settings_{.segment_size = segment_size, .batch_bytes = batch_bytes} {}

    // -- The start (B.8) --------------------------------------------------------------------------

    [[nodiscard]] result<core::chosen_slot> meta() const {
        const core::file_name name{.kind = core::file_kind::meta};
        return core::choose_slot(disk.has(name) ? base::byte_view{disk.bytes(name)}
                                                : base::byte_view{});
    }
    [[nodiscard]] core::scan_result look(log_index applied = {}) const { return *scan(applied); }
    [[nodiscard]] result<core::scan_result> scan(log_index applied = {}) const {
        std::vector<std::unique_ptr<memory_source>> sources;
        core::scan_input input{.files = {}, .meta = meta()->content.fields, .applied = applied};
        for (const core::file_name& name : disk.directory()) {
            if (name.kind == core::file_kind::segment) {
                sources.push_back(std::make_unique<memory_source>(disk.bytes(name)));
                input.files.push_back(
                    {.seq = core::segment_seq{name.number}, .bytes = sources.back().get()});
            }
        }
        return core::scan(std::move(input));
    }

    /// What the core would be given.
    core::reconciled start(const core::state_row& state = {}) {
        auto started = try_start(state);
        ALMENARA_CHECK(started.has_value());
        return std::move(*started);
    }

    /// The same where it may be refused: then there is no log to write to.
    result<core::reconciled> try_start(const core::state_row& state = {}) {
        planner_.reset();
        memory_device on{disk};
        auto started = core::start_log(on,
                                       {.settings = settings_,
                                        .seed = ++seed_,
                                        .boot = boot,
                                        .missing = core::missing_log::is_made},
                                       state);
        if (!started) {
            return started.error();
        }
        verdict = started->verdict;
        end_ = started->found.position.last;
        planner_.emplace(std::move(started->start));
        return std::move(started->found);
    }

    // -- Writing ----------------------------------------------------------------------------------

    /// Queues entries behind the end, as one write of the core.
    replica::batch_number add(std::size_t count, epoch in = epoch{1}, std::size_t payload = 20) {
        replica::log_write write{.batch = next_batch(), .previous = end_};
        for (std::size_t i = 0; i < count; ++i) {
            write.entries.push_back(entry_behind(end_, in, payload));
            end_ = replica::point_of(*write.entries.back());
        }
        planner_->queue(write);
        last_write_ = std::move(write.entries);
        return write.batch;
    }
    /// Queues a truncation, and entries of another epoch behind it.
    replica::batch_number replace(const replica::log_point& keep, std::size_t count, epoch in) {
        replica::log_write write{.batch = next_batch(), .truncates = true, .previous = keep};
        end_ = keep;
        for (std::size_t i = 0; i < count; ++i) {
            write.entries.push_back(entry_behind(end_, in, 20));
            end_ = replica::point_of(*write.entries.back());
        }
        planner_->queue(write);
        last_write_ = std::move(write.entries);
        return write.batch;
    }
    /// Executes everything that is to be done, the mark of a new segment too.
    core::disk_answer run() {
        core::disk_answer last;
        while (const auto job = planner_->next()) {
            disk.execute(*job);
            const core::disk_answer answer = planner_->finished();
            last.meta = answer.meta ? answer.meta : last.meta;
            last.log = answer.log ? answer.log : last.log;
        }
        return last;
    }
    void write(std::size_t count, epoch in = epoch{1}, std::size_t payload = 20) {
        add(count, in, payload);
        run();
    }
    void seal() {
        planner_->idle();
        run();
    }
    void stop() {
        planner_->stop();
        run();
        ALMENARA_CHECK(planner_->stopped());
    }
    void tend() {
        while (const auto beside = planner_->next_beside()) {
            disk.execute(*beside);
            planner_->finished_beside();
        }
    }

    [[nodiscard]] core::log_planner& planner() { return *planner_; }
    [[nodiscard]] const replica::log_point& end() const { return end_; }
    [[nodiscard]] const std::vector<replica::entry_ptr>& last_write() const { return last_write_; }
    [[nodiscard]] core::file_name newest() const {
        core::file_name last{.kind = core::file_kind::segment};
        for (const core::file_name& name : disk.directory()) {
            if (name.kind == core::file_kind::segment) {
                last = name;
            }
        }
        return last;
    }

    block_device disk;
    core::boot_id boot{};
    core::scan_verdict verdict = core::scan_verdict::clean; ///< of the last start

  private:
    [[nodiscard]] replica::batch_number next_batch() {
        batch_ = batch_.next();
        return batch_;
    }
    core::log_settings settings_;
    std::optional<core::log_planner> planner_;
    replica::log_point end_;
    replica::batch_number batch_;
    std::vector<replica::entry_ptr> last_write_;
    std::uint64_t seed_ = 0;
};

} // namespace almenara::test
