#include "server/cluster_options.hpp"

#include "support/results.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <string>
#include <vector>

// B.12: what an operator says of the cluster, now and before.
namespace almenara::server {

namespace {

using test::failure_of;
using test::says;
using test::value_of;

constexpr const char* three = "3=127.0.0.1:7403,1=127.0.0.1:7401,2=localhost:7402";

base::key256 key(unsigned char filling) {
    std::array<std::byte, 32> bytes{};
    bytes.fill(std::byte{filling});
    return base::key256{bytes};
}

cluster_options list_of_three() {
    cluster_options wanted;
    wanted.servers = value_of(parse_peers(three));
    wanted.secret = key(1);
    return wanted;
}

founder new_server(server_id self = server_id{2}) {
    return {.self = self, .address = "127.0.0.1:7402", .has_begun = false};
}

founder member(server_id self = server_id{2}) {
    return {.self = self, .address = "127.0.0.1:7402", .has_begun = true};
}

/// What is kept, and how many warnings there are.
struct agreed {
    storage::cluster_record record;
    std::vector<std::string> warnings;
};

agreed agreement(const std::optional<storage::cluster_record>& before,
                 const cluster_options& now,
                 const founder& who) {
    agreed all;
    all.record = value_of(agree(before, now, who, all.warnings));
    return all;
}

error disagreement(const std::optional<storage::cluster_record>& before,
                   const cluster_options& now,
                   const founder& who) {
    std::vector<std::string> warnings;
    return failure_of(agree(before, now, who, warnings));
}

} // namespace

TEST_CASE("cli: a list of servers is sorted by their numbers") {
    const auto servers = value_of(parse_peers(three));
    REQUIRE(servers.size() == 3);
    CHECK(servers[0].id == server_id{1});
    CHECK(servers[0].addresses == std::vector<std::string>{"127.0.0.1:7401"});
    CHECK(servers[1].addresses == std::vector<std::string>{"localhost:7402"});
    CHECK(servers[2].id == server_id{3});
}

TEST_CASE("cli: a list of servers that makes no sense is refused, and says why") {
    CHECK(says(failure_of(parse_peers("")), "ID=HOST:PORT"));
    CHECK(says(failure_of(parse_peers("127.0.0.1:7401")), "ID=HOST:PORT"));
    CHECK(says(failure_of(parse_peers("0=127.0.0.1:7401")), "number of a server"));
    CHECK(says(failure_of(parse_peers("65536=127.0.0.1:7401")), "number of a server"));
    CHECK(says(failure_of(parse_peers("1=127.0.0.1:port")), "port"));
    CHECK(says(failure_of(parse_peers("1=127.0.0.1:1,")), "ID=HOST:PORT"));
    CHECK(says(failure_of(parse_peers("1=127.0.0.1:1,2=127.0.0.1:0")), "'2=127.0.0.1:0' has port"));
    CHECK(says(failure_of(parse_peers("1=127.0.0.1:1,1=127.0.0.1:2")), "a server stands there"));
    CHECK(says(failure_of(parse_peers("1=127.0.0.1:1,2=127.0.0.1:1")), "127.0.0.1:1 stands there"));
}

TEST_CASE("cli: a secret is 64 hex digits") {
    const std::string digits(64, 'a');
    CHECK(value_of(parse_secret(digits + "\n")) == key(0xaa));
    CHECK(says(failure_of(parse_secret(digits.substr(2))), "64 hex digits"));
    CHECK(says(failure_of(parse_secret(digits + "00")), "64 hex digits"));
    CHECK(says(failure_of(parse_secret("")), "64 hex digits"));
    CHECK(says(failure_of(parse_secret(std::string(64, 'x'))), "64 hex digits"));
}

TEST_CASE("cli: confirm is one of three words") {
    CHECK(value_of(parse_confirm("sync-set")) == replica::confirm_policy::sync_set);
    CHECK(value_of(parse_confirm("majority")) == replica::confirm_policy::majority);
    CHECK(value_of(parse_confirm("all")) == replica::confirm_policy::all);
    CHECK(says(failure_of(parse_confirm("some")), "sync-set"));
}

TEST_CASE("B.12.3: what is said at the first start is kept") {
    const agreed all = agreement({}, list_of_three(), new_server());
    CHECK(all.record.servers.size() == 3);
    CHECK(all.record.secret == key(1));
    CHECK(all.record.options == std::vector<std::string>{"confirm=sync-set", "auth=trust"});
    CHECK(all.warnings.empty());
}

TEST_CASE("B.12: a server of which nothing is said belongs to no list") {
    CHECK(agreement({}, {}, new_server()).record == storage::cluster_record{});
}

TEST_CASE("B.12.1: a server alone is a list of itself and needs no secret") {
    cluster_options wanted;
    wanted.is_alone = true;
    const agreed all = agreement({}, wanted, new_server());
    REQUIRE(all.record.servers.size() == 1);
    CHECK(all.record.servers.front().id == server_id{2});
    CHECK(all.record.servers.front().addresses == std::vector<std::string>{"127.0.0.1:7402"});
}

TEST_CASE("B.12.3: a server that is not in its own list is refused") {
    CHECK(says(disagreement({}, list_of_three(), new_server(server_id{9})), "this is server 9"));
}

TEST_CASE("B.12.3: several servers have a secret") {
    cluster_options wanted = list_of_three();
    wanted.secret.reset();
    CHECK(says(disagreement({}, wanted, new_server()), "--make-secret"));
}

TEST_CASE("cli: a member starts again without a word, and with the same ones") {
    const auto before = agreement({}, list_of_three(), new_server()).record;
    CHECK(agreement(before, {}, member()).record == before);
    CHECK(agreement(before, list_of_three(), member()).record == before);
    cluster_options without_secret = list_of_three();
    without_secret.secret.reset();
    const agreed all = agreement(before, without_secret, member());
    CHECK(all.record == before);
    CHECK(all.warnings.empty());
}

TEST_CASE("B.12.3: a list that has not begun can be said again, with everything in it") {
    const auto before = agreement({}, list_of_three(), new_server()).record;
    cluster_options other;
    other.servers = value_of(parse_peers("2=127.0.0.1:1,5=127.0.0.1:2"));
    other.secret = key(2);
    other.confirm = replica::confirm_policy::all;
    const agreed all = agreement(before, other, new_server());
    CHECK(all.record.servers == other.servers);
    CHECK(all.record.secret == key(2));
    CHECK(all.record.options.front() == "confirm=all");
}

TEST_CASE("cli: a member takes other addresses, and neither other servers nor other options") {
    const auto before = agreement({}, list_of_three(), new_server()).record;
    cluster_options other = list_of_three();
    SECTION("addresses") {
        other.servers.front().addresses = {"127.0.0.1:9999"};
        const agreed all = agreement(before, other, member());
        CHECK(all.record.servers == other.servers);
        CHECK(all.warnings.empty());
    }
    SECTION("fewer servers: where the others are stays known") {
        other.servers.pop_back();
        other.servers.front().addresses = {"127.0.0.1:9999"};
        const agreed all = agreement(before, other, member());
        REQUIRE(all.warnings.size() == 1);
        CHECK(all.warnings.front().find("server 3 stays as it was") != std::string::npos);
        REQUIRE(all.record.servers.size() == 3);
        CHECK(all.record.servers[0] == other.servers[0]);
        CHECK(all.record.servers[1] == before.servers[1]);
        CHECK(all.record.servers[2] == before.servers[2]);
        CHECK(agreement(all.record, {}, member()).record == all.record);
    }
    SECTION("other servers: they are known beside those before") {
        other.servers = value_of(parse_peers("2=127.0.0.1:7402,5=127.0.0.1:7405"));
        const agreed all = agreement(before, other, member());
        REQUIRE(all.warnings.size() == 1);
        CHECK(all.warnings.front().find("server 1, 3 stays as it was") != std::string::npos);
        CHECK(all.warnings.front().find("nobody named server 5 before") != std::string::npos);
        REQUIRE(all.record.servers.size() == 4);
        CHECK(all.record.servers[3] == other.servers[1]);
    }
    SECTION("options") {
        other.confirm = replica::confirm_policy::all;
        const agreed all = agreement(before, other, member());
        CHECK(all.record.options == before.options);
        CHECK(all.warnings.size() == 1);
    }
    SECTION("alone") {
        cluster_options alone;
        alone.is_alone = true;
        const agreed all = agreement(before, alone, member());
        CHECK(all.record == before);
        CHECK(all.warnings.size() == 1);
    }
}

TEST_CASE("cli: another --confirm alone changes nothing, and is answered") {
    cluster_options wanted = list_of_three();
    wanted.confirm = replica::confirm_policy::all;
    const auto before = agreement({}, wanted, new_server()).record;
    cluster_options later;
    later.confirm = replica::confirm_policy::majority;
    SECTION("of a member") {
        const agreed all = agreement(before, later, member());
        CHECK(all.record == before);
        REQUIRE(all.warnings.size() == 1);
        CHECK(all.warnings.front().find("confirm=all") != std::string::npos);
    }
    SECTION("of a list that has not begun") {
        const agreed all = agreement(before, later, new_server());
        CHECK(all.record == before);
        REQUIRE(all.warnings.size() == 1);
        CHECK(all.warnings.front().find("--peers") != std::string::npos);
    }
    SECTION("of a server that belongs to no list") {
        const agreed all = agreement({}, later, new_server());
        CHECK(all.record == storage::cluster_record{});
        CHECK(all.warnings.size() == 1);
    }
    SECTION("the same is no news") {
        later.confirm = replica::confirm_policy::all;
        CHECK(agreement(before, later, member()).warnings.empty());
    }
}

TEST_CASE("cli: a member whose list is said again without --confirm keeps the one it has") {
    cluster_options wanted = list_of_three();
    wanted.confirm = replica::confirm_policy::all;
    const auto before = agreement({}, wanted, new_server()).record;
    const agreed all = agreement(before, list_of_three(), member());
    CHECK(all.record == before);
    CHECK(all.warnings.empty());
}

TEST_CASE("B.12.3: what was written down of the options says how a list confirms") {
    CHECK(value_of(confirm_in({"confirm=majority", "auth=trust"})) ==
          replica::confirm_policy::majority);
    CHECK(value_of(confirm_in({})) == replica::confirm_policy::sync_set);
    CHECK(says(failure_of(confirm_in({"confirm=some"})), "sync-set"));
}

TEST_CASE("B.12.3: a member refuses another secret than the one its cluster began with") {
    const auto before = agreement({}, list_of_three(), new_server()).record;
    cluster_options other = list_of_three();
    other.secret = key(2);
    CHECK(says(disagreement(before, other, member()), "another secret"));
}

} // namespace almenara::server
