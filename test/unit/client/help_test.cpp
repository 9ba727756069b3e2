#include "commands/commands.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <array>
#include <cstdio>
#include <memory>
#include <set>
#include <sstream>
#include <string>

using namespace almenara;
using namespace almenara::cli;

namespace {

std::size_t longest_line(const std::string& text) {
    std::size_t longest = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        longest = std::max(longest, end - at);
        at = end + 1;
    }
    return longest;
}

/// What bash offers when Tab is pressed at the end of these words; the last is under the cursor.
std::string completions(const std::vector<std::string>& words) {
    std::string script = bash_completion() + "\nCOMP_WORDS=(";
    for (const std::string& word : words) {
        script += "'" + word + "' ";
    }
    script += ")\nCOMP_CWORD=" + std::to_string(words.size() - 1) +
              "\n_almenara\necho \"${COMPREPLY[*]}\"\n";

    const test::temporary_directory place;
    const std::string file = place / "completion";
    test::write_file(file, script);
    const std::string command = "bash " + file + " 2>&1";
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string offered;
    std::array<char, 256> part{};
    while (std::fgets(part.data(), part.size(), pipe) != nullptr) {
        offered += part.data();
    }
    CHECK(::pclose(pipe) == 0);
    return offered.substr(0, offered.find('\n'));
}

} // namespace

TEST_CASE("help begins with examples, names everything and fits a terminal") {
    const std::string text = program_help();
    CHECK(text.starts_with("Examples:\n  almenara "));
    for (const command& each : commands()) {
        CHECK(text.find("\n  " + std::string{each.name}) != std::string::npos);
        CHECK(text.find(each.summary) != std::string::npos);
    }
    for (const option& each : global_options()) {
        CHECK(text.find("--" + std::string{each.name}) != std::string::npos);
        CHECK(text.find(each.environment) != std::string::npos);
    }
    CHECK(longest_line(text) <= 100);
}

TEST_CASE("the help of each command begins with its examples and has its options") {
    for (const command& about : commands()) {
        const std::string text = command_help(about);
        CHECK(text.starts_with("Examples:\n  " + std::string{about.examples.front().line}));
        for (const option& each : about.options) {
            CHECK(text.find("--" + std::string{each.name}) != std::string::npos);
        }
        CHECK(text.find("--timeout") != std::string::npos);
        INFO(text);
        CHECK(longest_line(text) <= 120);
    }
}

TEST_CASE("bash completes commands, their options and their words") {
    CHECK(completions({"almenara", "pi"}) == "ping");
    CHECK(completions({"almenara", ""}) ==
          "login logout whoami ping status cluster kv help completion demo");
    CHECK(completions({"almenara", "kv", ""}) == "put get cas add rm list");
    CHECK(completions({"almenara", "--json", "kv", "li"}) == "list");
    CHECK(completions({"almenara", "kv", "list", "--va"}) == "--values");
    CHECK(completions({"almenara", "kv", "put", "--va"}).empty());
    CHECK(completions({"almenara", "ping", "--co"}) == "--count");
    CHECK(completions({"almenara", "status", "--co"}).empty());
    CHECK(completions({"almenara", "--timeout", "5s", "sta"}) == "status");
    CHECK(completions({"almenara", "help", "st"}) == "status");
    CHECK(completions({"almenara", "completion", ""}) == "bash");
    CHECK(completions({"almenara", "--timeout", ""}).empty());
    CHECK(completions({"almenara", "--js"}) == "--json");
    CHECK(completions({"almenara", "--follow", ""}) == "beacon redirect standby members directory");
    CHECK(completions({"almenara", "--follow", "beacon,re"}) == "beacon,redirect");
}

TEST_CASE("the completion names each option that takes a value once") {
    const std::string script = bash_completion();
    const std::size_t begin = script.find("--", script.find("case $before in"));
    std::istringstream pattern{script.substr(begin, script.find(')', begin) - begin)};
    std::set<std::string> seen;
    for (std::string word; std::getline(pattern, word, '|');) {
        CAPTURE(word);
        CHECK(seen.insert(word).second);
    }
    CHECK(seen.contains("--interval"));
    CHECK(seen.contains("--timeout"));
}
