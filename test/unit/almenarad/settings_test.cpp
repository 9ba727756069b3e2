#include "settings.hpp"

#include "base/config_text.hpp"
#include "support/results.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::almenarad {

namespace {

using test::failure_of;
using test::says;
using test::temporary_directory;
using test::value_of;
using test::write_file;

/// What the function below finds; settings::gather() takes a plain function, as std::getenv is.
std::map<std::string, std::string>& test_environment() {
    static std::map<std::string, std::string> variables;
    return variables;
}

const char* find_variable(const char* name) {
    const auto found = test_environment().find(name);
    return found == test_environment().end() ? nullptr : found->second.c_str();
}

const char* find_no_variable(const char*) {
    return nullptr;
}

/// A file that goes with the test.
class config_file {
  public:
    explicit config_file(std::string_view text) { write_file(path(), text); }
    [[nodiscard]] std::string path() const { return place_ / "almenarad.conf"; }

  private:
    temporary_directory place_;
};

result<command_line> parsed(const std::vector<const char*>& words) {
    return parse_command_line(words);
}

settings gathered(const std::vector<const char*>& words,
                  settings::environment find = find_no_variable) {
    return value_of(settings::gather(value_of(parsed(words)), find));
}

result<configuration> understood(std::vector<const char*> words) {
    words.push_back("--plaintext");
    const settings all = gathered(words);
    auto understood = understand(all);
    if (understood) {
        if (auto checked = check_places(all, *understood); !checked) {
            return checked.error();
        }
    }
    return understood;
}

error config_failure(std::string_view text) {
    const config_file file{text};
    command_line given;
    given.config_file = file.path();
    const error failure = failure_of(settings::gather(given, find_no_variable));
    CHECK(says(failure, file.path()));
    return failure;
}

} // namespace

TEST_CASE("cli without options every setting has its default") {
    const settings all = gathered({});
    REQUIRE(all.find("listen") != nullptr);
    CHECK(all.find("listen")->value == "127.0.0.1:7400");
    CHECK(all.find("listen")->origin == "default");
    CHECK(all.find("max-clients")->value == "auto");
    CHECK(all.find("id") == nullptr);
    CHECK(all.find("log-file") == nullptr);
}

TEST_CASE("cli the first of command line, environment, file and default wins") {
    const config_file file{"listen = 127.0.0.1:3\nmax-clients = 30\nlog-level = debug\n"};
    test_environment() = {{"ALMENARA_LISTEN", "127.0.0.1:2"}, {"ALMENARA_MAX_CLIENTS", "20"}};
    const settings all =
        gathered({"--config", file.path().c_str(), "--listen", "127.0.0.1:1"}, find_variable);

    CHECK(all.find("listen")->value == "127.0.0.1:1");
    CHECK(all.find("listen")->origin == "command line");
    CHECK(all.find("max-clients")->value == "20");
    CHECK(all.find("max-clients")->origin == "environment ALMENARA_MAX_CLIENTS");
    CHECK(all.find("log-level")->value == "debug");
    CHECK(all.find("log-level")->origin == file.path() + ":3");
    CHECK(all.find("log-file-size")->origin == "default");
}

TEST_CASE("cli every setting can be set in every place") {
    const std::string key = GENERATE(from_range([] {
        std::vector<std::string> keys;
        for (const setting_kind& kind : setting_kinds()) {
            keys.emplace_back(kind.key);
        }
        return keys;
    }()));
    CAPTURE(key);
    const config_file file{"# a comment\n\n" + key + " = true\n"};
    CHECK(gathered({"-c", file.path().c_str()}).find(key)->value == "true");

    std::string variable = "ALMENARA_" + key;
    std::transform(variable.begin(), variable.end(), variable.begin(), [](char letter) {
        return letter == '-' ? '_' : static_cast<char>(std::toupper(letter));
    });
    test_environment() = {{variable, "true"}};
    CHECK(gathered({}, find_variable).find(key)->value == "true");

    const bool is_switch = key == "plaintext" || key == "primary" || key == "wait";
    const std::string option = "--" + key;
    CHECK(gathered(is_switch ? std::vector{option.c_str()} : std::vector{option.c_str(), "true"})
              .find(key)
              ->value == "true");
}

