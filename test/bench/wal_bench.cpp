// How fast the log reaches a real disk: entries of 256 bytes by writers that wait for the sync of
// each before they write the next, as clients do; whatever waits is one batch.
//
//     bench-wal [--json] [--directory DIRECTORY] [--rounds N] [--operations N] [--writers N]
//
// The directory is on the disk that is to be measured; a directory in it is made and removed.
#include "base/check.hpp"
#include "base/text.hpp"
#include "storage/data_directory.hpp"
#include "storage/file_device.hpp"
#include "storage/open_log.hpp"
#include "storage/write_ahead_log.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace almenara::bench {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
namespace core = storage::core;

constexpr std::size_t payload_size = 256;

struct options {
    bool json = false;
    std::string directory = ".";
    std::uint64_t rounds = 3;
    std::uint64_t operations = 20'000; ///< per round and number of writers
    std::vector<std::uint64_t> writers{1, 8, 64, 256};
};

/// What the threads of the disk post.
class owner_loop {
  public:
    void post(std::function<void()> answer) {
        {
            const std::lock_guard held{mutex_};
            posted_.push_back(std::move(answer));
        }
        woken_.notify_one();
    }
    void run_one() {
        std::unique_lock held{mutex_};
        woken_.wait(held, [this] { return !posted_.empty(); });
        const auto next = std::move(posted_.front());
        posted_.pop_front();
        held.unlock();
        next();
    }

  private:
    std::mutex mutex_;
    std::condition_variable woken_;
    std::deque<std::function<void()>> posted_;
};

/// Looks at the clock around each sync. The owner reads the times while the disk is idle.
class timed_device final : public storage::device {
  public:
    timed_device(std::unique_ptr<storage::device> real, std::vector<double>& syncs)
        : real_(std::move(real)), syncs_(syncs) {}

    result<void> execute(const core::device_operation& operation) override {
        const auto start = clock::now();
        auto outcome = real_->execute(operation);
        if (std::holds_alternative<core::sync_file>(operation)) {
            syncs_.push_back(
                std::chrono::duration<double, std::micro>(clock::now() - start).count());
        }
        return outcome;
    }
    result<std::vector<storage::found_file>> list() override { return real_->list(); }
    result<std::unique_ptr<storage::readable_file>> open(const core::file_name& name,
                                                         storage::read_from where) override {
        return real_->open(name, where);
    }

  private:
    std::unique_ptr<storage::device> real_;
    std::vector<double>& syncs_;
};

/// A log in a directory that goes with it.
class measured_log {
  public:
    explicit measured_log(const std::string& parent)
        : path_(parent + "/bench-wal." + std::to_string(::getpid())),
          directory_(storage::data_directory::open(path_, std::nullopt).value()) {
        // Only the log's own device is timed; the one beside it has a list nobody looks at.
        const auto make =
            [this](const std::string& at) -> result<std::unique_ptr<storage::device>> {
            auto real = storage::file_device::open_directory(at);
            ALMENARA_CHECK(real.has_value());
            auto& times = made_++ == 0 ? syncs : beside_;
            return std::unique_ptr<storage::device>{
                std::make_unique<timed_device>(std::move(*real), times)};
        };
        auto opened = storage::open_log(directory_, {.settings = {},
                                                     .seed = 1,
                                                     .boot = {},
                                                     .missing = storage::missing_log::is_made,
                                                     .make = make});
        ALMENARA_CHECK(opened.has_value());
        log_ = std::make_unique<storage::write_ahead_log>(
            std::move(opened->parts),
            [this](std::function<void()> answer) { loop_.post(std::move(answer)); });
        write(1);
        log_->tend();
        settle();
    }
    ~measured_log() {
        log_.reset();
        std::error_code ignored; // It is said by who looks at the directory.
        std::filesystem::remove_all(path_, ignored);
    }
    measured_log(const measured_log&) = delete;
    measured_log& operator=(const measured_log&) = delete;

    /// Each writer has one entry under way, until so many are synced.
    void run(std::uint64_t writers, std::uint64_t operations) {
        std::uint64_t synced = 0;
        std::uint64_t under_way = 0;
        while (synced < operations) {
            const std::uint64_t more = std::min(writers, operations - synced) - under_way;
            if (more > 0) {
                write(more);
                under_way += more;
            }
            log_->run(now());
            loop_.run_one();
            for (const replica::event& e : log_->take_answers()) {
                if (const auto* done = std::get_if<replica::log_synced>(&e)) {
                    ALMENARA_CHECK(done->ok);
                    const std::uint64_t count = done->batch.value() - told_;
                    told_ = done->batch.value();
                    synced += count;
                    under_way -= count;
                }
            }
        }
    }
    void settle() {
        do {
            log_->run(now());
            if (log_->busy()) {
                loop_.run_one();
            }
            for (const replica::event& e : log_->take_answers()) {
                if (const auto* done = std::get_if<replica::log_synced>(&e)) {
                    told_ = done->batch.value();
                }
            }
            log_->run(now());
        } while (log_->busy());
    }

    std::vector<double> syncs; ///< in microseconds

  private:
    [[nodiscard]] static instant now() { return instant{clock::now().time_since_epoch()}; }

