#include "server/start_up.hpp"

#include "support/results.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <filesystem>
#include <string>

// B.8, B.12: what a server finds when it starts.
namespace almenara::server {

namespace {

using test::failure_of;
using test::says;
using test::temporary_directory;
using test::value_of;

constexpr const char* address = "127.0.0.1:7402";

cluster_options list_of_two() {
    cluster_options wanted;
    wanted.servers = value_of(parse_peers("1=127.0.0.1:7401,2=127.0.0.1:7402"));
    wanted.secret = value_of(parse_secret(std::string(64, 'a')));
    wanted.priority = 5;
    wanted.segment_size = std::uint64_t{4} << 20U;
    return wanted;
}

storage::data_directory open_directory(const std::string& path) {
    return value_of(storage::data_directory::open(path, server_id{2}));
}

} // namespace

TEST_CASE("B.12.3: a new server begins with an empty log and what it was told") {
    temporary_directory home;
    auto directory = open_directory(home / "data");
    CHECK_FALSE(directory.has_log());
    const start_up begun = value_of(start(directory, list_of_two(), address));
    CHECK(directory.has_log());
    CHECK(begun.core.self == server_id{2});
    CHECK(begun.core.uuid == directory.uuid());
    CHECK(begun.core.listed == std::vector<server_id>{server_id{1}, server_id{2}});
    CHECK(begun.core.addresses == std::vector<std::string>{address});
    CHECK(begun.core.priority == 5);
    CHECK(begun.core.secret.has_value());
    CHECK(begun.core.positions.empty());
    CHECK_FALSE(begun.core.meta.cluster.has_value());
    CHECK(begun.warnings.empty());
}

TEST_CASE("B.12: a server that was told once starts again without a word, as another process") {
    temporary_directory home;
    replica::incarnation before;
    {
        auto directory = open_directory(home / "data");
        before = value_of(start(directory, list_of_two(), address)).core.incarnation;
    }
    auto directory = open_directory(home / "data");
    cluster_options nothing;
    nothing.segment_size = std::uint64_t{4} << 20U;
    const start_up again = value_of(start(directory, nothing, address));
    CHECK(again.core.listed.size() == 2);
    CHECK(again.core.secret.has_value());
    CHECK(again.core.incarnation != before);
}

TEST_CASE("B.12.3: who was told --confirm once begins with it, whatever it is started with later") {
    temporary_directory home;
    cluster_options told = list_of_two();
    told.confirm = replica::confirm_policy::all;
    {
        auto directory = open_directory(home / "data");
        CHECK(value_of(start(directory, told, address)).core.confirm ==
              replica::confirm_policy::all);
    }
    cluster_options later;
    later.segment_size = told.segment_size;
    std::size_t warnings = 0;
    SECTION("without a word") {}
    SECTION("with another policy alone") {
        later.confirm = replica::confirm_policy::majority;
        warnings = 1;
    }
    auto directory = open_directory(home / "data");
    const start_up again = value_of(start(directory, later, address));
    CHECK(again.core.confirm == replica::confirm_policy::all);
    CHECK(again.core.options.front() == "confirm=all");
    CHECK(again.warnings.size() == warnings);
}

TEST_CASE("B.1: a log that is not there any more is not made again") {
    temporary_directory home;
    {
        auto directory = open_directory(home / "data");
        static_cast<void>(value_of(start(directory, list_of_two(), address)));
    }
    std::filesystem::remove_all(home / "data/log");
    auto directory = open_directory(home / "data");
    CHECK(says(failure_of(start(directory, list_of_two(), address)), "opening the log"));
}

TEST_CASE("B.12.3: what cannot be is refused before a log is made") {
    temporary_directory home;
    auto directory = value_of(storage::data_directory::open(home / "data", server_id{9}));
    CHECK(says(failure_of(start(directory, list_of_two(), address)), "this is server 9"));
    CHECK_FALSE(directory.has_log());
    CHECK_FALSE(std::filesystem::exists(directory.log_path()));
}

} // namespace almenara::server
