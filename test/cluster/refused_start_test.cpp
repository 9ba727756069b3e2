#include "cluster/cluster.hpp"
#include "cluster/server_process.hpp"

#include <catch2/catch_all.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

using namespace almenara;
using namespace almenara::test;

namespace {

constexpr exit_status failed{.code = 1};
constexpr exit_status wrong_usage{.code = 2};

/// It says this one line, and nothing that looks like a server that runs.
void check_refusal(const finished& ended, const exit_status& status, const std::string& line) {
    CHECK(ended.status == status);
    CHECK(ended.err == "almenarad: " + line + "\n");
    CHECK(ended.out.empty());
}

/// The names in a directory, and when it and they were changed.
std::string state_of(const std::string& directory) {
    std::string all;
    const auto add = [&all](const std::string& path) {
        struct stat facts{};
        REQUIRE(::lstat(path.c_str(), &facts) == 0);
        all += path + " " + std::to_string(facts.st_mtim.tv_sec) + "." +
               std::to_string(facts.st_mtim.tv_nsec) + "\n";
    };
    add(directory);
    for (const auto& entry : std::filesystem::directory_iterator{directory}) {
        add(entry.path().string());
    }
    return all;
}

} // namespace

TEST_CASE("an option that nobody knows is refused, and the nearest one is named") {
    temporary_directory home;
    check_refusal(run(almenarad(home / "data", {"--lisen", "127.0.0.1:0"})), wrong_usage,
                  "unknown option '--lisen'. Did you mean '--listen'?");
    check_refusal(run(almenarad(home / "data", {"--frobnicate"})), wrong_usage,
                  "unknown option '--frobnicate'. See 'almenarad --help'.");
    CHECK_FALSE(std::filesystem::exists(home / "data"));
}

TEST_CASE("a key that nobody knows is refused with its line, and the nearest one is named") {
    temporary_directory home;
    const std::string file = home / "conf";
    write_file(file, "# limits\nmax-clients = 5\n\nlog-levle = info\n");
    check_refusal(run(almenarad(home / "data", {"--config", file})), wrong_usage,
                  file + ":4: unknown key 'log-levle'. Did you mean 'log-level'?");
    write_file(file, "max-clients 5\n");
    check_refusal(run(almenarad(home / "data", {"--config", file})), wrong_usage,
                  file + ": line 1: 'max-clients 5' is not 'key = value'.");
    check_refusal(run(almenarad(home / "data", {"--config", home / "none"})), wrong_usage,
                  "reading the configuration: there is no file '" + home / "none" +
                      "'. Give the path of one, or leave out --config.");
    check_refusal(run(almenarad(home / "data", {"--config", home.path()})), wrong_usage,
                  "reading the configuration: reading '" + home.path() +
                      "': Is a directory. Give a file.");
    check_refusal(run(almenarad(home / "data", {"start"})), wrong_usage,
                  "unexpected word 'start': options begin with '--'. See 'almenarad --help'.");
    CHECK_FALSE(std::filesystem::exists(home / "data"));
}

TEST_CASE("what would steer a terminal is shown and not done in a refusal") {
    temporary_directory home;
    program limit = almenarad(home / "data", {"--check-config"});
    limit.environment["ALMENARA_MAX_CLIENTS"] = "\x1b[31m";
    check_refusal(run(limit), wrong_usage,
                  "max-clients (environment ALMENARA_MAX_CLIENTS): '\\x1b[31m' is neither 'auto' "
                  "nor a whole number from 1 to 1000000.");
    check_refusal(run(almenarad(home / "data", {"--log-level", "\xff"})), wrong_usage,
                  "log-level (command line): '\\xff' is not a log level: use debug, info, notice, "
                  "warning or error.");
    const finished file = run(almenarad(home / "data", {"--log-file", home / "\x1b[31m/x"}));
    CAPTURE(file.err);
    CHECK(file.status == failed);
    CHECK(file.err.starts_with("almenarad: opening the log file '" + home / "\\x1b[31m/x'"));
}

TEST_CASE("an address beyond this machine is refused while there is no TLS") {
    temporary_directory home;
    const finished everywhere = run(almenarad(home / "data", {"--listen", "0.0.0.0:0"}));
    CHECK(everywhere.status == wrong_usage);
    CHECK(everywhere.err.find("0.0.0.0") != std::string::npos);
    CHECK(everywhere.err.find("loopback") != std::string::npos);

    check_refusal(run({.words = {ALMENARA_DAEMON, "--data-dir", home / "data"}}), wrong_usage,
                  "cannot serve with TLS: this version has none. Add --plaintext; it listens on "
                  "loopback addresses only.");
}

