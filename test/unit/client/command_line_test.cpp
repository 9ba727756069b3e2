#include "command_line.hpp"

#include "commands/commands.hpp"

#include <catch2/catch_all.hpp>

#include <array>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace almenara;
using namespace almenara::cli;
using namespace std::chrono_literals;

namespace {

using variables = std::map<std::string, std::string>;

cli::outcome<invocation> parse(const std::vector<std::string>& arguments,
                               const variables& around = {}) {
    return parse_command_line(arguments, [&around](const char* name) {
        const auto found = around.find(name);
        return found == around.end() ? nullptr : found->second.c_str();
    });
}

invocation understood(const std::vector<std::string>& arguments, const variables& around = {}) {
    auto asked = parse(arguments, around);
    if (!asked) {
        FAIL("not understood: " << asked.error().text());
    }
    return *asked;
}

/// What the person is told. Always exit code 2.
std::string told(const std::vector<std::string>& arguments, const variables& around = {}) {
    const auto asked = parse(arguments, around);
    REQUIRE(asked.has_error());
    CHECK(asked.error().exit == exit_code::usage);
    CHECK(asked.error().code == errc::invalid);
    return asked.error().text();
}

} // namespace

TEST_CASE("a command line without options has the table's defaults") {
    const auto asked = understood({"ping"});
    CHECK(asked.what->name == "ping");
    CHECK(to_string(asked.servers.at(0)) == "127.0.0.1:7400");
    CHECK(asked.timeout == 30s);
    CHECK_FALSE(asked.json);
    CHECK_FALSE(asked.plaintext);
    CHECK_FALSE(asked.count("count"));
}

TEST_CASE("the option --follow names ways to a new primary, and the environment may") {
    using client::source;
    CHECK_FALSE(understood({"ping"}).follow);
    CHECK(understood({"--follow", "beacon", "ping"}).follow == client::ways{source::beacon});
    CHECK(understood({"ping", "--follow=directory,redirect"}).follow ==
          client::ways{source::redirect, source::directory});
    const variables around{{"ALMENARA_FOLLOW", "members"}};
    CHECK(understood({"ping"}, around).follow == client::ways{source::members});
    CHECK(understood({"ping", "--follow", "standby"}, around).follow ==
          client::ways{source::standby});
    const std::string why = told({"ping", "--follow", "beacon,standy"});
    CHECK(why.starts_with("--follow: 'standy' is no way to find a primary"));
    CHECK(why.find("Did you mean 'standby'? There are beacon") != std::string::npos);
    CHECK(told({"--follow", "xyz", "ping"}).find("a primary. There are beacon") !=
          std::string::npos);
    CHECK(told({"ping"}, {{"ALMENARA_FOLLOW", "all"}}).starts_with("ALMENARA_FOLLOW: 'all'"));
}

TEST_CASE("options stand before or behind the command, in each form") {
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"-s", "[::1]:7401", "--timeout", "5s", "--plaintext", "ping", "--count", "3"},
             {"ping", "--count=3", "-s[::1]:7401", "--plaintext", "--timeout=5s"},
             {"--count", "3", "--server=[::1]:7401", "ping", "--timeout", "5s", "--plaintext"}}) {
        const auto asked = understood(arguments);
        CHECK(asked.what->name == "ping");
        CHECK(to_string(asked.servers.at(0)) == "[::1]:7401");
        CHECK(asked.timeout == 5s);
        CHECK(asked.plaintext);
        CHECK(asked.count("count") == 3);
    }
}

TEST_CASE("behind -- there are only words") {
    CHECK(understood({"help", "--", "ping"}).words == std::vector<std::string>{"ping"});
    CHECK(told({"help", "--", "--json", "ping", "now"}) ==
          "help: 'now' is a word too many. See 'almenara help --help'.");
}

TEST_CASE("the environment gives what the command line does not") {
    const variables around{{"ALMENARA_SERVER", "127.0.0.1:7409"},
                           {"ALMENARA_TIMEOUT", "2s"},
                           {"ALMENARA_PLAINTEXT", "1"},
                           {"ALMENARA_JSON", "no"}};
    const auto asked = understood({"ping", "--timeout", "1s"}, around);
    CHECK(to_string(asked.servers.at(0)) == "127.0.0.1:7409");
    CHECK(asked.timeout == 1s);
    CHECK(asked.plaintext);
    CHECK_FALSE(asked.json);
}