TEST_CASE("cli the short options mean the same as the long ones") {
    const config_file file{"id = 4\n"};
    const settings all = gathered({"-d", "/data", "-l", "[::1]:1", "-c", file.path().c_str()});
    CHECK(all.find("data-dir")->value == "/data");
    CHECK(all.find("listen")->value == "[::1]:1");
    CHECK(all.find("id")->value == "4");
}

TEST_CASE("cli what is asked for beside settings") {
    CHECK(value_of(parsed({"--help"})).help);
    CHECK(value_of(parsed({"-h"})).help);
    CHECK(value_of(parsed({"--version"})).version);
    CHECK(value_of(parsed({"--check-config"})).check_config);
    CHECK(value_of(parsed({"--print-config"})).print_config);
    const command_line nothing = value_of(parsed({}));
    CHECK_FALSE((nothing.help || nothing.version || nothing.check_config || nothing.print_config));
    CHECK_FALSE(nothing.config_file);
    CHECK(nothing.settings.empty());
}

TEST_CASE("cli an unknown option is refused with the one that was probably meant") {
    const auto [word, hint] = GENERATE(table<std::string, std::string>({
        {"--lisen", "option '--lisen'. Did you mean '--listen'?"},
        {"--lisen=127.0.0.1:1", "option '--lisen'. Did you mean '--listen'?"},
        {"--max-client", "Did you mean '--max-clients'?"},
        {"--log_level", "Did you mean '--log-level'?"},
        {"--confg", "Did you mean '--config'?"},
        {"--check-confg", "Did you mean '--check-config'?"},
        {"--print-conf", "Did you mean '--print-config'?"},
        {"--hlep", "Did you mean '--help'?"},
        {"--versoin", "Did you mean '--version'?"},
        {"--plain", "See 'almenarad --help'"},
        {"--zzzzzz", "See 'almenarad --help'"},
        {"-x", "See 'almenarad --help'"},
    }));
    CAPTURE(word);
    const error failure = failure_of(parsed({word.c_str()}));
    CAPTURE(failure.message());
    CHECK(failure.code == errc::invalid);
    CHECK(says(failure, "unknown option"));
    CHECK(says(failure, hint));
}

TEST_CASE("cli in the help a blank stands behind every option") {
    const std::string text = help_text();
    for (const setting_kind& kind : setting_kinds()) {
        const std::string value =
            kind.value_name.empty() ? std::string{} : " " + std::string{kind.value_name};
        CAPTURE(kind.key);
        CHECK(text.find("--" + std::string{kind.key} + value + " ") != std::string::npos);
    }
}

TEST_CASE("cli a command line that makes no sense is refused with a way to help") {
    const auto words = GENERATE(values<std::vector<const char*>>({
        {"--listen"},
        {"--listen="},
        {"--listen", "127.0.0.1:1", "--listen", "127.0.0.1:2"},
        {"--plaintext=yes"},
        {"--lis", "127.0.0.1:1"}, // Abbreviations are not guessed.
        {"almenara"},
        {"--id", "1", "extra"},
    }));
    const error failure = failure_of(parsed(words));
    CAPTURE(failure.message());
    CHECK(failure.code == errc::invalid);
    CHECK((says(failure, "See 'almenarad --help'") || says(failure, "Did you mean")));
}

TEST_CASE("cli an unknown key in a file is an error with its line and the nearest known key") {
    const auto [text, place, hint] = GENERATE(table<std::string, std::string, std::string>({
        {"lisen = 1", ":1: unknown key 'lisen'", "Did you mean 'listen'?"},
        {"\n# c\nmax_clients = 1", ":3: unknown key 'max_clients'", "Did you mean 'max-clients'?"},
        {"[server]\nlisten = 1", ":2: unknown key 'server.listen'", "Did you mean"},
        {"colour = red", ":1: unknown key 'colour'", "See 'almenarad --help' for the keys"},
    }));
    CAPTURE(text);
    const error failure = config_failure(text);
    CAPTURE(failure.message());
    CHECK(failure.code == errc::invalid);
    CHECK(says(failure, place));
    if (text.find("server") == std::string::npos) {
        CHECK(says(failure, hint));
    }
}

