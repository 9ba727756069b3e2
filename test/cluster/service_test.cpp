#include "cluster/good_client.hpp"
#include "cluster/notify_socket.hpp"
#include "cluster/server_process.hpp"

#include <catch2/catch_all.hpp>

#include <csignal>
#include <memory>
#include <string>

#include <unistd.h>

using namespace almenara;
using namespace almenara::test;
using namespace std::chrono_literals;

namespace {

bool is_installed(const std::string& name) {
    return ::access(("/usr/bin/" + name).c_str(), X_OK) == 0;
}

/// The service file with the path of the program that was built.
std::string installed_service_file(const temporary_directory& home) {
    const std::string path = home / "almenarad.service";
    std::string text = content_of(ALMENARA_DAEMON_DIR "/almenarad.service");
    const std::string where = "/usr/bin/almenarad";
    const std::size_t at = text.find("ExecStart=" + where + " ");
    REQUIRE(at != std::string::npos);
    text.replace(text.find(where, at), where.size(), ALMENARA_DAEMON);
    write_file(path, text);
    return path;
}

finished analyze(std::vector<std::string> words) {
    words.insert(words.begin(), "/usr/bin/systemd-analyze");
    return run({.words = std::move(words), .environment = {{"SYSTEMD_PAGER", "cat"}}});
}

bool can_analyze() {
    if (!is_installed("systemd-analyze")) {
        WARN("skipped: systemd-analyze is not installed. apps/install-deps.sh --test brings it");
        return false;
    }
    return true;
}

} // namespace

TEST_CASE("the service manager hears ready, the status, and stopping") {
    notify_socket manager;
    server_process server{{.environment = {{"NOTIFY_SOCKET", manager.path()}}}};
    const notification ready = manager.wait_for("READY", "1");
    CHECK(ready.at("STATUS") == "server 1, boot, no cluster yet, 0 clients");

    auto client = std::make_unique<client_inside>(server.address());
    manager.wait_for("STATUS", "server 1, boot, no cluster yet, 1 clients");
    client.reset();
    manager.wait_for("STATUS", "server 1, boot, no cluster yet, 0 clients");

    server.child().send(SIGTERM);
    const notification stopping = manager.wait_for("STOPPING", "1");
    CHECK(stopping.at("STATUS") == "stopping");
    CHECK(server.child().wait() == good_exit);
    // Nothing after the last word, and no watchdog where nobody asked for one.
    CHECK_FALSE(manager.next(0ms));
}

TEST_CASE("the service manager hears when a reload begins and ends") {
    notify_socket manager;
    server_process server{{.environment = {{"NOTIFY_SOCKET", manager.path()}}}};
    manager.wait_for("READY", "1");
    const auto before = test_clock::now().time_since_epoch();
    server.child().send(SIGHUP);

    const notification begin = manager.wait_for("RELOADING", "1");
    const std::chrono::microseconds at{std::stoll(begin.at("MONOTONIC_USEC"))};
    CHECK(at >= std::chrono::duration_cast<std::chrono::microseconds>(before));
    CHECK(at <= test_clock::now().time_since_epoch());
    const auto end = manager.next(patience);
    REQUIRE(end);
    CHECK(end->at("READY") == "1");
}

TEST_CASE("the watchdog is fed while the server turns, and not when it stands still") {
    notify_socket manager;
    server_process server{{.environment = {{"NOTIFY_SOCKET", manager.path()},
                                           {"WATCHDOG_USEC", "200000"},
                                           {"WATCHDOG_PID", "{pid}"}}}};
    manager.wait_for("WATCHDOG", "1");
    const auto begin = test_clock::now();
    constexpr int meals = 15;
    for (int meal = 0; meal < meals; ++meal) {
        manager.wait_for("WATCHDOG", "1");
    }
    CHECK(test_clock::now() - begin < meals * 200ms); // Twice as often as it must.
    server.freeze();
    manager.forget();
    CHECK_FALSE(manager.next(1s)); // Five times what the manager waits for.
    server.thaw();
    manager.wait_for("WATCHDOG", "1");
    CHECK(server.stop() == good_exit);
}

TEST_CASE("a service manager that does not read holds up nobody") {
    notify_socket manager;
    // Meals come so fast that its queue is full at once.
    server_process server{{.environment = {{"NOTIFY_SOCKET", manager.path()},
                                           {"WATCHDOG_USEC", "2000"},
                                           {"WATCHDOG_PID", "{pid}"}}}};
    client_inside inside{server.address()};
    eventually(
        [&] {
            inside.check_answers();
            return manager.is_full();
        },
        "the queue of the manager is full");
    inside.check_answers();
    CHECK(server.stop() == good_exit);
}

TEST_CASE("the watchdog of another process is left alone") {
    notify_socket manager;
    server_process server{{.environment = {{"NOTIFY_SOCKET", manager.path()},
                                           {"WATCHDOG_USEC", "100000"},
                                           {"WATCHDOG_PID", "1"}}}};
    manager.wait_for("READY", "1");
    while (const auto more = manager.next(500ms)) {
        CHECK(more->count("WATCHDOG") == 0);
    }
}

TEST_CASE("systemd finds nothing to complain about in the service file") {
    if (!can_analyze()) {
        return;
    }
    temporary_directory home;
    const finished verdict =
        analyze({"verify", "--recursive-errors=no", installed_service_file(home)});
    CHECK(verdict.status == good_exit);
    CHECK(verdict.err.find("almenarad.service") == std::string::npos);

    // That it would say so if there were something.
    write_file(home / "bad.service", "[Service]\nExecStart=/bin/true\nRestrat=always\n");
    const finished bad = analyze({"verify", "--recursive-errors=no", home / "bad.service"});
    CHECK(bad.status != good_exit);
    CHECK(bad.err.find("Restrat") != std::string::npos);
}

TEST_CASE("the service is exposed to little: at most 2.0 of 10") {
    if (!can_analyze()) {
        return;
    }
    temporary_directory home;
    const std::string service = installed_service_file(home);
    const finished verdict = analyze({"security", "--offline=true", "--threshold=20", service});
    CAPTURE(verdict.out);
    CHECK(verdict.status == good_exit);

    write_file(home / "bad.service", "[Service]\nExecStart=/bin/true\n");
    CHECK(analyze({"security", "--offline=true", "--threshold=20", home / "bad.service"}).status !=
          good_exit);
}

TEST_CASE("the configuration file that comes with the service is understood") {
    const std::string file = ALMENARA_DAEMON_DIR "/almenarad.conf";
    const finished printed = run({.words = {ALMENARA_DAEMON, "--config", file, "--print-config"}});
    CHECK(printed.status == good_exit);
    CHECK(printed.err.empty());
    CHECK(printed.out.find("plaintext = true") != std::string::npos);

    temporary_directory home;
    const finished checked = run({.words = {ALMENARA_DAEMON, "--config", file, "--check-config",
                                            "--data-dir", home / "data"}});
    CHECK(checked.status == good_exit);
    CHECK(checked.out == "almenarad: the configuration is good\n");
}