TEST_CASE("B.12.3 what is wrong with a list of servers leaves nothing behind") {
    temporary_directory home;
    write_secret(home / "secret", 'a');
    using words = std::vector<std::string>;
    auto [given, has_secret, what] = GENERATE(table<words, bool, std::string>({
        {{"--peers", "1=127.0.0.1:7401,2=10.0.0.1:7402", "--id", "1"}, true, "not a loopback"},
        {{"--peers", "1=127.0.0.1:7401", "--id", "1", "-a", "10.1.1.1:1"}, true, "advertise"},
        {{"--peers", "1=127.0.0.1:7401,2=127.0.0.1:0", "--id", "1"}, true, "port 0"},
        {{"--peers", "1=127.0.0.1:7401,2=127.0.0.1:7402", "--id", "1"}, false, "--make-secret"},
        {{"--peers", "1=127.0.0.1:7401", "--id", "4"}, true, "this is server 4"},
        {{"--peers", "1=127.0.0.1:7401"}, true, "Add --id"},
    }));
    if (has_secret) {
        given.insert(given.end(), {"--secret-file", home / "secret"});
    }
    CAPTURE(given);
    const finished ended = run(almenarad(home / "data", given));
    CAPTURE(ended.err);
    CHECK(ended.status == wrong_usage);
    CHECK(ended.err.find(what) != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(home / "data"));
}

TEST_CASE("a port in use is refused, and whoever uses it goes on") {
    server_process first;
    temporary_directory home;
    check_refusal(run(almenarad(home / "data", {"--listen", first.address()})), failed,
                  "listening on " + first.address() +
                      ": the address is in use. Stop the other program, or choose another port "
                      "with --listen.");
    CHECK(first.stop() == good_exit);
}

TEST_CASE("a data directory belongs to one process at a time") {
    server_process first;
    check_refusal(run(almenarad(first.data_dir(), {})), failed,
                  "'" + first.data_dir() + "' is in use by process " +
                      std::to_string(first.child().pid()) +
                      ". Stop it, or give another directory.");
    CHECK(std::filesystem::exists(first.admin_socket()));
    CHECK(first.stop() == good_exit);
}

TEST_CASE("a data directory of another server is refused") {
    temporary_directory home;
    {
        server_process second{{.arguments = {"--id", "2"}, .data_dir = home / "data"}};
        CHECK(second.stop() == good_exit);
    }
    const std::string before = state_of(home / "data");
    check_refusal(run(almenarad(home / "data", {"--id", "3"})), failed,
                  "'" + home / "data" +
                      "' belongs to server 2, not to server 3. Give the id it has, or another "
                      "directory.");
    CHECK(state_of(home / "data") == before);
}

TEST_CASE("a limit of file sizes is a failure with its reason, and not a death") {
    const temporary_directory home;
    const auto limited = [&home](const std::vector<std::string>& words) {
        program what = almenarad(home / "data", {});
        if (!words.empty()) {
            what.words.resize(1);
            what.words.insert(what.words.end(), words.begin(), words.end());
        }
        what.words.insert(what.words.begin(),
                          {"/bin/bash", "-c", "ulimit -f 0; exec \"$0\" \"$@\""});
        return run(what);
    };
    for (const finished& ended : {limited({}), limited({"--make-secret", home / "secret"})}) {
        CAPTURE(ended.err);
        CHECK(ended.status == failed);
        CHECK(ended.err.find("File too large") != std::string::npos);
    }
    CHECK_FALSE(std::filesystem::exists(home / "secret"));
}

TEST_CASE("F: what is no file is no secret, and its mode is left alone") {
    const temporary_directory home;
    check_refusal(run(almenarad(home / "data", {"--secret-file", home.path()})), wrong_usage,
                  "secret-file (command line): '" + home.path() +
                      "' is no file with a secret. Make one with 'almenarad --make-secret FILE'.");
}

TEST_CASE("a directory with other people's files is refused and not touched") {
    temporary_directory home;
    std::filesystem::create_directory(home / "photos");
    write_file(home / "photos/beach.jpg", "not ours");
    const std::string before = state_of(home / "photos");
    check_refusal(run(almenarad(home / "photos", {})), failed,
                  "'" + home / "photos" +
                      "' is not a data directory of Almenara: it holds 'beach.jpg' but no "
                      "'identity'. Give an empty or a new directory.");
    CHECK(state_of(home / "photos") == before);

    write_file(home / "file", "");
    check_refusal(run(almenarad(home / "file", {})), failed,
                  "'" + home / "file" + "' is a file. Give a directory for the data.");
}

