#include "cluster/cluster.hpp"
#include "cluster/server_process.hpp"
#include "support/shell_script.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

// --on-primary-change, with real servers.
using namespace almenara;
using namespace almenara::test;

namespace {

std::vector<std::string> option_for(const std::string& script) {
    return {"--on-primary-change", script};
}

constexpr const char* tell = "echo rules: $ALMENARA_EPOCH $ALMENARA_PRIMARY_ID "
                             "$ALMENARA_PRIMARY_ADDRESS $ALMENARA_IS_ME\n";

/// What the script has told a server's log of this office.
std::string told_of(const cluster& servers, const cluster::office& office, bool is_me) {
    return fmt::format("on-primary-change: epoch {}: rules: {} {} {} {}", office.epoch,
                       office.epoch, office.primary, servers.address(office.primary),
                       is_me ? 1 : 0);
}

} // namespace

TEST_CASE("on-primary-change: every server learns who rules, once for each epoch") {
    const shell_script here{tell};
    cluster servers{{.arguments = option_for(here.path())}};
    servers.start_all();
    const auto first = servers.wait_until_in_sync();
    for (const server_id id : servers.ids()) {
        servers.at(id).wait_for_log(told_of(servers, first, id == first.primary));
    }
    servers.kill({first.primary});
    const auto second = servers.wait_for_primary(first.epoch);
    for (const server_id id : servers.others_than(first.primary)) {
        servers.at(id).wait_for_log(told_of(servers, second, id == second.primary));
    }
    // Who was away hears it at its start.
    servers.start(first.primary);
    const auto third = servers.wait_until_in_sync();
    for (const server_id id : servers.ids()) {
        const std::string line = told_of(servers, third, id == third.primary);
        servers.at(id).wait_for_log(line);
        CHECK(servers.at(id).times_logged(line) == 1);
    }
}

TEST_CASE("on-primary-change: a script that hangs keeps no server from serving or from stopping") {
    const bool is_stubborn = GENERATE(false, true);
    const shell_script here{is_stubborn ? "trap '' TERM\necho it hangs\nwhile :; do sleep 1; done\n"
                                        : "echo it hangs\nexec sleep 1000\n"};
    cluster servers{{.servers = 1, .arguments = option_for(here.path())}};
    servers.start_all();
    servers.wait_for_primary();
    server_process& server = servers.at(server_id{1});
    server.wait_for_log("it hangs");
    CHECK(servers.status(server_id{1}).has_value());
    CHECK(server.stop() == good_exit);
    CHECK(server.times_logged("it takes too long and gets SIGTERM") == 1);
    CHECK(server.times_logged(is_stubborn ? "ended by signal 9, after "
                                          : "ended by signal 15, after ") == 1);
    CHECK(server.times_logged("server 1 has stopped") == 1);
}

TEST_CASE("on-primary-change: a reload takes another script, or none, from the next change on") {
    temporary_directory home;
    const std::string file = home / "conf";
    const shell_script first{"echo the first\n"};
    const shell_script second{"echo the second\n"};
    write_file(file, "on-primary-change = " + first.path() + "\n");
    cluster servers{{.arguments = {"--config", file}}};
    servers.start_all();
    const auto office = servers.wait_until_in_sync();
    const auto backups = servers.others_than(office.primary);
    for (const server_id id : servers.ids()) {
        servers.at(id).wait_for_log("the first");
    }
    write_file(file, "on-primary-change = " + second.path() + "\n");
    server_process& reloaded = servers.at(backups[0]);
    reloaded.child().send(SIGHUP);
    reloaded.wait_for_log("SIGHUP: configuration read again");
    CHECK(reloaded.times_logged("until a restart") == 0);
    CHECK(reloaded.times_logged("the second") == 0);

    servers.kill({office.primary});
    reloaded.wait_for_log("the second");
    servers.at(backups[1]).wait_for_log("the first", 2);
    CHECK(reloaded.times_logged("the first") == 1);
}

TEST_CASE("on-primary-change: a script that cannot be run is told before the start") {
    temporary_directory home;
    const std::string path = home / "script";
    const std::vector<std::string> words{"--on-primary-change", path, "--check-config"};
    const auto check_refusal = [&](const std::string& why) {
        const finished ended = run(almenarad(home / "data", words));
        CHECK(ended.status == exit_status{.code = 2});
        CHECK(ended.err == fmt::format("almenarad: on-primary-change (command line): '{}' cannot "
                                       "be run: {}.\n",
                                       path, why));
    };
    check_refusal("No such file or directory. Give the path of a script");
    write_file(path, "#!/bin/sh\n");
    check_refusal("Permission denied. Say 'chmod +x " + path + "'");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    CHECK(run(almenarad(home / "data", words)).status == good_exit);
}

TEST_CASE("on-primary-change: a script that is gone when it is needed is a line in the log") {
    temporary_directory home;
    const std::string path = home / "script";
    write_file(path, "#!/bin/sh\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    cluster servers{{.arguments = option_for(path)}};
    servers.start_all();
    const auto first = servers.wait_until_in_sync();
    std::filesystem::remove(path);
    servers.kill({first.primary});
    const auto second = servers.wait_for_primary(first.epoch);
    servers.at(second.primary)
        .wait_for_log(fmt::format("<4>on-primary-change: epoch {}: starting '{}': No such file or "
                                  "directory",
                                  second.epoch, path));
}
