#pragma once

#include "sim/disk.hpp"
#include "support/log_stand.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace almenara::test {

/// A simulated disk and a process on it that writes a log of its own.
class disk_stand {
  public:
    explicit disk_stand(std::uint64_t seed, const sim::log_habits& habits = {})
        : disk(sim::dice{seed}, habits) {
        start();
    }

    /// A new process; what it finds.
    storage::core::started_log start(const storage::core::state_row& state = {}) {
        auto found = disk.start(state);
        end_ = found->found.position.last;
        return std::move(*found);
    }
    /// Another life of the machine.
    storage::core::started_log start_after(sim::death how,
                                           const storage::core::state_row& state = {}) {
        disk.crash(how);
        return start(state);
    }

    void queue(std::size_t entries, std::size_t payload = 20) {
        queue_behind(end_, entries, payload);
    }
    void queue_behind(const replica::log_point& keep,
                      std::size_t entries,
                      std::size_t payload = 20) {
        const bool truncates = keep != end_;
        epoch_ = truncates ? epoch_.next() : epoch_;
        batch_ = batch_.next();
        replica::log_write write{.batch = batch_, .truncates = truncates, .previous = keep};
        end_ = keep;
        for (std::size_t i = 0; i < entries; ++i) {
            write.entries.push_back(entry_behind(end_, epoch_, payload));
            end_ = replica::point_of(*write.entries.back());
        }
        disk.queue(std::move(write));
    }
    void queue_epoch(std::uint64_t number) {
        disk.queue(replica::meta_record{.number = replica::meta_number{number},
                                        .fields = {.epoch = epoch{number}}});
    }
    bool begin() { return disk.begin(instant{}, {}).has_value(); }
    /// Everything that is to be done, the copy of `meta` and the mark of a new segment too.
    void work() {
        while (begin()) {
            static_cast<void>(disk.finish());
        }
    }
    /// Each in a batch of its own.
    void write(std::size_t entries, std::size_t payload = 20) {
        for (std::size_t i = 0; i < entries; ++i) {
            queue(1, payload);
            work();
        }
    }
    void seal() {
        disk.idle();
        work();
    }
    [[nodiscard]] const replica::log_point& end() const { return end_; }

    sim::disk disk;

  private:
    replica::log_point end_;
    replica::batch_number batch_;
    epoch epoch_{1};
};

} // namespace almenara::test
