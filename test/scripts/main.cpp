#include "scripts/director.hpp"
#include "scripts/mutations.hpp"
#include "scripts/script_file.hpp"
#include "support/differences.hpp"

#include <boost/program_options.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

/// Runs scenario scripts; docs/testing.md says how to read and write them.
namespace almenara::scripts {

namespace {

namespace options = boost::program_options;

constexpr int good = 0;
constexpr int bad = 1;
constexpr int wrong_use = 2;

std::string read_file(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    if (!in) {
        throw script_error{fmt::format("{} cannot be read", path)};
    }
    return {std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{}};
}

void write_file(const std::string& path, const std::string& text) {
    std::ofstream out{path, std::ios::binary | std::ios::trunc};
    if (!(out << text)) {
        throw script_error{fmt::format("{} cannot be written", path)};
    }
}

struct outcome {
    script told;         ///< with what really happened
    bool failed = false; ///< an expectation or an invariant, not merely other text
};

outcome play(script what) {
    director plays;
    for (block& each : what.blocks) {
        for (const std::string& command : each.commands) {
            try {
                plays.command(command);
            } catch (const script_error& wrong) {
                throw script_error{
                    fmt::format("line {}: {}: {}", each.line, command, wrong.what())};
            }
        }
        if (&each == &what.blocks.back()) {
            plays.curtain();
        }
        each.expected = plays.take_transcript();
    }
    return {.told = std::move(what), .failed = plays.failed()};
}

/// As it is: the transcript must be the same, and nothing expected may fail.
int check(const std::string& path, const std::string& text) {
    const outcome now = play(parse_script(text));
    const std::string differences = test::line_differences(text, to_text(now.told));
    if (!differences.empty()) {
        std::cout << fmt::format("{} tells another story:\n{}", path, differences);
    } else if (now.failed) {
        std::cout << fmt::format("{}: the story is as written, and something in it FAILED\n", path);
    }
    return differences.empty() && !now.failed ? good : bad;
}

/// With a rule switched off something expected must fail; other text alone proves nothing.
int check_mutated(const std::string& path, const std::string& text, const std::string& rule) {
    const script what = parse_script(text);
    if (std::find(what.mutations.begin(), what.mutations.end(), rule) == what.mutations.end()) {
        throw script_error{fmt::format("{} does not aim at '{}'", path, rule)};
    }
    break_rule(rule);
    const outcome now = play(what);
    if (!now.failed) {
        std::cout << fmt::format("{} did not notice that '{}' was switched off\n", path, rule);
    }
    return now.failed ? good : bad;
}

int rewrite(const std::string& path, const std::string& text) {
    const outcome now = play(parse_script(text));
    write_file(path, to_text(now.told));
    if (now.failed) {
        std::cout << fmt::format("{}: something in it FAILED\n", path);
    }
    return now.failed ? bad : good;
}

/// Every rule needs a script that fails without it.
int check_rules(const std::vector<std::string>& paths) {
    std::vector<std::string> aimed_at;
    for (const std::string& path : paths) {
        const script what = parse_script(read_file(path));
        aimed_at.insert(aimed_at.end(), what.mutations.begin(), what.mutations.end());
    }
    int result = good;
    for (const std::string& rule : all_rules()) {
        if (std::find(aimed_at.begin(), aimed_at.end(), rule) == aimed_at.end()) {
            std::cout << fmt::format("no script fails without '{}'\n", rule);
            result = bad;
        }
    }
    return result;
}

int run_all(const options::variables_map& given, const std::vector<std::string>& paths) {
    int result = good;
    for (const std::string& path : paths) {
        const std::string text = read_file(path);
        if (given.contains("print")) {
            if (given.contains("mutate")) {
                break_rule(given["mutate"].as<std::string>());
            }
            std::cout << to_text(play(parse_script(text)).told);
        } else if (given.contains("rewrite")) {
            result = std::max(result, rewrite(path, text));
        } else if (given.contains("mutate")) {
            result = std::max(result, check_mutated(path, text, given["mutate"].as<std::string>()));
        } else {
            result = std::max(result, check(path, text));
        }
    }
    return result;
}

int run(int count, const char* const* arguments) {
    options::options_description visible{"almenara-scripts [options] FILE...", 100};
    options::options_description all;
    auto add = visible.add_options();
    add("help", "this text");
    add("rewrite", "write what happens now into the files");
    add("mutate", options::value<std::string>()->value_name("RULE"),
        "switch a rule off; an expectation of the script must fail");
    add("print", "print what happens, with a rule switched off or not, and compare nothing");
    add("rules", "whether each rule has a script that fails without it");
    all.add(visible);
    all.add_options()("file", options::value<std::vector<std::string>>());
    options::positional_options_description files;
    files.add("file", -1);
    options::variables_map given;
    options::store(
        options::command_line_parser(count, arguments).options(all).positional(files).run(), given);
    if (given.contains("help") || !given.contains("file")) {
        std::cout << visible;
        return given.contains("help") ? good : wrong_use;
    }
    const auto paths = given["file"].as<std::vector<std::string>>();
    return given.contains("rules") ? check_rules(paths) : run_all(given, paths);
}

} // namespace

} // namespace almenara::scripts

int main(int count, char** arguments) {
    try {
        return almenara::scripts::run(count, arguments);
    } catch (const std::exception& wrong) {
        std::cerr << "almenara-scripts: " << wrong.what() << "\n";
        return almenara::scripts::wrong_use;
    }
}