TEST_CASE("an empty variable is as good as none") {
    const auto asked = understood({"ping"}, {{"ALMENARA_SERVER", ""}, {"ALMENARA_PLAINTEXT", ""}});
    CHECK(to_string(asked.servers.at(0)) == "127.0.0.1:7400");
    CHECK_FALSE(asked.plaintext);
}

TEST_CASE("colours may be refused, with any value of NO_COLOR") {
    CHECK(understood({"ping"}).colours);
    CHECK_FALSE(understood({"ping", "--no-color"}).colours);
    CHECK_FALSE(understood({"--no-color", "ping"}).colours);
    CHECK_FALSE(understood({"ping"}, {{"NO_COLOR", "by all means"}}).colours);
    CHECK(told({"ping", "--no-color=1"}).starts_with("--no-color: it is a switch"));
}

TEST_CASE("--help and --version need no command, and --help no words") {
    CHECK(understood({"--help"}).help);
    CHECK(understood({"-h"}).help);
    CHECK(understood({"--version"}).version);
    CHECK(understood({"completion", "--help"}).what->name == "completion");
}

TEST_CASE("what was probably meant is asked") {
    CHECK(told({"pnig"}) == "'pnig': there is no such command. Did you mean 'ping'?");
    CHECK(told({"--jsno", "ping"}) == "--jsno: there is no such option. Did you mean '--json'?");
    CHECK(told({"ping", "--conut=3"}) ==
          "--conut: there is no such option. Did you mean '--count'?");
    CHECK(told({"dance"}) ==
          "'dance': there is no such command. 'almenara --help' lists the commands.");
    CHECK(told({"ping", "-x"}) == "-x: there is no such option. See 'almenara ping --help'.");
}

TEST_CASE("a command of two words in quotes is no command") {
    const std::string say = "'kv list': there is no such command. Write it as two words, without "
                            "quotes.";
    CHECK(told({"kv list"}) == say);
    CHECK(told({"kv list", "a"}) == say);
    CHECK(told({"kv list", "--json"}) == say);
    CHECK(told({"kv lisst"}) == "'kv lisst': there is no such command. 'almenara --help' lists the "
                                "commands.");
}

TEST_CASE("an option is never guessed from its beginning") {
    CHECK(told({"ping", "--time", "5s"}).starts_with("--time: there is no such option."));
}

TEST_CASE("an option of another command names its owner") {
    CHECK(told({"status", "--count", "3"}) ==
          "--count: it belongs to 'ping', and 'status' does not take it. "
          "See 'almenara status --help'.");
}

TEST_CASE("without a command it is the shell, which has options of its own") {
    CHECK(understood({}).what == nullptr);
    const auto asked = understood({"-u", "anna", "--keep-going"});
    CHECK(asked.user == "anna");
    CHECK(asked.has("keep-going"));
    CHECK(told({"--count", "3"}) == "--count: it belongs to 'ping', and there is no command. "
                                    "See 'almenara --help'.");
    CHECK(told({"ping", "--keep-going"}) ==
          "--keep-going: it belongs to the shell and 'demo', and 'ping' does "
          "not take it. See 'almenara ping --help'.");
    CHECK(told({"--keep-gong"}).ends_with("Did you mean '--keep-going'?"));
}

TEST_CASE("C.3: where the state is kept is said by the environment, or it is kept nowhere") {
    const variables all{
        {"ALMENARA_STATE_DIRECTORY", "/s"}, {"XDG_STATE_HOME", "/x"}, {"HOME", "/h"}};
    const auto place = [](variables around) {
        return understood({"ping"}, around).state_directory;
    };
    CHECK(place(all) == "/s");
    CHECK(place({{"XDG_STATE_HOME", "/x"}, {"HOME", "/h"}}) == "/x/almenara");
    CHECK(place({{"XDG_STATE_HOME", "x"}, {"HOME", "/h"}}) == "/h/.local/state/almenara");
    CHECK(place({{"HOME", "/h"}}) == "/h/.local/state/almenara");
    CHECK(place({{"HOME", "h"}}) == "");
    CHECK(place({}) == "");
    CHECK_FALSE(understood({"--no-state", "ping"}, all).state_directory);
    CHECK_FALSE(understood({"ping"}, {{"ALMENARA_NO_STATE", "1"}, {"HOME", "/h"}}).state_directory);
    const auto start = understood({"ping"}, all);
    const std::vector<std::string> words{"kv", "get", "a"};
    CHECK(parse_command_line(words, shell_words{.start = start})->state_directory == "/s");
    const auto nowhere = understood({"--no-state", "ping"}, all);
    CHECK_FALSE(parse_command_line(words, shell_words{.start = nowhere})->state_directory);
}

