#include "sim/options.hpp"

#include "sim/mutation.hpp"

#include <boost/describe/enum_from_string.hpp>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/variables_map.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <sstream>

namespace almenara::sim {

namespace {

namespace po = boost::program_options;

constexpr std::uint64_t most_seconds = 24 * 3600;
constexpr std::uint64_t most_jobs = 64;

po::options_description description() {
    po::options_description all{"Options", 100};
    auto add = all.add_options();
    add("seed", po::value<std::string>()->value_name("N"), "the run's seed; 1 by default");
    add("seeds", po::value<std::string>()->value_name("COUNT"),
        "so many seeds, from --seed on; 1 by default");
    add("seconds", po::value<std::string>()->value_name("V"),
        "virtual seconds with faults; 60 by default. The liveness phase follows");
    add("servers", po::value<std::string>()->value_name("N"), "3 (the default), 5 or 7");
    add("clients", po::value<std::string>()->value_name("N"), "4 by default, at most 12");
    add("rate", po::value<std::string>()->value_name("N"),
        "operations of each client in a virtual second; 25 by default");
    add("profile", po::value<std::string>()->value_name("NAME"),
        "what goes wrong, see below; `all` takes one after the other");
    add("trace", "tells the story: a line for everything that happens. Of one seed");
    add("mutate", po::value<std::string>()->value_name("RULE[,RULE]"),
        "switches a rule off, see below; several with commas between them");
    add("expect-failure", "success is that a seed fails; the rest is not run then");
    add("expect-coverage", "fails if the search never saw what it must have seen");
    add("expect-sight", po::value<std::string>()->value_name("SIGHT[,SIGHT]"),
        "fails if the search never saw these of what it says that it has seen");
    add("jobs", po::value<std::string>()->value_name("N"), "processes at once; 1 by default");
    add("json", "says the result as one line of JSON");
    add("help,h", "this text");
    return all;
}

struct bounds {
    std::uint64_t least = 0;
    std::uint64_t most = 0;
};

template <class Number>
void take(const po::variables_map& said, const char* name, bounds allowed, Number& into) {
    if (said.count(name) == 0) {
        return;
    }
    const auto& text = said[name].as<std::string>();
    std::uint64_t value = 0;
    const bool digits = !text.empty() && text.size() <= 20 &&
                        text.find_first_not_of("0123456789") == std::string::npos;
    std::istringstream in{text};
    if (!digits || !(in >> value) || value < allowed.least || value > allowed.most) {
        throw bad_options{fmt::format("--{} {}: it is a whole number from {} to {}", name, text,
                                      allowed.least, allowed.most)};
    }
    into = static_cast<Number>(value);
}

void take_profile(const po::variables_map& said, options& into) {
    if (said.count("profile") == 0) {
        return;
    }
    into.profile = said["profile"].as<std::string>();
    if (into.profile != "all" && !find_profile(into.profile)) {
        std::vector<std::string_view> names;
        for (const profile& known : all_profiles()) {
            names.push_back(known.name);
        }
        throw bad_options{
            fmt::format("--profile {}: there is no such profile; there are {} and all",
                        into.profile, fmt::join(names, ", "))};
    }
}

void take_rule(const po::variables_map& said, options& into) {
    if (said.count("mutate") == 0) {
        return;
    }
    into.mutate = said["mutate"].as<std::string>();
    const auto known = rule_names();
    std::istringstream names{*into.mutate};
    for (std::string name; std::getline(names, name, ',');) {
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            throw bad_options{fmt::format("--mutate {}: there is no such rule; there are {}", name,
                                          fmt::join(known, ", "))};
        }
        into.rules.push_back(name);
    }
}

void take_sights(const po::variables_map& said, options& into) {
    if (said.count("expect-sight") == 0) {
        return;
    }
    std::istringstream names{said["expect-sight"].as<std::string>()};
    for (std::string name; std::getline(names, name, ',');) {
        sight found{};
        if (!boost::describe::enum_from_string(name.c_str(), found)) {
            throw bad_options{fmt::format("--expect-sight {}: nobody looks for that; a search ends "
                                          "with the names of what it looks for",
                                          name)};
        }
        into.expect_sights.push_back(found);
    }
}

options read(const po::variables_map& said) {
    constexpr auto any = std::numeric_limits<std::uint64_t>::max();
    options asked;
    asked.help = said.count("help") != 0;
    asked.trace = said.count("trace") != 0;
    asked.json = said.count("json") != 0;
    asked.expect_failure = said.count("expect-failure") != 0;
    asked.expect_coverage = said.count("expect-coverage") != 0;
    take(said, "seed", {0, any}, asked.seed);
    take(said, "seeds", {1, 1'000'000'000}, asked.seeds);
    take(said, "seconds", {1, most_seconds}, asked.seconds);
    take(said, "servers", {3, 7}, asked.servers);
    take(said, "clients", {0, 12}, asked.clients);
    take(said, "rate", {1, 10'000}, asked.rate);
    take(said, "jobs", {1, most_jobs}, asked.jobs);
    take_profile(said, asked);
    take_rule(said, asked);
    take_sights(said, asked);
    if (asked.servers % 2 == 0) {
        throw bad_options{fmt::format("--servers {}: there are 3, 5 or 7", asked.servers)};
    }
    if (asked.trace && (asked.seeds != 1 || asked.json)) {
        throw bad_options{"--trace: it tells the story of one seed, without --seeds and --json"};
    }
    return asked;
}

} // namespace

options parse_options(int count, const char* const* words) {
    try {
        po::variables_map said;
        po::store(
            po::command_line_parser(count, words)
                .options(description())
                .positional({})
                .style(po::command_line_style::unix_style & ~po::command_line_style::allow_guessing)
                .run(),
            said);
        return read(said);
    } catch (const po::error& wrong) {
        throw bad_options{wrong.what()};
    }
}

std::string help_text() {
    std::ostringstream text;
    text << "Usage: almenara-sim [OPTION]...\n\n"
            "Runs a cluster, its clients and what goes wrong in virtual time, and checks after "
            "each\n"
            "step that nothing is lost, doubled or contradicted. The same options give the same "
            "run.\n\n"
         << description() << "\nProfiles:\n";
    for (const profile& known : all_profiles()) {
        text << fmt::format("  {:16} {}\n", known.name, known.meaning);
    }
    text << "\nRules that --mutate switches off:\n";
    for (const std::string& name : rule_names()) {
        text << "  " << name << '\n';
    }
    text << "\nExit code: 0 if all is well, 1 if not, 2 for a command line that cannot be.\n";
    return text.str();
}

const profile& profile_of(const options& asked, std::uint64_t seed) {
    const auto& all = all_profiles();
    if (asked.profile == "all") {
        return all[static_cast<std::size_t>(seed % all.size())];
    }
    return *std::find_if(all.begin(), all.end(),
                         [&](const profile& p) { return p.name == asked.profile; });
}

std::string replay_line(const options& asked, std::uint64_t seed) {
    const options usual;
    std::string line =
        fmt::format("almenara-sim --seed {} --seconds {} --servers {} --profile {}", seed,
                    asked.seconds, asked.servers, profile_of(asked, seed).name);
    if (asked.clients != usual.clients) {
        line += fmt::format(" --clients {}", asked.clients);
    }
    if (asked.rate != usual.rate) {
        line += fmt::format(" --rate {}", asked.rate);
    }
    if (asked.mutate) {
        line += fmt::format(" --mutate {}", *asked.mutate);
    }
    return line + " --trace";
}

} // namespace almenara::sim
