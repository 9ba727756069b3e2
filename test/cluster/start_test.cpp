#include "cluster/good_client.hpp"
#include "cluster/server_process.hpp"
#include "support/printing.hpp"

#include <catch2/catch_all.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>

using namespace almenara;
using namespace almenara::test;

namespace {

/// Whether SIGHUP is blocked or handled there.
bool holds_signals(pid_t process) {
    constexpr unsigned long long hangup = 1ULL << (SIGHUP - 1U);
    std::ifstream facts{"/proc/" + std::to_string(process) + "/status"};
    for (std::string line; std::getline(facts, line);) {
        const bool says_how = line.starts_with("SigBlk:") || line.starts_with("SigCgt:");
        if (says_how && (std::stoull(line.substr(line.find(':') + 1), nullptr, 16) & hangup) != 0) {
            return true;
        }
    }
    return false;
}

} // namespace

TEST_CASE("almenarad prints one line when it can be reached") {
    server_process server;
    CHECK(server.start_line() == "almenarad " ALMENARA_VERSION
                                 ": server 1, no cluster yet, listening on 127.0.0.1:" +
                                     std::to_string(server.port()));
    client_inside{server.address()}.check_answers();
    CHECK(server.stop() == good_exit);
    CHECK(server.child().output() == server.start_line() + "\n");
}

TEST_CASE("a client says hello, pings, asks for the status and leaves") {
    server_process server{{.arguments = {"--id", "7", "--max-clients", "5"}}};
    good_client client{server.address()};

    const wire::welcome welcome = value_of(client.enter());
    CHECK(welcome.server == server_id{7});
    CHECK(welcome.server_version == ALMENARA_VERSION);
    CHECK(welcome.role == wire::server_role::boot);

    CHECK(value_of(client.ping()).server == server_id{7});

    const wire::status_reply status = value_of(client.status());
    CHECK(status.answered_by == server_id{7});
    CHECK(status.clients == 1);
    CHECK(status.max_clients == 5);
    REQUIRE(status.servers.size() == 1);
    CHECK(status.servers.front().address == server.address());

    client.leave();
    client_inside after{server.address()};
    CHECK(value_of(after.status()).clients == 1);
    CHECK(server.times_logged("client 1 at") == 0); // It left in good order: nothing to say.
}

TEST_CASE("the id of a server stays with its data directory") {
    temporary_directory home;
    {
        server_process first{{.arguments = {"--id", "3"}, .data_dir = home / "data"}};
        CHECK(first.stop() == good_exit);
    }
    server_process second{{.data_dir = home / "data"}};
    CHECK(second.start_line().find("server 3,") != std::string::npos);
}

TEST_CASE("admin.sock answers its owner's questions and is closed to others") {
    server_process server;
    struct stat facts{};
    REQUIRE(::stat(server.admin_socket().c_str(), &facts) == 0);
    CHECK(S_ISSOCK(facts.st_mode));
    CHECK((facts.st_mode & 0777U) == 0600U);

    client_inside administrator{"unix:" + server.admin_socket()};
    const wire::status_reply status = value_of(administrator.status());
    CHECK(status.servers.front().address == server.address());
    CHECK(status.clients == 0); // Administration stands outside the limit.
    administrator.leave();

    CHECK(server.stop() == good_exit);
    CHECK_FALSE(std::filesystem::exists(server.admin_socket()));
}

TEST_CASE("what a killed server left behind does not keep the next one from starting") {
    temporary_directory home;
    {
        server_process killed{{.data_dir = home / "data"}};
        killed.child().send(SIGKILL);
        CHECK(killed.child().wait() == exit_status{.signal = SIGKILL});
        CHECK(std::filesystem::exists(killed.admin_socket()));
    }
    server_process next{{.data_dir = home / "data"}};
    client_inside administrator{"unix:" + next.admin_socket()};
    administrator.check_answers();
    administrator.leave();
    CHECK(next.stop() == good_exit);
}

TEST_CASE("a server whose standard streams are closed writes nothing into its own files") {
    temporary_directory home;
    process server{{.words = {"/bin/sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh", ALMENARA_DAEMON,
                              "--plaintext", "--listen", "127.0.0.1:0", "-d", home / "data"}}};
    eventually([&] { return std::filesystem::exists(home / "data/admin.sock"); }, "it listens");
    const std::string descriptors = "/proc/" + std::to_string(server.pid()) + "/fd/";
    for (const std::string number : {"0", "1", "2"}) {
        CHECK(std::filesystem::read_symlink(descriptors + number) == "/dev/null");
    }
    std::ifstream lock{home / "data/almenara.lock"};
    std::string holder;
    CHECK(std::getline(lock, holder));
    CHECK(holder == std::to_string(server.pid()));
    server.send(SIGTERM);
    CHECK(server.wait() == good_exit);
}

TEST_CASE("a signal that comes while a server starts does not end it") {
    temporary_directory home;
    for (int round = 0; round < 10; ++round) {
        CAPTURE(round);
        process server{almenarad(home / "data", {})};
        // From the first instruction of its main() on; before, it is the loader's.
        eventually([&] { return holds_signals(server.pid()) || server.has_ended(); }, "it runs");
        server.send(SIGHUP);
        server.send(SIGUSR1);
        eventually(
            [&] {
                return server.errors().find("SIGHUP: configuration read again") !=
                       std::string::npos;
            },
            "the signal is taken");
        server.send(SIGTERM);
        CHECK(server.wait() == good_exit);
    }
}

TEST_CASE("the shipped configuration with everything in it switched on starts, and starts again") {
    temporary_directory home;
    std::ifstream shipped{ALMENARA_DAEMON_DIR "/almenarad.conf"};
    std::string text;
    for (std::string line; std::getline(shipped, line);) {
        // `# log-file = ...`, and not a sentence.
        const bool is_switched_off =
            line.starts_with("# log-") && line.find(" = ") != std::string::npos;
        text += (is_switched_off ? line.substr(2) : line) + "\n";
    }
    CHECK(text.find("\nlog-file = /var/lib/almenara/") != std::string::npos);
    const std::string shipped_place = "/var/lib/almenara";
    for (std::size_t at = 0; (at = text.find(shipped_place, at)) != std::string::npos;) {
        text.replace(at, shipped_place.size(), home / "data");
    }
    write_file(home / "almenarad.conf", text);
    for (const int round : {1, 2}) {
        CAPTURE(round);
        server_process server{
            {.arguments = {"--config", home / "almenarad.conf"}, .data_dir = home / "data"}};
        CHECK(server.stop() == good_exit);
        CHECK(server.times_logged("is a new data directory") == (round == 1 ? 1 : 0));
    }
    CHECK(std::filesystem::file_size(home / "data/almenarad.log") > 0);
}