    /// One log_write for each, as a core gives them that many clients ask.
    void write(std::uint64_t count) {
        for (std::uint64_t i = 0; i < count; ++i) {
            replica::entry e{.index = end_.index.next(), .epoch = epoch{1}};
            e.payload.assign(payload_size, std::byte{0x5a});
            e.hash = replica::chain_hash(end_.hash, e, scratch_);
            replica::log_write next{.batch = replica::batch_number{++batch_},
                                    .truncates = false,
                                    .previous = end_,
                                    .entries = {}};
            end_ = replica::point_of(e);
            next.entries.push_back(std::make_shared<const replica::entry>(std::move(e)));
            log_->write(std::move(next));
        }
    }

    std::string path_;
    storage::data_directory directory_;
    std::vector<double> beside_;
    int made_ = 0;
    owner_loop loop_;
    std::unique_ptr<storage::write_ahead_log> log_;
    replica::log_point end_;
    std::uint64_t batch_ = 0;
    std::uint64_t told_ = 0;
    base::byte_vector scratch_;
};

struct row {
    std::uint64_t writers = 0;
    double entries_per_second = 0;
    double syncs_per_second = 0;
    double batch = 0; ///< entries per sync
    double p50 = 0;   ///< of a sync, in microseconds
    double p99 = 0;
};

double percentile(std::vector<double>& values, std::size_t percent) {
    std::sort(values.begin(), values.end());
    return values[(values.size() - 1) * percent / 100];
}

row measure_once(measured_log& log, std::uint64_t writers, std::uint64_t operations) {
    log.settle();
    log.syncs.clear();
    const auto start = clock::now();
    log.run(writers, operations);
    const double seconds = std::chrono::duration<double>(clock::now() - start).count();
    log.settle();
    const auto syncs = static_cast<double>(log.syncs.size());
    const auto entries = static_cast<double>(operations);
    return {.writers = writers,
            .entries_per_second = entries / seconds,
            .syncs_per_second = syncs / seconds,
            .batch = entries / syncs,
            .p50 = percentile(log.syncs, 50),
            .p99 = percentile(log.syncs, 99)};
}

/// The median round by its rate.
row measure(measured_log& log, std::uint64_t writers, const options& chosen) {
    // One writer waits for the disk each time; fewer operations take as long.
    const std::uint64_t operations = std::max<std::uint64_t>(
        writers,
        std::min(chosen.operations, chosen.operations / 16 * std::min<std::uint64_t>(writers, 16)));
    std::vector<row> rounds;
    for (std::uint64_t i = 0; i < chosen.rounds; ++i) {
        rounds.push_back(measure_once(log, writers, operations));
    }
    std::sort(rounds.begin(), rounds.end(), [](const row& a, const row& b) {
        return a.entries_per_second < b.entries_per_second;
    });
    return rounds[rounds.size() / 2];
}

void print_table(const std::vector<row>& all) {
    fmt::print("{:>8} {:>12} {:>10} {:>14} {:>12} {:>12}\n", "writers", "entries/s", "syncs/s",
               "entries/sync", "sync p50 us", "sync p99 us");
    for (const row& one : all) {
        fmt::print("{:>8} {:>12.0f} {:>10.0f} {:>14.1f} {:>12.0f} {:>12.0f}\n", one.writers,
                   one.entries_per_second, one.syncs_per_second, one.batch, one.p50, one.p99);
    }
}

void print_json(const std::vector<row>& all) {
    boost::json::array rows;
    for (const row& one : all) {
        rows.push_back({{"writers", one.writers},
                        {"entries_per_second", one.entries_per_second},
                        {"syncs_per_second", one.syncs_per_second},
                        {"entries_per_sync", one.batch},
                        {"sync_p50_us", one.p50},
                        {"sync_p99_us", one.p99}});
    }
    fmt::print("{}\n", boost::json::serialize(rows));
}

result<options> read_options(const std::vector<std::string_view>& words) {
    constexpr std::uint64_t most = 1'000'000'000;
    options chosen;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "--json") {
            chosen.json = true;
            continue;
        }
        constexpr std::array<std::string_view, 4> options_with_value{"--directory", "--rounds",
                                                                     "--operations", "--writers"};
        const std::string_view name = words[i];
        if (std::find(options_with_value.begin(), options_with_value.end(), name) ==
                options_with_value.end() ||
            i + 1 == words.size()) {
            return error{errc::invalid, "usage: bench-wal [--json] [--directory DIRECTORY] "
                                        "[--rounds N] [--operations N] [--writers N]"};
        }
        if (name == "--directory") {
            chosen.directory = words[++i];
            continue;
        }
        const auto number = base::parse_number(words[++i], 1, most);
        if (!number) {
            return number.error();
        }
        if (name == "--writers") {
            chosen.writers = {*number};
        } else {
            (name == "--rounds" ? chosen.rounds : chosen.operations) = *number;
        }
    }
    return chosen;
}

} // namespace

} // namespace almenara::bench

int main(int argc, char** argv) {
    using namespace almenara::bench;
    const auto chosen = read_options({argv + 1, argv + argc});
    if (!chosen) {
        fmt::print(stderr, "{}\n", chosen.error().message());
        return 2;
    }
    measured_log log{chosen->directory};
    std::vector<row> all;
    for (const std::uint64_t writers : chosen->writers) {
        all.push_back(measure(log, writers, *chosen));
    }
    chosen->json ? print_json(all) : print_table(all);
    return 0;
}
