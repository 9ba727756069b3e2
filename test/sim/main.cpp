#include "sim/mutation.hpp"
#include "sim/options.hpp"
#include "sim/search.hpp"
#include "sim/world.hpp"
#include "wire/described.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <string>

#include <unistd.h>

/// almenara-sim: one seed, or a search over many.
namespace almenara::sim {

namespace {

using std::chrono::seconds;

run_plan plan_of(const options& asked, std::uint64_t seed) {
    return {.seed = seed,
            .length = seconds{static_cast<std::int64_t>(asked.seconds)},
            .servers = asked.servers,
            .clients = asked.clients,
            .operations_per_second = asked.rate,
            .profile = profile_of(asked, seed),
            .meta_rewritten = meta_is_rewritten(),
            .trace = asked.trace ? stdout : nullptr};
}

/// All seeds together.
struct totals {
    std::uint64_t runs = 0;
    std::uint64_t failed = 0;
    run_report sum;
    std::optional<seed_report> first_failure;

    void add(const seed_report& one) {
        ++runs;
        sum.seen.add(one.run.seen);
        sum.simulated += one.run.simulated;
        sum.events += one.run.events;
        sum.committed += one.run.committed;
        sum.confirmed += one.run.confirmed;
        sum.uncertain += one.run.uncertain;
        if (one.run.violation) {
            ++failed;
            if (!first_failure) {
                first_failure = one;
            }
        }
    }
};

void tell_failure(const options& asked, const seed_report& one) {
    const auto& wrong = *one.run.violation;
    fmt::print(stderr, "seed {}: {} at {:.6f} s: {}\n  {}\n", one.seed, wrong.invariant,
               std::chrono::duration<double>{wrong.at.since_origin()}.count(), wrong.evidence,
               replay_line(asked, one.seed));
}

std::string as_json(const options& asked, const totals& all, double took) {
    const double virtual_seconds = std::chrono::duration<double>{all.sum.simulated}.count();
    std::string seen;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<sight>>([&](auto what) {
        seen += fmt::format("{}\"{}\":{}", seen.empty() ? "" : ",", what.name,
                            all.sum.seen.count(what.value));
    });
    return fmt::format("{{\"runs\":{},\"failed\":{},\"first_failed_seed\":{},\"servers\":{},"
                       "\"profile\":\"{}\",\"virtual_seconds\":{:.1f},\"real_seconds\":{:.2f},"
                       "\"events\":{},\"committed\":{},\"confirmed\":{},\"uncertain\":{},"
                       "\"seen\":{{{}}}}}",
                       all.runs, all.failed,
                       all.first_failure ? fmt::format("{}", all.first_failure->seed) : "null",
                       asked.servers, asked.profile, virtual_seconds, took, all.sum.events,
                       all.sum.committed, all.sum.confirmed, all.sum.uncertain, seen);
}

void tell_totals(const totals& all, double took) {
    const double virtual_seconds = std::chrono::duration<double>{all.sum.simulated}.count();
    fmt::print("{} runs, {} failed, {:.0f} virtual seconds in {:.1f} s, {} events, {} entries, "
               "{} operations confirmed, {} uncertain\n",
               all.runs, all.failed, virtual_seconds, took, all.sum.events, all.sum.committed,
               all.sum.confirmed, all.sum.uncertain);
    std::string seen;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<sight>>([&](auto what) {
        seen += fmt::format(" {} {},", what.name, all.sum.seen.count(what.value));
    });
    seen.back() = '.';
    fmt::print("seen:{}\n", seen);
}

/// Whether the search is what was hoped for.
bool judge(const options& asked, const totals& all) {
    bool good = asked.expect_failure == (all.failed != 0);
    if (asked.expect_failure && all.failed == 0) {
        fmt::print(stderr, "{} seeds, and none of them failed{}\n", all.runs,
                   asked.mutate ? fmt::format(" without the rule {}", *asked.mutate) : "");
    }
    if (asked.expect_coverage) {
        for (const sight never : all.sum.seen.missing()) {
            fmt::print(stderr, "{} runs, and none of them saw: {}\n", all.runs,
                       wire::enumerator_name(never));
            good = false;
        }
    }
    return good;
}

std::string last_words;

/// A run in this process that aborts says at least how to see it again.
void say_last_words(int signal) {
    [[maybe_unused]] const ssize_t written =
        ::write(STDERR_FILENO, last_words.data(), last_words.size());
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

seed_report run_here(const options& asked) {
    last_words = "  " + replay_line(asked, asked.seed) + "\n";
    std::signal(SIGABRT, say_last_words);
    std::signal(SIGSEGV, say_last_words);
    world one{plan_of(asked, asked.seed)};
    return {.seed = asked.seed, .run = one.run()};
}

int run(const options& asked) {
    for (const std::string& rule : asked.rules) {
        if (!break_rule(rule)) {
            throw bad_options{fmt::format("--mutate {}: there is no such rule", rule)};
        }
    }
    const auto began = std::chrono::steady_clock::now();
    totals all;
    const auto next = [&](const seed_report& one) {
        all.add(one);
        if (one.run.violation) {
            tell_failure(asked, one);
        }
        return !(asked.expect_failure && one.run.violation);
    };
    if (asked.seeds == 1) {
        static_cast<void>(next(run_here(asked)));
    } else {
        search seeds{[&](std::uint64_t seed) { return plan_of(asked, seed); }, asked.jobs};
        seeds.run(asked.seed, asked.seeds, next);
    }
    const double took =
        std::chrono::duration<double>{std::chrono::steady_clock::now() - began}.count();
    if (asked.json) {
        fmt::print("{}\n", as_json(asked, all, took));
    } else if (!asked.trace) {
        tell_totals(all, took);
    }
    return judge(asked, all) ? 0 : 1;
}

} // namespace

} // namespace almenara::sim

int main(int count, char** words) {
    try {
        const auto asked = almenara::sim::parse_options(count, words);
        if (asked.help) {
            fmt::print("{}", almenara::sim::help_text());
            return 0;
        }
        return almenara::sim::run(asked);
    } catch (const almenara::sim::bad_options& wrong) {
        fmt::print(stderr, "almenara-sim: {}. See almenara-sim --help.\n", wrong.what());
        return 2;
    } catch (const std::exception& failure) {
        fmt::print(stderr, "almenara-sim: {}\n", failure.what());
        return 1;
    }
}
