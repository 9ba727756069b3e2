#include "settings.hpp"
#include "support/results.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

// What almenarad is told of a cluster.
namespace almenara::almenarad {

namespace {

using test::failure_of;
using test::says;
using test::temporary_directory;
using test::value_of;
using test::write_file;

constexpr const char* list = "1=127.0.0.1:7401,2=127.0.0.1:7402";

result<configuration> understood(std::vector<const char*> words) {
    words.push_back("--plaintext");
    const auto nothing = [](const char*) -> const char* { return nullptr; };
    return understand(value_of(settings::gather(value_of(parse_command_line(words)), nothing)));
}

server::cluster_options cluster_of(const std::vector<const char*>& words) {
    return value_of(understood(words)).daemon.cluster;
}

/// A secret as --make-secret makes it.
class secret_file {
  public:
    explicit secret_file(std::string text = std::string(64, 'a') + "\n") {
        write_file(path_, text);
        mode(std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    }
    void mode(std::filesystem::perms wanted) { std::filesystem::permissions(path_, wanted); }
    [[nodiscard]] const char* path() const { return path_.c_str(); }

  private:
    temporary_directory place_;
    std::string path_ = place_ / "secret";
};

} // namespace

TEST_CASE("cli a server that is told nothing belongs to no cluster") {
    const auto wanted = cluster_of({});
    CHECK(wanted.servers.empty());
    CHECK_FALSE(wanted.is_alone);
    CHECK_FALSE(wanted.secret);
    CHECK_FALSE(wanted.confirm); // Nobody said it, which is not to say sync-set.
    CHECK(wanted.segment_size == 64U << 20U);
    CHECK(wanted.batches_in_flight == 1);
}

TEST_CASE("cli all that is said of a cluster is understood") {
    const secret_file secret;
    const auto wanted = cluster_of({"--peers",
                                    list,
                                    "--id",
                                    "2",
                                    "--secret-file",
                                    secret.path(),
                                    "--wait",
                                    "--go-after",
                                    "10s",
                                    "--priority",
                                    "7",
                                    "--confirm",
                                    "majority",
                                    "--auth",
                                    "trust",
                                    "--wal-segment",
                                    "4MiB",
                                    "--wal-keep",
                                    "8MiB",
                                    "--batches-in-flight",
                                    "8",
                                    "-a",
                                    "localhost:9"});
    CHECK(wanted.servers.size() == 2);
    CHECK(wanted.secret);
    CHECK(wanted.waits_for_go);
    CHECK(wanted.go_after == std::chrono::seconds{10});
    CHECK(wanted.priority == 7);
    CHECK(wanted.confirm == replica::confirm_policy::majority);
    CHECK(wanted.segment_size == 4U << 20U);
    CHECK(wanted.kept_log == 8U << 20U);
    CHECK(wanted.batches_in_flight == 8);
    CHECK(wanted.advertised == "localhost:9");
    CHECK(cluster_of({"-p"}).is_alone);
}

TEST_CASE("cli a server listens where the list says, unless it is told otherwise") {
    const net::host_port listed{"127.0.0.1", 7402};
    const net::host_port other{"127.0.0.1", 1};
    CHECK(value_of(understood({"--peers", list, "--id", "2"})).daemon.listen == listed);
    CHECK(value_of(understood({"--peers", list, "--id", "2", "-l", "127.0.0.1:1"})).daemon.listen ==
          other);
    CHECK(value_of(understood({"--peers", list})).daemon.listen.port == 7400);
}

TEST_CASE("cli what is said of a cluster and makes no sense is refused") {
    using words = std::vector<const char*>;
    const auto [given, what] = GENERATE(table<words, std::string>({
        {{"--peers", "1"}, "peers (command line): '1' is not ID=HOST:PORT"},
        {{"--secret-file", "/nowhere/secret"}, "--make-secret /nowhere/secret"},
        {{"--auth", "password"}, "only trust is"},
        {{"--confirm", "some"}, "sync-set"},
        {{"--priority", "65536"}, "from 0 to 65535"},
        {{"--wal-segment", "3MiB"}, "4MiB to 64MiB"},
        {{"--wal-segment", "65MiB"}, "4MiB to 64MiB"},
        {{"--wal-segment", "4194305"}, "steps of 4KiB"},
        {{"--wal-keep", "3MiB"}, "4MiB to 1TiB"},
        {{"--wal-keep", "2TiB"}, "4MiB to 1TiB"},
        {{"--batches-in-flight", "0"}, "from 1 to 8"},
        {{"--batches-in-flight", "9"}, "from 1 to 8"},
        {{"--advertise", "a b"}, "advertise (command line): 'a b' is not HOST:PORT"},
        {{"--primary", "--peers", "1=a:1"}, "Give one of them"},
        {{"--wait"}, "--wait belongs to"},
        {{"--primary", "--go-after", "1s"}, "--go-after belongs to"},
        {{"--primary", "--wait", "--go-after", "soon"}, "go-after (command line)"},
    }));
    CAPTURE(given);
    const error failure = failure_of(understood(given));
    CAPTURE(failure.message());
    CHECK(says(failure, what));
}

TEST_CASE("F a secret that others can read, or that is none, is refused") {
    SECTION("by the group") {
        secret_file secret;
        secret.mode(std::filesystem::perms::owner_read | std::filesystem::perms::group_read);
        CHECK(says(failure_of(understood({"--secret-file", secret.path()})), "chmod 600"));
    }
    SECTION("too short") {
        const secret_file secret{"abc"};
        CHECK(says(failure_of(understood({"--secret-file", secret.path()})), "64 hex digits"));
    }
}

} // namespace almenara::almenarad
