#include "cluster/good_client.hpp"
#include "cluster/server_process.hpp"

#include <catch2/catch_all.hpp>

#include <csignal>
#include <memory>
#include <vector>

using namespace almenara;
using namespace almenara::test;
using namespace std::chrono_literals;
using client::failure_kind;

namespace {

bool gets_in(const server_process& server) {
    return good_client{server.address()}.enter().has_value();
}

/// Asks to come in, and is refused because the server is full.
client::failure refusal(const server_process& server) {
    good_client client{server.address()};
    client::failure why = failure_of(client.enter());
    CHECK(why.kind == failure_kind::rejected);
    CHECK(why.reject == wire::reject_code::full);
    return why;
}

using clients = std::vector<std::unique_ptr<good_client>>;

bool takes_one_more(const server_process& server, clients& inside) {
    auto next = std::make_unique<good_client>(server.address());
    const bool entered = next->enter().has_value();
    if (entered) {
        inside.push_back(std::move(next));
    }
    return entered;
}

void check_all_answer(const clients& all) {
    for (const auto& client : all) {
        static_cast<void>(value_of(client->ping()));
    }
}

} // namespace

TEST_CASE("a full server refuses politely and drops nobody (S28)") {
    server_process server{{.arguments = {"--max-clients", "2"}}};
    clients inside;
    inside.push_back(std::make_unique<client_inside>(server.address()));
    inside.push_back(std::make_unique<client_inside>(server.address()));

    for (int attempt = 0; attempt < 3; ++attempt) {
        const client::failure why = refusal(server);
        CHECK(why.retry_after >= 2s);
        CHECK(why.retry_after <= 5s);
        CHECK(why.why.find("full: 2 clients are connected") != std::string::npos);
        CHECK(why.why.find("--max-clients allows no more") != std::string::npos);
    }
    check_all_answer(inside);

    // Whoever has to look into a full server gets in.
    client_inside administrator{"unix:" + server.admin_socket()};
    CHECK(value_of(administrator.status()).clients == 2);

    inside.back()->leave();
    inside.pop_back();
    eventually([&] { return gets_in(server); }, "a place is free again");
    check_all_answer(inside);
}

TEST_CASE("a lower limit after a reload drops nobody (S28)") {
    temporary_directory home;
    write_file(home / "conf", "max-clients = 3\n");
    server_process server{{.arguments = {"--config", home / "conf"}}};
    clients inside;
    for (int count = 0; count < 3; ++count) {
        inside.push_back(std::make_unique<client_inside>(server.address()));
    }

    write_file(home / "conf", "max-clients = 1\n");
    server.child().send(SIGHUP);
    server.wait_for_log("SIGHUP: configuration read again");

    CHECK(value_of(inside.front()->status()).max_clients == 1);
    check_all_answer(inside);
    static_cast<void>(refusal(server));
    check_all_answer(inside);

    inside.resize(1);
    eventually([&] { return value_of(inside.front()->status()).clients == 1; }, "two are gone");
    static_cast<void>(refusal(server));
    check_all_answer(inside);

    inside.clear();
    eventually([&] { return gets_in(server); }, "the last place is free again");
}

TEST_CASE("max-clients auto follows the descriptors that the server may open (S28)") {
    // 384 are kept for other uses, and a quarter for those at the door.
    constexpr std::size_t descriptors = 544;
    constexpr std::size_t room = descriptors - 384 - descriptors / 4;
    server_process server{{.descriptors = descriptors}};
    clients inside;
    while (inside.size() < room) {
        CAPTURE(inside.size());
        // A machine that is busy with something else makes the server careful for a while.
        eventually([&] { return takes_one_more(server, inside); }, "there is room for one more");
    }
    eventually(
        [&] { return refusal(server).why.find("descriptors allows no more") != std::string::npos; },
        "descriptors bound the number of clients");
    check_all_answer(inside);
}

TEST_CASE("a reload takes over what it can, names what it cannot, and refuses a bad file") {
    temporary_directory home;
    write_file(home / "conf", "max-clients = 5\nlog-level = warning\n");
    server_process server{{.arguments = {"--config", home / "conf"}}};
    client_inside client{server.address()};

    server.child().send(SIGUSR1);
    client.check_answers();
    client.check_answers();
    CHECK(server.log().empty());

    write_file(home / "conf", "max-clients = 6\nlog-level = info\nlog-file-size = 16MiB\n");
    server.child().send(SIGHUP);
    server.wait_for_log("SIGHUP: configuration read again");
    CHECK(server.times_logged("SIGHUP: log-file-size stays '8MiB' until a restart") == 1);
    CHECK(value_of(client.status()).max_clients == 6);

    write_file(home / "conf", "max-clients = 7\nlog-level = loud\n");
    server.child().send(SIGHUP);
    server.wait_for_log("SIGHUP: nothing is changed: log-level (" + home / "conf" + ":2): 'loud'");
    CHECK(value_of(client.status()).max_clients == 6);

    write_file(home / "conf", "max-clint = 7\n");
    server.child().send(SIGHUP);
    server.wait_for_log("SIGHUP: nothing is changed: " + home / "conf" +
                        ":1: unknown key 'max-clint'. Did you mean 'max-clients'?");
    CHECK(value_of(client.status()).max_clients == 6);
}

TEST_CASE("SIGUSR1 writes the state to the log") {
    server_process server{{.arguments = {"--max-clients", "9"}}};
    client_inside one{server.address()};
    client_inside two{server.address()};
    server.child().send(SIGUSR1);
    server.wait_for_log("state: server 1, boot, at " + server.address() +
                        "; 2 clients inside, 2 connections, room for 9 (by --max-clients)");
}