TEST_CASE("cli a key that stands twice in a file is refused with the second one's line") {
    const error failure = config_failure("id = 1\nlisten = [::1]:1\nid = 1\n");
    CHECK(says(failure, ":3: 'id' stands there twice. Remove one"));
}

TEST_CASE("cli a file that is no configuration is refused with the line") {
    CHECK(says(config_failure("id = 1\nwhat is this\n"), "line 2"));
    CHECK(says(config_failure(std::string(1024 * 1024 + 1, '#')), "longer than"));
}

TEST_CASE("cli a configuration file that is not there is an error") {
    command_line given;
    given.config_file = "/nowhere/almenarad.conf";
    const error failure = failure_of(settings::gather(given, find_no_variable));
    CHECK(failure.code == errc::not_found);
    CHECK(says(failure, "there is no file '/nowhere/almenarad.conf'. Give the path of one, or"));
    // A directory is not a file.
    given.config_file = "/";
    CHECK(says(failure_of(settings::gather(given, find_no_variable)),
               "reading '/': Is a directory. Give a file"));
}

TEST_CASE("cli good settings are understood") {
    const configuration wanted = value_of(understood(
        {"--data-dir", "/data", "--listen", "127.0.0.1:0", "--id", "65535", "--max-clients", "10",
         "--log-level", "debug", "--log-file", "/tmp/a.log", "--log-file-size", "64KiB"}));
    CHECK(wanted.daemon.data_dir == "/data");
    CHECK(wanted.daemon.listen == net::host_port{"127.0.0.1", 0});
    CHECK(wanted.daemon.id == server_id{65535});
    CHECK(wanted.daemon.max_clients == std::size_t{10});
    CHECK(wanted.log.lowest == log::level::debug);
    REQUIRE(wanted.log.file);
    CHECK(wanted.log.file->path == "/tmp/a.log");
    CHECK(wanted.log.file->rotate_at == 64U * 1024);
}

TEST_CASE("cli the defaults are understood") {
    const configuration wanted = value_of(understood({}));
    CHECK(wanted.daemon.data_dir == "/var/lib/almenara");
    CHECK_FALSE(wanted.daemon.id);
    CHECK_FALSE(wanted.daemon.max_clients);
    CHECK(wanted.log.lowest == log::level::info);
    CHECK_FALSE(wanted.log.file);
}

TEST_CASE("cli each bad value is refused with its setting, its origin and what is wrong") {
    const auto [key, value, what] = GENERATE(table<std::string, std::string, std::string>({
        {"listen", "nonsense:port", "is not HOST:PORT"},
        {"listen", "127.0.0.1:65536", "from 0 to 65535"},
        {"listen", "[::1", "the ']' is missing"},
        {"listen", "192.0.2.1:7400", "not a loopback address"},
        {"listen", "0.0.0.0:7400", "not a loopback address"},
        {"listen", "[::]:7400", "not a loopback address"},
        {"listen", "a..b:1", "Write an address, or a name that this machine can look up"},
        {"id", "0", "from 1 to 65535"},
        {"id", "65536", "from 1 to 65535"},
        {"id", "one", "from 1 to 65535"},
        {"id", "-1", "from 1 to 65535"},
        {"max-clients", "0", "neither 'auto' nor a whole number from 1 to 1000000"},
        {"max-clients", "1000001", "neither 'auto' nor"},
        {"max-clients", "AUTO", "neither 'auto' nor"},
        {"max-clients", "10 clients", "neither 'auto' nor"},
        {"log-level", "loud", "use debug, info, notice, warning or error"},
        {"log-file-size", "8 MB", "is not a size"},
        {"log-file-size", "64KB", "is not a size"},
        {"log-file-size", "1", "at least 64KiB"},
        {"log-file-size", "65535", "at least 64KiB"},
    }));
    CAPTURE(key, value);
    const std::string option = "--" + key;
    const error failure =
        failure_of(understood({option.c_str(), value.c_str(), "--log-file", "/tmp/a.log"}));
    CAPTURE(failure.message());
    CHECK(says(failure, key + " (command line): "));
    CHECK(says(failure, what));
}

