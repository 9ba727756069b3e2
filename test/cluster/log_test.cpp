#include "cluster/good_client.hpp"
#include "cluster/raw_client.hpp"
#include "cluster/server_process.hpp"
#include "support/bytes.hpp"
#include "support/lines.hpp"

#include <catch2/catch_all.hpp>

#include <csignal>
#include <regex>
#include <string>
#include <vector>

#include <sys/stat.h>

using namespace almenara;
using namespace almenara::test;

namespace {

void check_each_line(const std::string& text, const std::string& form) {
    const std::vector<std::string> lines = lines_of(text);
    CHECK(lines.size() > 1);
    for (const std::string& line : lines) {
        CAPTURE(line, form);
        CHECK(std::regex_match(line, std::regex{form}));
    }
}

/// Comes in under this name and breaks the rules, which the log tells with the name.
void misbehave_as(const server_process& server, const std::string& name) {
    raw_client client{server.port()};
    client.enter(name);
    client.send(from_hex("ffffffff"));
    static_cast<void>(client.expect<wire::bye>());
}

} // namespace

TEST_CASE("lines for the journal carry their priority and no time of their own") {
    server_process server;
    misbehave_as(server, "rude");
    server.wait_for_log("(\"rude\"): ");
    CHECK(server.stop() == good_exit);
    check_each_line(server.log(), "<[3-7]>[^<].*");
    CHECK(server.times_logged("<5>server 1 is ready at " + server.address()) == 1);
    CHECK(server.times_logged("<6>client 1 at 127.0.0.1:") == 1);
}

TEST_CASE("lines on a terminal carry the time and the level in words") {
    server_process server{{.stderr_is_terminal = true}};
    CHECK(server.stop() == good_exit);
    check_each_line(server.log(),
                    R"(\d\d:\d\d:\d\d\.\d\d\d (debug  |info   |notice |warning|error  )  .*\r)");
    CHECK(server.times_logged("notice   server 1 is ready at " + server.address()) == 1);
}

TEST_CASE("a client's name can neither forge a line of the log nor steer a terminal") {
    const bool on_terminal = GENERATE(false, true);
    CAPTURE(on_terminal);
    server_process server{{.stderr_is_terminal = on_terminal}};
    misbehave_as(server, "eve\n<0>all is lost\x1b[2J\x07");
    server.wait_for_log(R"(("eve\n<0>all is lost\x1b[2J\x07"): )");
    CHECK(server.times_logged("\n<0>") == 0);
    CHECK(server.times_logged("\x1b") == 0);
}

TEST_CASE("a client's name stays in its quotes (F)") {
    server_process server;
    misbehave_as(server, R"(x"): fine; client 7 at 10.1.1.1:1 ("y)");
    server.wait_for_log(R"(("x\"): fine; client 7 at 10.1.1.1:1 (\"y"): )");
}

TEST_CASE("a log file has the same lines, and a restart goes on in it") {
    temporary_directory home;
    const std::string file = home / "almenarad.log";
    std::size_t lines_so_far = 0;
    for (const std::size_t round : {1U, 2U}) {
        CAPTURE(round);
        server_process server{{.arguments = {"--log-file", file}, .data_dir = home / "data"}};
        misbehave_as(server, "rude\n");
        server.wait_for_log("(\"rude\\n\"): ");
        CHECK(server.stop() == good_exit);
        const std::string text = content_of(file);
        check_each_line(text, R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info   |notice )  .*)");
        lines_so_far += lines_of(server.log()).size();
        CHECK(lines_of(text).size() == lines_so_far);
    }
}

TEST_CASE("a log file that is full is rotated") {
    temporary_directory home;
    const std::string file = home / "almenarad.log";
    server_process server{{.arguments = {"--log-file", file, "--log-file-size", "64KiB"}}};
    client_inside client{server.address()};
    // Each state is a line of some 150 bytes.
    eventually(
        [&] {
            server.child().send(SIGUSR1);
            client.check_answers();
            return std::filesystem::exists(file + ".00000");
        },
        "a first full file is put aside");
    CHECK(std::filesystem::file_size(file + ".00000") <= 64 * 1024);
}

TEST_CASE("what the server makes is for its user only, whatever the umask of its caller") {
    temporary_directory home;
    const std::string file = home / "almenarad.log";
    const mode_t before = ::umask(0);
    server_process server{
        {.arguments = {"--log-file", file, "--log-file-size", "64KiB"}, .data_dir = home / "data"}};
    ::umask(before);
    client_inside client{server.address()};
    // Each state is a line of some 150 bytes.
    eventually(
        [&] {
            server.child().send(SIGUSR1);
            client.check_answers();
            return std::filesystem::exists(file + ".00000") && std::filesystem::exists(file);
        },
        "the log is rotated");
    const auto mode_of = [](const std::string& path) {
        return static_cast<unsigned>(std::filesystem::symlink_status(path).permissions());
    };
    CHECK(mode_of(home / "data") == 0700);
    for (const std::string& made : {file, file + ".00000", home / "data/identity",
                                    home / "data/almenara.lock", server.admin_socket()}) {
        CAPTURE(made);
        CHECK(mode_of(made) == 0600);
    }
}
