#include "commands/commands.hpp"

#include <catch2/catch_all.hpp>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include <unistd.h>

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

    std::string file = "/tmp/almenara-completion-XXXXXX";
    const int descriptor = ::mkstemp(file.data());
    REQUIRE(descriptor >= 0);
    REQUIRE(::write(descriptor, script.data(), script.size()) ==
            static_cast<ssize_t>(script.size()));
    ::close(descriptor);
    const std::string command = "bash " + file + " 2>&1";
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string offered;
    std::array<char, 256> part{};
    while (std::fgets(part.data(), part.size(), pipe) != nullptr) {
        offered += part.data();
    }
    CHECK(::pclose(pipe) == 0);
    ::unlink(file.c_str());
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
    CHECK(completions({"almenara", ""}) == "ping status help completion");
    CHECK(completions({"almenara", "ping", "--co"}) == "--count");
    CHECK(completions({"almenara", "status", "--co"}).empty());
    CHECK(completions({"almenara", "--timeout", "5s", "sta"}) == "status");
    CHECK(completions({"almenara", "help", "st"}) == "status");
    CHECK(completions({"almenara", "completion", ""}) == "bash");
    CHECK(completions({"almenara", "--timeout", ""}).empty());
    CHECK(completions({"almenara", "--js"}) == "--json");
}
