// How long it takes to write and read a typical operation of about 256 bytes.
//
//     bench-codec [--json] [--rounds N] [--operations N]
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/text.hpp"
#include "support/allocations.hpp"
#include "support/streams.hpp"
#include "wire/codec.hpp"
#include "wire/frame.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::bench {

using session_id = base::strong<struct session_id_tag, std::array<std::byte, 16>>;
using sequence = base::strong<struct sequence_tag, std::uint64_t>;

/// What a client's write will look like: who, which one, until when, and what.
struct operation {
    session_id session;
    sequence number;
    sequence first_unacked;
    epoch epoch_seen;
    log_index read_index;
    std::chrono::milliseconds deadline{0};
    base::byte_vector body;
};
ALMENARA_DESCRIBE(operation, session, number, first_unacked, epoch_seen, read_index, deadline, body)

namespace {

constexpr std::size_t operation_size = 256;

struct options {
    bool json = false;
    std::uint64_t rounds = 21;
    std::uint64_t operations = 100'000;
};

struct measurement {
    std::string what;
    std::size_t bytes = 0;
    double nanoseconds = 0; ///< per operation, median of the rounds
    double best = 0;        ///< per operation, fastest round
    double allocations = 0; ///< per operation
};

/// Tells the compiler that somebody looks at the value.
template <class T>
void keep(const T& value) {
    asm volatile("" : : "g"(&value) : "memory");
}

operation typical_operation() {
    session_id::rep session{};
    session.fill(std::byte{0xa5});
    operation typical{
        .session = session_id{session},
        .number = sequence{1'000'017},
        .first_unacked = sequence{1'000'001},
        .epoch_seen = epoch{17},
        .read_index = log_index{123'456'789},
        .deadline = std::chrono::seconds{30},
    };
    while (wire::encoded_size(typical) < operation_size) {
        typical.body.push_back(std::byte{0x5a});
    }
    return typical;
}

double nanoseconds_per_call(const std::function<void()>& work, std::uint64_t calls) {
    using clock = std::chrono::steady_clock;
    const auto start = clock::now();
    for (std::uint64_t i = 0; i < calls; ++i) {
        work();
    }
    const std::chrono::duration<double, std::nano> taken = clock::now() - start;
    return taken.count() / static_cast<double>(calls);
}

measurement measure(std::string_view what,
                    std::size_t bytes,
                    const options& chosen,
                    const std::function<void()>& work) {
    work(); // what is allocated once and reused is not counted
    const auto allocated = test::allocations_of([&] {
        for (std::uint64_t i = 0; i < chosen.operations; ++i) {
            work();
        }
    });
    std::vector<double> rounds;
    for (std::uint64_t round = 0; round < chosen.rounds; ++round) {
        rounds.push_back(nanoseconds_per_call(work, chosen.operations));
    }
    std::sort(rounds.begin(), rounds.end());
    return {
        .what = std::string{what},
        .bytes = bytes,
        .nanoseconds = rounds[rounds.size() / 2],
        .best = rounds.front(),
        .allocations =
            static_cast<double>(allocated.count) / static_cast<double>(chosen.operations),
    };
}

std::vector<measurement> measure_all(const options& chosen) {
    const operation typical = typical_operation();
    constexpr wire::frame_header header{.type = wire::message_type{0x0210}};
    base::byte_vector body;
    wire::encode(typical, body);
    base::byte_vector framed;
    wire::append_frame(header, typical, framed);
    base::byte_vector reused;
    wire::frame_decoder decoder{wire::largest_control_frame};

    std::vector<measurement> all;
    const auto add = [&](std::string_view what, std::size_t bytes, std::function<void()> work) {
        all.push_back(measure(what, bytes, chosen, work));
    };
    add("encode into a new buffer", body.size(), [&] {
        base::byte_vector out;
        wire::encode(typical, out);
        keep(out);
    });
    add("encode into a reused buffer", body.size(), [&] {
        reused.clear();
        wire::encode(typical, reused);
        keep(reused);
    });
    add("frame with checksum into a new buffer", framed.size(), [&] {
        base::byte_vector out;
        wire::append_frame(header, typical, out);
        keep(out);
    });
    add("frame with checksum into a reused buffer", framed.size(), [&] {
        reused.clear();
        wire::append_frame(header, typical, reused);
        keep(reused);
    });
    add("decode", body.size(), [&] { keep(wire::decode<operation>(body)); });
    add("receive and check a frame", framed.size(), [&] {
        test::feed(decoder, framed);
        keep(decoder.next());
    });
    add("receive and check a frame, and decode", framed.size(), [&] {
        test::feed(decoder, framed);
        keep(wire::decode<operation>((*decoder.next())->payload));
    });
    add("for scale: memcpy of a frame", framed.size(), [&] {
        std::memcpy(reused.data(), framed.data(), framed.size());
        keep(reused);
    });
    add("for scale: checksum of a frame", framed.size(), [&] { keep(base::xxh3_64(framed)); });
    return all;
}

void print_table(const std::vector<measurement>& all) {
    fmt::print("{:<42} {:>6} {:>10} {:>10} {:>12}\n", "", "bytes", "ns median", "ns best",
               "allocations");
    for (const measurement& one : all) {
        fmt::print("{:<42} {:>6} {:>10.1f} {:>10.1f} {:>12.2f}\n", one.what, one.bytes,
                   one.nanoseconds, one.best, one.allocations);
    }
}

void print_json(const std::vector<measurement>& all) {
    boost::json::array lines;
    for (const measurement& one : all) {
        lines.push_back({{"what", one.what},
                         {"bytes", one.bytes},
                         {"ns_median", one.nanoseconds},
                         {"ns_best", one.best},
                         {"allocations", one.allocations}});
    }
    fmt::print("{}\n", boost::json::serialize(lines));
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
            return error{errc::invalid, "usage: bench-codec [--json] [--rounds N] "
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
    const auto all = measure_all(*chosen);
    chosen->json ? print_json(all) : print_table(all);
    return 0;
}