TEST_CASE("cli a log file that would be a file of the data directory is refused") {
    const temporary_directory place;
    const std::string name = GENERATE("identity", "identity.new", "almenara.lock", "admin.sock");
    const std::string file = place / ("./data/../data/" + name);
    const error failure =
        failure_of(understood({"-d", (place / "data").c_str(), "--log-file", file.c_str()}));
    CHECK(says(failure, "log-file (command line): '" + file +
                            "' is a file of the data directory itself. Choose another name"));
    CHECK(understood({"-d", (place / "other").c_str(), "--log-file", file.c_str()}).has_value());
}

TEST_CASE("on-primary-change: what cannot be run is refused before it is needed") {
    const temporary_directory place;
    const std::string script = place / "script";
    const auto tried = [&script] { return understood({"--on-primary-change", script.c_str()}); };
    const std::string setting = "on-primary-change (command line): '" + script + "' cannot be run";

    CHECK(says(failure_of(tried()), setting + ": No such file or directory. Give the path of"));
    write_file(script, "#!/bin/sh\n");
    CHECK(says(failure_of(tried()), setting + ": Permission denied. Say 'chmod +x " + script));
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    CHECK(value_of(tried()).daemon.on_primary_change == script);
    CHECK(says(failure_of(understood({"--on-primary-change", place.path().c_str()})),
               "It is not a file"));
    // A reload looks at no file: it goes on with what it has if the script is away for a moment.
    CHECK(understand(gathered({"--plaintext", "--on-primary-change", "/nowhere"})).has_value());
}

TEST_CASE("cli settings are understood without a look at the network") {
    // A reload asks for no address: a name server that is slow would stop everybody.
    CHECK(understand(gathered({"--plaintext", "--listen", "no-such-host.invalid:1"})).has_value());
    CHECK_FALSE(understood({"--listen", "no-such-host.invalid:1"}).has_value());
}

TEST_CASE("cli an empty value is refused, wherever it comes from") {
    const auto [variable, what] = GENERATE(table<std::string, std::string>({
        {"ALMENARA_DATA_DIR", "data-dir (environment ALMENARA_DATA_DIR): a value is missing"},
        {"ALMENARA_LOG_FILE", "log-file (environment ALMENARA_LOG_FILE): a value is missing"},
        {"ALMENARA_LISTEN", "listen (environment ALMENARA_LISTEN): '' is not HOST:PORT"},
        {"ALMENARA_PLAINTEXT", "plaintext (environment ALMENARA_PLAINTEXT): '' is neither"},
        {"ALMENARA_ID", "id (environment ALMENARA_ID): ''"},
    }));
    test_environment() = {{variable, ""}};
    CHECK(says(failure_of(understand(gathered({}, find_variable))), what));
}

TEST_CASE("F without TLS nothing is served unless somebody says so") {
    const error failure = failure_of(understand(gathered({})));
    CHECK(failure.code == errc::unsupported);
    CHECK(says(failure, "--plaintext"));
}

TEST_CASE("cli a switch in a file or in the environment can be on and off") {
    const auto [value, is_on] = GENERATE(table<std::string, bool>({
        {"true", true},
        {"yes", true},
        {"on", true},
        {"1", true},
        {"false", false},
        {"no", false},
        {"off", false},
        {"0", false},
    }));
    test_environment() = {{"ALMENARA_PLAINTEXT", value}};
    CHECK(understand(gathered({}, find_variable)).has_value() == is_on);
}

TEST_CASE("cli a switch that is neither on nor off is refused") {
    test_environment() = {{"ALMENARA_PLAINTEXT", "maybe"}};
    const error failure = failure_of(understand(gathered({}, find_variable)));
    CHECK(says(failure, "'maybe' is neither true nor false"));
}

TEST_CASE("cli a stray word is named, with what to do") {
    const auto words = GENERATE(values<std::vector<const char*>>({
        {"stray"},
        {"--id", "1", "stray", "more"},
        {"--plaintext", "stray"},
        {"--", "stray"},
    }));
    CHECK(failure_of(parsed(words)).message() ==
          "unexpected word 'stray': options begin with '--'. See 'almenarad --help'");
    CHECK(says(failure_of(parsed({"\x1b[2J"})), R"(unexpected word '\x1b[2J')"));
}

