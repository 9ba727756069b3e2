#include "client/known_cluster.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using namespace almenara;
using client::known_cluster;
using client::parse_known_cluster;
using client::to_text;

namespace {

known_cluster three_servers() {
    known_cluster what;
    what.id = cluster_id{{std::byte{0x3f}, std::byte{0x2a}}};
    what.seen = epoch{8};
    what.config = log_index{12};
    what.members = {{.id = server_id{1}, .addresses = {"127.0.0.1:7401", "[::1]:7401"}},
                    {.id = server_id{2}, .addresses = {"127.0.0.1:7402"}},
                    {.id = server_id{3}, .addresses = {"127.0.0.1:7403"}}};
    what.names = {"localhost:7401", "unix:/a place/admin.sock"};
    what.used = 4;
    return what;
}

} // namespace

TEST_CASE("C.3: what is known of a cluster is read back as it was written") {
    const auto read = parse_known_cluster(to_text(three_servers()));
    REQUIRE(read.has_value());
    CHECK(*read == three_servers());
    known_cluster least;
    least.id = cluster_id{{std::byte{1}}};
    CHECK(parse_known_cluster(to_text(least)).value() == least);
}

TEST_CASE("C.3: a file that is cut anywhere, or has a wrong bit, says that it is damaged") {
    const std::string text = to_text(three_servers());
    for (std::size_t size = 0; size < text.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(parse_known_cluster(text.substr(0, size)).has_value());
    }
    for (std::size_t at = 0; at < text.size(); ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            CAPTURE(at, bit);
            std::string other = text;
            other[at] = static_cast<char>(static_cast<unsigned char>(other[at]) ^ 1U << bit);
            CHECK_FALSE(parse_known_cluster(other).has_value());
        }
    }
}

TEST_CASE("C.3: lines that make no sense are refused, although their checksum is right") {
    const std::string begin = "almenara cluster 1\ncluster 3f2a0000000000000000000000000000\n";
    CHECK(parse_known_cluster(client::with_checksum(begin)).has_value());
    for (const std::string line : {"epoch -1", "epoch 18446744073709551616", "config", "member 1",
                                   "member x 1:2", "member 70000 127.0.0.1:1", "name ", "name  x",
                                   "colour blue", "cluster 3f2a", "used x"}) {
        CAPTURE(line);
        CHECK_FALSE(parse_known_cluster(client::with_checksum(begin + line + "\n")).has_value());
    }
    CHECK_FALSE(parse_known_cluster(client::with_checksum("almenara cluster 1\n")).has_value());
    CHECK_FALSE(parse_known_cluster(client::with_checksum("something else\n")).has_value());
    std::string many = begin;
    for (int i = 0; i < 17; ++i) {
        many += "name host:" + std::to_string(i) + "\n";
    }
    CHECK_FALSE(parse_known_cluster(client::with_checksum(many)).has_value());
}

TEST_CASE("C.3: what has no place in a line, or is too much, is not written") {
    known_cluster what = three_servers();
    what.names = {"a\nepoch 99", "", " b", std::string(301, 'x'), "good:1"};
    for (int i = 0; i < 100; ++i) {
        what.members.push_back({.id = server_id{static_cast<std::uint16_t>(i + 10)},
                                .addresses = std::vector<std::string>(9, "127.0.0.1:1")});
    }
    const auto read = parse_known_cluster(to_text(what));
    REQUIRE(read.has_value());
    CHECK(read->seen == epoch{8});
    CHECK(read->names == std::vector<std::string>{"good:1"});
    CHECK(read->members.size() == known_cluster::most_members);
    CHECK(read->members.back().addresses.size() == known_cluster::most_addresses);
}

TEST_CASE("C.3: a cluster is found by the names that people used and by its members' addresses") {
    const known_cluster what = three_servers();
    CHECK(what.is_reached_by({"127.0.0.1:7402"}));
    CHECK(what.is_reached_by({"nowhere:1", "localhost:7401"}));
    CHECK_FALSE(what.is_reached_by({"nowhere:1"}));
    CHECK_FALSE(what.is_reached_by({}));
}

TEST_CASE("C.2: the newest epoch seen never goes back, and older members change nothing") {
    known_cluster what = three_servers();
    known_cluster older = three_servers();
    older.seen = epoch{7};
    older.config = log_index{11};
    older.members.pop_back();
    older.names = {"other:1"};
    what.learn(older);
    CHECK(what.seen == epoch{8});
    CHECK(what.members.size() == 3);
    CHECK(what.names ==
          std::vector<std::string>{"other:1", "localhost:7401", "unix:/a place/admin.sock"});
    older.seen = epoch{9};
    older.config = log_index{13};
    what.learn(older);
    CHECK(what.seen == epoch{9});
    CHECK(what.members.size() == 2);
}

TEST_CASE("C.3: of the names the newest ones are kept") {
    known_cluster what;
    for (int i = 0; i < 40; ++i) {
        what.add_name("host:" + std::to_string(i));
    }
    CHECK(what.names.size() == known_cluster::most_names);
    CHECK(what.names.front() == "host:39");
}
