#include "cluster/client_program.hpp"
#include "cluster/cluster.hpp"
#include "support/lines.hpp"
#include "support/wait.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <chrono>
#include <string>
#include <vector>

using namespace almenara;
using namespace almenara::test;
using namespace std::chrono_literals;

namespace json = boost::json;

// What scripts rely on, with real programs on both sides: cli.md's words, answers and exit codes.

namespace {

/// People and scripts at the servers of a cluster, whichever of them is primary.
class terminal {
  public:
    explicit terminal(const cluster& all) : servers_(naming(all.addresses())) {}

    [[nodiscard]] finished says(const std::vector<std::string>& words) const {
        std::vector<std::string> line = servers_;
        line.insert(line.end(), words.begin(), words.end());
        return almenara_says(line);
    }
    [[nodiscard]] std::string prints(const std::vector<std::string>& words) const {
        const finished ended = says(words);
        CAPTURE(words, ended.out, ended.err);
        CHECK(ended.status == good_exit);
        CHECK(ended.err.empty());
        return ended.out;
    }
    /// Fails with this exit code, and with this code in JSON.
    void fails(std::vector<std::string> words, int with, std::string_view code) const {
        words.emplace_back("--json");
        const finished ended = says(words);
        CAPTURE(words, ended.out, ended.err);
        CHECK(ended.status == exit_status{.code = with});
        CHECK(ended.err.starts_with("almenara: "));
        CHECK(json::parse(ended.out).at("error").at("code").as_string() == code);
    }

  private:
    std::vector<std::string> servers_;
};

} // namespace

TEST_CASE("almenara kv with three servers: what is written is read, and each exit code is kept") {
    cluster all;
    all.start_all();
    const cluster::office office = all.wait_until_in_sync();
    const terminal here{all};

    const json::object put =
        json::parse(here.prints({"kv", "put", "colour", "blue", "--json"})).as_object();
    CHECK(member(put, "voters") == "3");
    CHECK(put.at("durable_on").to_number<int>() >= 2);
    CHECK(put.at("epoch").to_number<std::uint64_t>() == office.epoch.value());
    CHECK(here.prints({"kv", "get", "colour"}) == "blue");
    const json::object got =
        json::parse(here.prints({"kv", "get", "colour", "--json"})).as_object();
    CHECK(member(got, "value_base64") == R"("Ymx1ZQ==")");
    CHECK(got.at("index") == put.at("index"));

    CHECK(here.prints({"kv", "cas", "colour", "blue", "red"}).starts_with("index "));
    CHECK(here.prints({"kv", "get", "colour"}) == "red");
    CHECK(here.prints({"kv", "add", "visits", "5"}).starts_with("5\n"));
    CHECK(here.prints({"kv", "add", "visits", "-7"}).starts_with("-2\n"));
    CHECK(lines_of(here.prints({"kv", "list"})).size() == 2);
    const auto rows = lines_of(here.prints({"kv", "list", "col", "--values", "--json"}));
    REQUIRE(rows.size() == 1);
    CHECK(member(json::parse(rows[0]).as_object(), "value_base64") == R"("cmVk")");

    here.fails({"kv", "cas", "colour", "blue", "green"}, 4, "conflict");
    here.fails({"kv", "add", "colour", "1"}, 4, "conflict");
    here.fails({"kv", "get", "shape"}, 3, "not_found");
    here.fails({"kv", "rm", "shape"}, 3, "not_found");
    here.fails({"kv", "put", "colour"}, 2, "invalid");
    here.fails({"kv", "put", "", "blue"}, 2, "invalid");
    CHECK(here.prints({"kv", "rm", "colour"}).starts_with("index "));
    here.fails({"kv", "get", "colour"}, 3, "not_found");
}

TEST_CASE("almenara without a majority: nothing happens, and the exit code is 5") {
    cluster all;
    all.start_all();
    const cluster::office office = all.wait_until_in_sync();
    const terminal here{all};
    SECTION("both backups stand still") {
        for (const server_id id : all.others_than(office.primary)) {
            all.pause(id);
        }
        // Its session would be the first entry: the write itself is never sent.
        here.fails({"kv", "put", "a", "b", "--timeout", "1s"}, 5, "unavailable");
        here.fails({"kv", "get", "a", "--timeout", "1s"}, 5, "unavailable");
    }
    SECTION("everybody stands still: it waits as long as it may") {
        for (const server_id id : all.ids()) {
            all.pause(id);
        }
        const auto begin = test_clock::now();
        const finished ended = here.says({"kv", "get", "a", "--timeout", "4s"});
        CHECK(test_clock::now() - begin >= 4s);
        CHECK(ended.status == exit_status{.code = 5});
        CHECK(ended.err.find("--timeout (it was 4s)") != std::string::npos);
    }
}

TEST_CASE("almenara login, cluster members and cluster transfer with three servers") {
    cluster all;
    all.start_all();
    const cluster::office first = all.wait_until_in_sync();
    const terminal here{all};

    CHECK(here.prints({"-u", "anna", "whoami"}) == "anna\n");
    const json::object admin =
        json::parse(here.prints({"-u", "admin", "login", "--json"})).as_object();
    CHECK(member(admin, "user") == R"("admin")");
    CHECK(member(admin, "administrator") == "true");

    // Only the primary knows of each one's state.
    const json::object told =
        parsed(almenara_says({"-s", all.address(first.primary), "cluster", "members", "--json"}));
    const json::array& members = told.at("members").as_array();
    REQUIRE(members.size() == 3);
    for (const json::value& each : members) {
        const server_id id{each.at("id").to_number<server_id::rep>()};
        CHECK(each.at("address").as_string() == all.address(id));
        CHECK(each.at("state") == "in_sync");
        CHECK(each.at("role") == (id == first.primary ? "primary" : "backup"));
    }

    const server_id next = all.others_than(first.primary).front();
    const std::vector<std::string> transfer{"cluster", "transfer", fmt::format("{}", next)};
    std::vector<std::string> by_anna{"-u", "anna"};
    by_anna.insert(by_anna.end(), transfer.begin(), transfer.end());
    here.fails(by_anna, 6, "forbidden");
    CHECK(all.wait_for_primary().epoch == first.epoch);

    std::vector<std::string> by_admin{"-u", "admin"};
    by_admin.insert(by_admin.end(), transfer.begin(), transfer.end());
    CHECK_FALSE(here.prints(by_admin).empty());
    CHECK(all.wait_for_primary(first.epoch).primary == next);
    here.fails({"-u", "admin", "cluster", "transfer", "nobody"}, 2, "invalid");
}

TEST_CASE("almenara cluster go: servers that wait begin, for administrators and once") {
    cluster all{{.arguments = {"--wait"}}};
    all.start_all();
    const auto go = [&](const std::string& user) {
        return almenara_says({"-s", all.address(server_id{1}), "-u", user, "cluster", "go"});
    };
    all.at(server_id{1}).wait_for_log("link with server 2 is up");
    all.at(server_id{1}).wait_for_log("link with server 3 is up");
    CHECK(go("anna").status == exit_status{.code = 6});
    CHECK_FALSE(all.look_for_primary().has_value());
    CHECK(go("admin").status == good_exit);
    static_cast<void>(all.wait_until_in_sync());
    CHECK(go("admin").status == exit_status{.code = 4});
}