TEST_CASE("a damaged data directory is refused and not repaired by guessing") {
    temporary_directory home;
    std::filesystem::create_directory(home / "data");
    write_file(home / "data/identity", "not an identity");
    const std::string before = state_of(home / "data");
    check_refusal(run(almenarad(home / "data", {})), failed,
                  "'" + home / "data/identity" +
                      "' is damaged or was not written by Almenara. Restore it from a backup, or "
                      "give a new directory.");
    CHECK(state_of(home / "data") == before);
}

TEST_CASE("a data directory that cannot be read is refused") {
    temporary_directory home;
    std::filesystem::create_directory(home / "data");
    program attempt = almenarad(home / "data", {});
    attempt.user = somebody_else();
    if (attempt.user) {
        std::filesystem::permissions(home.path(), std::filesystem::perms{0755});
        std::filesystem::permissions(home / "data", std::filesystem::perms{0700});
    } else {
        std::filesystem::permissions(home / "data", std::filesystem::perms{0});
    }
    const finished ended = run(attempt);
    std::filesystem::permissions(home / "data", std::filesystem::perms{0700});
    CHECK(ended.status == failed);
    CHECK(ended.err.find(home / "data") != std::string::npos);
    CHECK(ended.err.find("Permission denied. Give a path or port that this user may use, or run "
                         "it as another user.\n") != std::string::npos);
    CHECK(std::filesystem::is_empty(home / "data"));
}

TEST_CASE("a log file that cannot be written is refused") {
    temporary_directory home;
    check_refusal(run(almenarad(home / "data", {"--log-file", home / "missing/almenarad.log"})),
                  failed,
                  "opening the log file '" + home / "missing/almenarad.log" +
                      "': No such file or directory. Make the directory it should lie in, or give "
                      "another path.");
}

TEST_CASE("a pipe instead of a file is refused and keeps nobody waiting") {
    temporary_directory home;
    const std::string pipe = home / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    check_refusal(run(almenarad(home / "data", {"--config", pipe})), wrong_usage,
                  "reading the configuration: reading '" + pipe +
                      "': it is a pipe or a device. Give a regular file.");
    check_refusal(run(almenarad(home / "data", {"--log-file", pipe})), failed,
                  "opening the log file '" + pipe +
                      "': it is a pipe or a device. Give a regular file, or the path of a new "
                      "one.");
}

TEST_CASE("a link to nowhere is no data directory") {
    temporary_directory home;
    std::filesystem::create_symlink(home / "nowhere", home / "data");
    const std::vector<std::vector<std::string>> ways{{}, {"--check-config"}};
    for (const auto& way : ways) {
        check_refusal(run(almenarad(home / "data", way)), failed,
                      "'" + home / "data" +
                          "' is a link to a place that is not there. Make the directory it points "
                          "to, or give another path.");
    }
}

TEST_CASE("what cannot be printed is a failure") {
    const std::string word =
        GENERATE("--help", "--version", "--print-config", "--check-config", "--id=1");
    CAPTURE(word);
    temporary_directory home;
    const finished ended =
        run({.words = {"/bin/sh", "-c", "exec \"$@\" > /dev/full", "sh", ALMENARA_DAEMON,
                       "--plaintext", "--listen", "127.0.0.1:0", "-d", home / "data", word}});
    CHECK(ended.status == failed);
    CHECK(ended.err.find("almenarad: writing to stdout: No space left on device. ") !=
          std::string::npos);
}

TEST_CASE("a data directory whose parent is missing is refused") {
    temporary_directory home;
    check_refusal(run(almenarad(home / "a/b", {})), failed,
                  "creating the data directory '" + home / "a/b" +
                      "': No such file or directory. Make the directory above it first, or give "
                      "another path.");
}

TEST_CASE("a check of the configuration says what a start would say, and makes nothing") {
    temporary_directory home;
    const finished good = run(almenarad(home / "data", {"--check-config"}));
    CHECK(good.status == good_exit);
    CHECK_FALSE(std::filesystem::exists(home / "data"));

    std::filesystem::create_directory(home / "photos");
    write_file(home / "photos/beach.jpg", "not ours");
    const finished bad = run(almenarad(home / "photos", {"--check-config"}));
    CHECK(bad.status == failed);
    CHECK(bad.err.find("it holds 'beach.jpg'") != std::string::npos);
}