TEST_CASE("a line of a shell has the shell's options where it names no others") {
    const auto start = understood({"-s", "127.0.0.1:7401", "-s", "unix:/a,b", "-u", "anna",
                                   "--timeout", "5s", "--plaintext", "--json"});
    const auto line = [&](const std::vector<std::string>& words) {
        return parse_command_line(words, shell_words{.start = start});
    };
    const auto plain = line({"kv", "get", "a"});
    REQUIRE(plain.has_value());
    CHECK(plain->servers == start.servers);
    CHECK(plain->user == "anna");
    CHECK(plain->timeout == 5s);
    CHECK(plain->plaintext);
    CHECK(plain->json);
    const auto other = line({"-u", "bob", "kv", "get", "a", "--timeout", "1s", "-s", "[::1]:7402"});
    REQUIRE(other.has_value());
    CHECK(other->user == "bob");
    CHECK(other->timeout == 1s);
    CHECK(to_string(other->servers.at(0)) == "[::1]:7402");
    CHECK(line({"ping", "--timeout", "soon"}).error().text().starts_with("--timeout: "));
    const std::array<std::string_view, 1> more{"restart"};
    const std::vector<std::string> nearly{"restrat"};
    CHECK(parse_command_line(nearly, shell_words{.start = start, .more = more})
              .error()
              .text()
              .ends_with("Did you mean 'restart'?"));
}

TEST_CASE("missing and superfluous things are named") {
    CHECK(told({"ping", "--timeout"}) ==
          "--timeout: its value is missing. Write '--timeout TIME'.");
    CHECK(told({"ping", "--timeout="}) ==
          "--timeout: its value is missing. Write '--timeout TIME'.");
    CHECK(told({"ping", "-s"}) ==
          "--server: its value is missing. Write '--server HOST:PORT|unix:PATH'.");
    CHECK(told({"ping", "--json=yes"}).starts_with("--json: it is a switch and takes no value."));
    CHECK(told({"ping", "more"}) == "ping: 'more' is a word too many. See 'almenara ping --help'.");
    CHECK(told({"completion"}).starts_with("completion: bash is missing."));
    CHECK(told({"ping", "--count", "1", "--count", "2"}) ==
          "--count: it is given twice. Leave one of them out.");
}

TEST_CASE("a bad value is refused wherever it comes from") {
    CHECK(told({"ping", "--timeout", "soon"}).starts_with("--timeout: 'soon' is not a duration"));
    CHECK(told({"ping", "--timeout", "0s"}).starts_with("--timeout: it must be longer"));
    CHECK(told({"ping", "--timeout", "4000d"}).starts_with("--timeout: it must not be longer"));
    CHECK(told({"ping", "--count", "0"}).starts_with("--count: '0' is not a whole number"));
    CHECK(told({"ping", "--count", "-1"}).starts_with("--count: "));
    CHECK(told({"-s", "nowhere:", "ping"}).starts_with("--server: 'nowhere:' is not HOST:PORT"));
    CHECK(told({"-u", "anna b", "ping"}).starts_with("--user: a user's name is 1 to 64 bytes"));
    CHECK(told({"-u", std::string(65, 'x'), "ping"}).starts_with("--user: a user's name is"));
    CHECK(told({"ping"}, {{"ALMENARA_TIMEOUT", "x"}}).starts_with("ALMENARA_TIMEOUT: "));
    CHECK(told({"ping"}, {{"ALMENARA_PLAINTEXT", "maybe"}}) ==
          "ALMENARA_PLAINTEXT: 'maybe' is neither yes nor no. Set it to 1 or to 0.");
}

