#include "sim/mutation.hpp"
#include "sim/options.hpp"
#include "sim/search.hpp"
#include "sim/world.hpp"
#include "wire/described.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

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
        sum.digest += one.run.digest;
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
                       "\"digest\":\"{:016x}\",\"seen\":{{{}}}}}",
                       all.runs, all.failed,
                       all.first_failure ? fmt::format("{}", all.first_failure->seed) : "null",
                       asked.servers, asked.profile, virtual_seconds, took, all.sum.events,
                       all.sum.committed, all.sum.confirmed, all.sum.uncertain, all.sum.digest,
                       seen);
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
    if (!all.sum.seen.knows_orders()) {
        fmt::print(stderr, "{} keys have no order that is known, of {} more\n",
                   all.sum.seen.count(sight::order_unknown),
                   all.sum.seen.count(sight::order_found));
        good = false;
    }
    std::vector<sight> never;
    if (asked.expect_coverage) {
        never = all.sum.seen.missing(all.runs);
    }
    std::copy_if(asked.expect_sights.begin(), asked.expect_sights.end(), std::back_inserter(never),
                 [&](sight wanted) { return all.sum.seen.count(wanted) == 0; });
    for (const sight each : never) {
        fmt::print(stderr, "{} runs, and none of them saw: {}\n", all.runs,
                   wire::enumerator_name(each));
    }
    return good && never.empty();
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

void break_rules(const options& asked) {
    for (const std::string& rule : asked.rules) {
        static_cast<void>(break_rule(rule)); // The options know that there is one.
    }
}

/// A mutant that fails proves something only if the same seed is clean with all rules.
bool is_clean_without_mutation(const options& asked, std::uint64_t seed) {
    options sound = asked;
    sound.mutate.reset();
    sound.rules.clear();
    bool clean = false;
    search again{[&](std::uint64_t number) { return plan_of(sound, number); }, 1};
    again.run(seed, 1, [&](const seed_report& one) {
        clean = !one.run.violation;
        if (!clean) {
            tell_failure(sound, one);
        }
        return true;
    });
    return clean;
}

/// What a failure that was hoped for is worth.
bool judge_notice(const options& asked, const seed_report& first) {
    if (!asked.mutate) {
        return true;
    }
    if (!is_clean_without_mutation(asked, first.seed)) {
        fmt::print(stderr, "seed {} fails with the rule {} as well\n", first.seed, *asked.mutate);
        return false;
    }
    if (!asked.json) {
        fmt::print("without {} seed {} is noticed by {}, with it the seed is clean\n",
                   *asked.mutate, first.seed, first.run.violation->invariant);
    }
    return true;
}

int run(const options& asked) {
    const auto began = std::chrono::steady_clock::now();
    totals all;
    const auto next = [&](const seed_report& one) {
        all.add(one);
        if (one.run.violation) {
            tell_failure(asked, one);
        }
        return !(asked.expect_failure && one.run.violation);
    };
    if (asked.trace) {
        break_rules(asked);
        static_cast<void>(next(run_here(asked)));
        fmt::print("end: digest {:016x}\n", all.sum.digest);
    } else {
        // Rules are broken in the processes that run seeds, and nowhere else.
        search seeds{[&](std::uint64_t seed) { return plan_of(asked, seed); }, asked.jobs,
                     [&] { break_rules(asked); }};
        seeds.run(asked.seed, asked.seeds, next);
    }
    const double took =
        std::chrono::duration<double>{std::chrono::steady_clock::now() - began}.count();
    if (asked.json) {
        fmt::print("{}\n", as_json(asked, all, took));
    } else if (!asked.trace) {
        tell_totals(all, took);
    }
    const bool good = judge(asked, all);
    const bool proves =
        !asked.expect_failure || !all.first_failure || judge_notice(asked, *all.first_failure);
    return good && proves ? 0 : 1;
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
