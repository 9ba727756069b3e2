#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/gate.hpp"

#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace almenara::scripts {

/// What can be read of a server's files. Entry i of the log stands at i - 1.
struct disk_content {
    replica::persistent meta;
    std::vector<replica::entry_ptr> log;
};

/// One server's disk. What the page cache holds survives a killed process and not a power cut.
class disk {
  public:
    enum class part { log, meta };

    using done = std::variant<replica::log_synced, replica::meta_synced>;
    struct finished {
        done what;
        std::string text; ///< what is on the disk now
    };

    disk_content synced;
    disk_content cached;
    duration log_latency = std::chrono::milliseconds{2};
    duration meta_latency = std::chrono::milliseconds{2};
    bool fails = false; ///< the next sync of the log fails

    void write(const replica::log_write& what, instant now);
    void write(const replica::meta_record& what, instant now);

    void hold(part which, bool on, instant now);

    /// When the next job is done; nothing while none runs or it is held.
    [[nodiscard]] std::optional<instant> next() const;
    [[nodiscard]] finished finish(instant now);

    /// kill -9: what the kernel was given is there, what only the process knew is not.
    void process_died();
    void power_lost();
    /// B.1: before anything is said, what was read is made durable.
    void process_starts();
    /// What a script wrote before anybody runs is on the disk.
    void settle() { synced = cached; }

  private:
    template <class Job>
    struct lane {
        std::deque<std::pair<instant, Job>> jobs;
        bool held = false;

        [[nodiscard]] std::optional<instant> next() const {
            return held || jobs.empty() ? std::nullopt : std::optional{jobs.front().first};
        }
        void add(const Job& job, instant now, duration takes);
        void set_held(bool on, instant now);
    };

    [[nodiscard]] finished finish_log();
    [[nodiscard]] finished finish_meta();

    lane<replica::log_write> log_;
    lane<replica::meta_record> meta_;
};

/// The log after this write.
void apply_write(std::vector<replica::entry_ptr>& log, const replica::log_write& what);

} // namespace almenara::scripts