TEST_CASE("what was typed cannot steer the terminal that shows it") {
    CHECK(told({"\x1b[2J"}).find('\x1b') == std::string::npos);
    CHECK(told({"--\x1b[2J"}).find('\x1b') == std::string::npos);
    CHECK(told({"ping", "\x1b[2J"}).find('\x1b') == std::string::npos);
    CHECK(told({"-s", "\x1b[2J", "ping"}).find('\x1b') == std::string::npos);
    CHECK(told({"--timeout", "\x1b[2J", "ping"}).find('\x1b') == std::string::npos);
    CHECK(told({"ping", "--count", "\x1b[2J"}).find('\x1b') == std::string::npos);
}

TEST_CASE("a line that is not understood may still have asked for JSON") {
    const auto nothing = [](const char*) -> const char* { return nullptr; };
    const auto set = [](const char* name) {
        return std::string_view{name} == "ALMENARA_JSON" ? "1" : nullptr;
    };
    using words = std::vector<std::string>;
    CHECK(wants_json(words{"--json", "pnig"}, nothing));
    CHECK_FALSE(wants_json(words{"pnig", "--", "--json"}, nothing));
    CHECK_FALSE(wants_json(words{"pnig"}, nothing));
    CHECK(wants_json(words{"pnig"}, set));
}

TEST_CASE("the table agrees with itself") {
    std::map<std::string_view, value_kind> kinds;
    std::set<char> letters;
    std::set<std::string_view> names;
    const auto look_at = [&](std::span<const option> options) {
        for (const option& each : options) {
            INFO("option --" << each.name);
            CHECK_FALSE(each.help.empty());
            CHECK((each.kind == value_kind::none) == each.value_name.empty());
            // One name is one kind of value: the line is split before the command is known.
            CHECK(kinds.emplace(each.name, each.kind).first->second == each.kind);
        }
    };
    look_at(global_options());
    for (const option& each : global_options()) {
        CHECK((each.letter == 0 || letters.insert(each.letter).second));
    }
    for (const command& each : commands()) {
        INFO("command " << each.name);
        CHECK(names.insert(each.name).second);
        CHECK_FALSE(each.examples.empty());
        CHECK(each.summary.ends_with('.'));
        CHECK(each.fewest_words <= each.most_words);
        CHECK(each.run != nullptr);
        for (const option& own : each.options) {
            CHECK(own.letter == 0);
            for (const option& global : global_options()) {
                CHECK(own.name != global.name);
            }
        }
        look_at(each.options);
    }
}

TEST_CASE("every example in the help is understood") {
    const auto try_out = [](const example& each) {
        std::string_view line = each.line;
        const std::size_t begin = line.find("almenara ");
        line = line.substr(begin, line.find_first_of(")><", begin) - begin);
        std::vector<std::string> words;
        for (std::size_t at = 0; at < line.size();) {
            const std::size_t end = std::min(line.find(' ', at), line.size());
            if (end > at) {
                words.emplace_back(line.substr(at, end - at));
            }
            at = end + 1;
        }
        words.erase(words.begin());
        INFO(each.line);
        CHECK(parse(words).has_value());
    };
    for (const example& each : program_examples()) {
        try_out(each);
    }
    for (const command& about : commands()) {
        for (const example& each : about.examples) {
            try_out(each);
        }
    }
}

TEST_CASE("a count has the bounds of its option") {
    CHECK(told({"demo", "--port", "65536"}) ==
          "--port: '65536' is not a whole number from 1 to 65535.");
    CHECK(told({"demo", "--servers", "0"}) == "--servers: '0' is not a whole number from 1 to 7.");
    CHECK(understood({"demo", "--port", "65535"}).count("port") == 65'535);
    CHECK(understood({"ping", "--count", "1000000000"}).count("count") == 1'000'000'000);
}

TEST_CASE("a command knows whether a server was typed") {
    CHECK(understood({"demo", "-s", "127.0.0.1:1"}).servers_are_typed);
    CHECK_FALSE(understood({"demo"}, {{"ALMENARA_SERVER", "127.0.0.1:1"}}).servers_are_typed);
}
