// How fast three cores replicate on one processor core, without disks and sockets: propose to
// commit of updates of 256 bytes in batches of 64, the turn of an idle primary, and memory.
//
//     bench-replica [--json] [--rounds N] [--operations N]
#include "base/check.hpp"
#include "base/text.hpp"
#include "bench/little_cluster.hpp"
#include "support/allocations.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <malloc.h>

namespace almenara::bench {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t update_size = 256;
constexpr std::uint64_t batch_size = 64;

struct options {
    bool json = false;
    std::uint64_t rounds = 11;
    std::uint64_t operations = 200'000; ///< per round
};

struct measurement {
    std::string name; ///< key of the JSON
    std::string what;
    std::string unit;
    double median = 0;
    double best = 0;
};

/// One round of replication, per entry.
struct round {
    double nanoseconds = 0;
    double at_primary = 0;
    double at_backup = 0;
};

base::byte_vector update() {
    return base::byte_vector(update_size, std::byte{0x5a});
}

void replicate_batch(little_cluster& cluster, std::uint64_t size) {
    const log_index before = cluster.confirmed_upto();
    for (std::uint64_t i = 0; i < size; ++i) {
        cluster.propose(update());
    }
    cluster.settle();
    ALMENARA_CHECK(cluster.confirmed_upto().value() == before.value() + size);
    // About as long as it takes, so that heartbeats and log time are part of it.
    cluster.advance(200us);
}

round replicate(little_cluster& cluster, std::uint64_t operations) {
    using clock = std::chrono::steady_clock;
    cluster.reset_times();
    const auto start = clock::now();
    for (std::uint64_t done = 0; done < operations; done += batch_size) {
        replicate_batch(cluster, std::min(batch_size, operations - done));
    }
    const std::chrono::duration<double, std::nano> taken = clock::now() - start;
    const auto per_entry = [operations](std::chrono::duration<double, std::nano> time) {
        return time.count() / static_cast<double>(operations);
    };
    return {.nanoseconds = per_entry(taken),
            .at_primary = per_entry(cluster.primary_time()),
            .at_backup = per_entry(cluster.backups_time()) / 2};
}

/// A turn of the idle primary with the heartbeats it sends, and the one with the acks for them.
double idle_turn_microseconds(little_cluster& cluster, std::uint64_t turns) {
    cluster.reset_times();
    for (std::uint64_t i = 0; i < turns; ++i) {
        cluster.advance(50ms);
        cluster.tick_and_settle();
    }
    const std::chrono::duration<double, std::micro> taken = cluster.primary_time();
    return taken.count() / static_cast<double>(turns);
}

template <class Get>
measurement summary(
    std::string name, std::string what, std::string unit, std::size_t rounds, const Get& get) {
    std::vector<double> values;
    for (std::size_t i = 0; i < rounds; ++i) {
        values.push_back(get(i));
    }
    std::sort(values.begin(), values.end());
    return {.name = std::move(name),
            .what = std::move(what),
            .unit = std::move(unit),
            .median = values[values.size() / 2],
            .best = values.front()};
}

measurement as_rate(measurement time) {
    constexpr double nanoseconds = 1e9;
    time.name = "entries_per_second";
    time.what = "propose to commit, three servers on one core";
    time.unit = "entries/s";
    time.median = nanoseconds / time.median;
    time.best = nanoseconds / time.best;
    return time;
}

measurement single(std::string name, std::string what, std::string unit, double value) {
    return {.name = std::move(name),
            .what = std::move(what),
            .unit = std::move(unit),
            .median = value,
            .best = value};
}

void measure_replication(const options& chosen, std::vector<measurement>& all) {
    little_cluster cluster;
    const auto once = test::allocations_of([&] { replicate(cluster, chosen.operations); });
    std::vector<round> rounds;
    for (std::uint64_t i = 0; i < chosen.rounds; ++i) {
        rounds.push_back(replicate(cluster, chosen.operations));
    }
    const auto of_rounds = [&](std::string name, std::string what, double round::* member) {
        return summary(std::move(name), std::move(what), "ns", rounds.size(),
                       [&](std::size_t i) { return rounds[i].*member; });
    };
    const measurement whole =
        of_rounds("ns_per_entry", "per entry, all three", &round::nanoseconds);
    all.push_back(as_rate(whole));
    all.push_back(whole);
    all.push_back(of_rounds("ns_at_primary", "of it the primary's turns", &round::at_primary));
    all.push_back(of_rounds("ns_at_backup", "of it each backup's turns", &round::at_backup));
    all.push_back(single("allocations_per_entry", "allocations per entry, all three", "",
                         static_cast<double>(once.count) / static_cast<double>(chosen.operations)));
}

void measure_idle_turn(const options& chosen, std::vector<measurement>& all) {
    little_cluster cluster;
    const std::uint64_t turns = std::max<std::uint64_t>(chosen.operations / 100, 1);
    all.push_back(summary("idle_turn_us", "an idle primary's heartbeat: two turns, two acks", "us",
                          chosen.rounds,
                          [&](std::size_t) { return idle_turn_microseconds(cluster, turns); }));
}

/// Proposed, cut and sent, but not acked: what a primary holds while its backups are slow.
void measure_memory(std::vector<measurement>& all) {
    constexpr std::uint64_t most = 4096;
    little_cluster cluster;
    const std::size_t before = mallinfo2().uordblks;
    std::uint64_t pending = 0;
    while (pending < most && cluster.accepts_proposals()) {
        cluster.propose(update());
        if (++pending % batch_size == 0) {
            cluster.primary_speaks_to_nobody();
        }
    }
    const std::size_t after = mallinfo2().uordblks;
    ALMENARA_CHECK(pending > 0);
    all.push_back(single("pending_entries", "pending entries held at once", "",
                         static_cast<double>(pending)));
    all.push_back(single("bytes_per_pending_entry",
                         fmt::format("memory per pending entry of {} bytes", update_size), "bytes",
                         static_cast<double>(after - before) / static_cast<double>(pending)));
}

/// What /proc says that this is running on.
std::string machine() {
    std::ifstream file{"/proc/cpuinfo"};
    std::string line;
    while (std::getline(file, line)) {
        if (line.starts_with("model name")) {
            return line.substr(line.find(':') + 2);
        }
    }
    return "unknown";
}

void print_table(const std::vector<measurement>& all) {
    fmt::print("{}\n{:<50} {:>12} {:>12}\n", machine(), "", "median", "best");
    for (const measurement& one : all) {
        fmt::print("{:<50} {:>12.1f} {:>12.1f} {}\n", one.what, one.median, one.best, one.unit);
    }
}

void print_json(const std::vector<measurement>& all) {
    boost::json::object values;
    for (const measurement& one : all) {
        values[one.name] = {{"median", one.median}, {"best", one.best}};
    }
    fmt::print("{}\n", boost::json::serialize(
                           boost::json::object{{"machine", machine()}, {"values", values}}));
}

result<options> read_options(const std::vector<std::string_view>& words) {
    constexpr std::uint64_t most = 1'000'000'000;
    options chosen;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "--json") {
            chosen.json = true;
            continue;
        }
        const bool rounds = words[i] == "--rounds";
        if ((!rounds && words[i] != "--operations") || i + 1 == words.size()) {
            return error{errc::invalid, "usage: bench-replica [--json] [--rounds N] "
                                        "[--operations N]"};
        }
        const auto number = base::parse_number(words[++i], 1, most);
        if (!number) {
            return number.error();
        }
        (rounds ? chosen.rounds : chosen.operations) = *number;
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
    std::vector<measurement> all;
    measure_replication(*chosen, all);
    measure_idle_turn(*chosen, all);
    measure_memory(all);
    chosen->json ? print_json(all) : print_table(all);
    return 0;
}
