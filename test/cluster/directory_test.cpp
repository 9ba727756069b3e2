#include "cluster/directory.hpp"

#include "cluster/client_program.hpp"
#include "cluster/cluster.hpp"
#include "cluster/judgement.hpp"
#include "cluster/load.hpp"
#include "cluster/network.hpp"

#include <boost/json/object.hpp>
#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <string>
#include <vector>

/// S21: a directory says who is primary, and the cluster keeps it up to date.
namespace almenara::test {

namespace {

/// A client on a machine of its own that is started anew each time, and knows the name alone.
class newcomer {
  public:
    newcomer(const network& wires, machine where, const directory& asked)
        : network_(wires.space(where)), hosts_(asked.hosts()) {}

    [[nodiscard]] finished says(const std::vector<std::string>& words) const {
        program what{.words = {ALMENARA_CLIENT, "--plaintext", "--no-state", "-s",
                               directory::address(), "--json"},
                     .network = network_,
                     .instead_of = {{"/etc/hosts", hosts_}}};
        what.words.insert(what.words.end(), words.begin(), words.end());
        return run(what);
    }

  private:
    int network_;
    std::string hosts_;
};

} // namespace

TEST_CASE("S21: a client that knows a name alone finds whoever is primary") {
    if (network::is_impossible()) {
        return;
    }
    const directory names;
    const network wires{4};
    cluster servers{{.arguments = {"--on-primary-change", names.script()}, .on = &wires}};
    const newcomer client{wires, machine{4}, names};
    CHECK(client.says({"ping"}).status == exit_status{.code = 5});
    servers.start_all();

    auto office = servers.wait_until_in_sync();
    for (const unsigned round : {1U, 2U, 3U}) {
        INFO("round " << round);
        const std::string address = wires.address(machine{office.primary.value()});
        eventually([&] { return names.says().starts_with(address + " "); },
                   "the directory names the primary");
        // It is asked for the very server, so it cannot be sent there by another one.
        CHECK(member(parsed(client.says({"ping"})), "server") == fmt::format("{}", office.primary));
        CHECK(client.says({"kv", "put", "round", fmt::format("{}", round)}).status == good_exit);
        servers.kill({office.primary});
        const server_id killed = office.primary;
        office = servers.wait_for_primary(office.epoch);
        servers.start(killed);
        servers.wait_until_in_sync();
    }
}

TEST_CASE("S21: clients that know a name alone go on when the primary is killed") {
    if (network::is_impossible()) {
        return;
    }
    const directory names;
    const network wires{4};
    cluster servers{{.arguments = {"--on-primary-change", names.script()}, .on = &wires}};
    servers.start_all();
    const auto before = servers.wait_until_in_sync();
    eventually([&] { return names.names_somebody(); }, "the directory names a primary");
    load clients{{names.address()},
                 {.writers = 8,
                  .readers = 2,
                  .network = wires.space(machine{4}),
                  .instead_of = {{"/etc/hosts", names.hosts()}}}};
    clients.goes_on();
    servers.kill({before.primary});
    servers.wait_for_primary(before.epoch);
    clients.goes_on();
    servers.start(before.primary);
    servers.wait_until_in_sync();
    clients.finish();
    check_safe(judge(clients, read_all(servers.addresses(), "run/")));
}

} // namespace almenara::test