TEST_CASE("cli --print-config says every setting, its value and where it comes from") {
    const config_file file{"max-clients = 5\n"};
    test_environment() = {{"ALMENARA_LOG_LEVEL", "debug"}};
    const std::string text =
        gathered({"--id", "7", "-c", file.path().c_str()}, find_variable).to_text();
    CHECK(text == "# from the default\n"
                  "data-dir = /var/lib/almenara\n"
                  "# from the default\n"
                  "listen = 127.0.0.1:7400\n"
                  "# advertise is not set\n"
                  "# from the command line\n"
                  "id = 7\n"
                  "# primary is not set\n"
                  "# peers is not set\n"
                  "# secret-file is not set\n"
                  "# wait is not set\n"
                  "# go-after is not set\n"
                  "# from the default\n"
                  "priority = 0\n"
                  "# from the default\n"
                  "confirm = sync-set\n"
                  "# from the default\n"
                  "auth = trust\n"
                  "# from the default\n"
                  "wal-segment = 64MiB\n"
                  "# from the default\n"
                  "wal-keep = 256MiB\n"
                  "# from the default\n"
                  "batches-in-flight = 1\n"
                  "# from " +
                      file.path() +
                      ":1\n"
                      "max-clients = 5\n"
                      "# on-primary-change is not set\n"
                      "# plaintext is not set\n"
                      "# from the environment ALMENARA_LOG_LEVEL\n"
                      "log-level = debug\n"
                      "# log-file is not set\n"
                      "# from the default\n"
                      "log-file-size = 8MiB\n");
}

TEST_CASE("cli what --print-config prints is a configuration file with the same settings") {
    test_environment() = {{"ALMENARA_LOG_LEVEL", "debug"}};
    const settings all = gathered({"--plaintext", "--id", "7", "-d", "/a # b; [c] = d\\e",
                                   "--log-file", "#Müller=", "--listen", "[::1]:0"},
                                  find_variable);
    const config_file printed{all.to_text()};
    const settings again = gathered({"-c", printed.path().c_str()});
    for (const setting_kind& kind : setting_kinds()) {
        CAPTURE(kind.key);
        const setting* const before = all.find(kind.key);
        const setting* const after = again.find(kind.key);
        REQUIRE((before == nullptr) == (after == nullptr));
        CHECK((before == nullptr || before->value == after->value));
    }
}

TEST_CASE("cli --print-config comments out a value that no file can hold") {
    const auto [value, shown] = GENERATE(table<std::string, std::string>({
        {"a\nid = 9\x1b[2J", R"('a\nid = 9\x1b[2J')"},
        {" a", "' a'"},
        {"a ", "'a '"},
        {"\xff", R"('\xff')"},
    }));
    test_environment() = {{"ALMENARA_LOG_FILE", value}};
    const std::string text = gathered({}, find_variable).to_text();
    CAPTURE(text);
    CHECK(text.find("# from the environment ALMENARA_LOG_FILE; no file can hold this value:\n"
                    "# log-file = " +
                    shown + "\n") != std::string::npos);
    const config_file printed{text};
    CHECK(gathered({"-c", printed.path().c_str()}).find("log-file") == nullptr);
}

TEST_CASE("cli the help begins with an example and names every setting and its default") {
    const std::string text = help_text();
    CHECK(text.find("Example: almenarad ") == 0);
    for (const setting_kind& kind : setting_kinds()) {
        CAPTURE(kind.key);
        CHECK(text.find("--" + std::string{kind.key}) != std::string::npos);
        CHECK(text.find(std::string{kind.help}) != std::string::npos);
        CHECK(text.find(std::string{kind.fallback}) != std::string::npos);
    }
    for (const std::string_view option :
         {"--config FILE", "--check-config", "--print-config", "--help", "--version"}) {
        CHECK(text.find(option) != std::string::npos);
    }
}

TEST_CASE("cli the example in the help is a command line that works") {
    const std::string text = help_text();
    CHECK(text.find("almenarad --plaintext --primary -d /var/lib/almenara\n") != std::string::npos);
    CHECK(
        understand(gathered({"--plaintext", "--primary", "-d", "/var/lib/almenara"})).has_value());
}

} // namespace almenara::almenarad
