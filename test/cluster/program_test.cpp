#include "cluster/client_program.hpp"
#include "cluster/good_client.hpp"
#include "cluster/raw_client.hpp"
#include "cluster/server_process.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using namespace almenara;
using namespace almenara::test;

namespace json = boost::json;

namespace {

std::string quoted(const std::string& text) {
    return '"' + text + '"';
}

} // namespace

TEST_CASE("almenara ping finds the server, in words and in JSON") {
    server_process server{{.arguments = {"--id", "4"}}};
    const finished words = almenara_says({"-s", server.address(), "ping"});
    CHECK(words.status == good_exit);
    CHECK(words.out.find("server 4 (boot, epoch 0) at " + server.address()) == 0);
    CHECK(words.err.empty());

    const json::object pong = parsed(almenara_says({"-s", server.address(), "--json", "ping"}));
    CHECK(member(pong, "server") == "4");
    CHECK(member(pong, "role") == R"("boot")");
    CHECK(member(pong, "address") == quoted(server.address()));
}

TEST_CASE("almenara status shows what the server knows, over TCP and over admin.sock") {
    server_process server{{.arguments = {"--id", "4", "--max-clients", "7"}}};
    client_inside somebody{server.address()};
    const std::vector<std::string> ways{server.address(), "unix:" + server.admin_socket()};
    for (const std::string& way : ways) {
        CAPTURE(way);
        const json::object status = parsed(almenara_says({"-s", way, "--json", "status"}));
        CHECK(member(status, "cluster") == "null");
        CHECK(member(status, "epoch") == "0");
        CHECK(member(status, "primary") == "null");
        CHECK(member(status, "quorum") == "false");
        REQUIRE(status.at("servers").as_array().size() == 1);
        const json::object& self = status.at("servers").as_array().at(0).as_object();
        CHECK(member(self, "id") == "4");
        CHECK(member(self, "address") == quoted(server.address()));
        CHECK(member(self, "role") == R"("boot")");
        CHECK(member(self, "version") == quoted(ALMENARA_VERSION));
        CHECK(member(self, "state") == "null");
    }
    const finished words = almenara_says({"-s", server.address(), "status"});
    CHECK(words.status == good_exit);
    CHECK(words.out.find(server.address()) != std::string::npos);
}

TEST_CASE("almenara ping leaves with 5 when the server is full, and says when to come back (S28)") {
    server_process server{{.arguments = {"--max-clients", "1"}}};
    client_inside only{server.address()};
    const finished refused = almenara_says({"-s", server.address(), "ping"});
    CHECK(refused.status == exit_status{.code = 5});
    CHECK(refused.out.empty());
    CHECK(refused.err.find("the server is full: 1 clients are connected") != std::string::npos);
    CHECK(refused.err.find("Try again in ") != std::string::npos);

    const finished for_scripts = almenara_says({"-s", server.address(), "--json", "ping"});
    CHECK(for_scripts.status == exit_status{.code = 5});
    const json::object error = json::parse(for_scripts.out).at("error").as_object();
    CHECK(member(error, "code") == R"("unavailable")");
    CHECK(error.at("retry_after_ms").to_number<int>() >= 2000);
    only.check_answers();
}

TEST_CASE("almenara ping leaves with 5 when nobody listens") {
    std::string address;
    {
        server_process server;
        address = server.address();
        CHECK(server.stop() == good_exit);
    }
    const finished nobody = almenara_says({"-s", address, "ping"});
    CHECK(nobody.status == exit_status{.code = 5});
    CHECK(nobody.out.empty());
    CHECK(nobody.err.find(address) != std::string::npos);
    CHECK(nobody.err.find("Start a server there") != std::string::npos);
}

TEST_CASE("almenara ping gives up on a server that stands still") {
    server_process server;
    server.freeze();
    const finished late = almenara_says({"-s", server.address(), "--timeout", "300ms", "ping"});
    CHECK(late.status == exit_status{.code = 5});
    CHECK(late.err.find("--timeout (it was 300ms)") != std::string::npos);
    server.thaw();
    static_cast<void>(parsed(almenara_says({"-s", server.address(), "--json", "ping"})));
}

TEST_CASE("admin.sock lets no other user in, whatever its permissions became") {
    const auto user = somebody_else();
    if (!user) {
        WARN("skipped: only root can try to be another user");
        return;
    }
    temporary_directory home;
    server_process server{{.data_dir = home / "data"}};
    const std::vector<std::string> question{"-s", "unix:" + server.admin_socket(), "status"};
    const auto open_to_all = [](const std::string& path) {
        std::filesystem::permissions(path, std::filesystem::perms::all);
    };
    open_to_all(home.path());
    open_to_all(home / "data");

    // The file's own permissions keep others out.
    const finished refused = almenara_says(question, user);
    CHECK(refused.status != good_exit);
    CHECK(refused.err.find("Permission denied") != std::string::npos);
    CHECK(refused.err.find("Run it as the user of the server or as root.") != std::string::npos);

    // Should somebody change them, the server still looks who asks.
    open_to_all(server.admin_socket());
    const finished shown_out = almenara_says(question, user);
    CHECK(shown_out.status != good_exit);
    CHECK(shown_out.out.empty());
    server.wait_for_log("admin.sock: user " + std::to_string(*user) +
                        " is neither root nor the user of this service");
    CHECK(almenara_says(question).status == good_exit);
}

TEST_CASE("a server of another user answers that user's questions at admin.sock, and root's") {
    const auto user = somebody_else();
    if (!user) {
        WARN("skipped: only root can start a server as another user");
        return;
    }
    temporary_directory home;
    std::filesystem::permissions(home.path(), std::filesystem::perms::all);
    server_process server{{.data_dir = home / "data", .user = user}};
    const std::vector<std::string> question{"-s", "unix:" + server.admin_socket(), "status"};
    CHECK(almenara_says(question, user).status == good_exit);
    CHECK(almenara_says(question).status == good_exit);
}
