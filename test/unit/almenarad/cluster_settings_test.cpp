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

settings gathered(std::vector<const char*> words) {
    words.push_back("--plaintext");
    const auto nothing = [](const char*) -> const char* { return nullptr; };
    return value_of(settings::gather(value_of(parse_command_line(words)), nothing));
}

result<configuration> understood(const std::vector<const char*>& words) {
    return understand(gathered(words));
}

result<void> places(const std::vector<const char*>& words) {
    const settings all = gathered(words);
    return check_places(all, value_of(understand(all)));
}

/// What would start on a directory that somebody has, or nobody.
result<configuration> fitted(const std::vector<const char*>& words,
                             const std::optional<storage::occupant>& found) {
    const settings all = gathered(words);
    configuration wanted = value_of(understand(all));
    if (auto fits = fit_cluster(all, found, wanted); !fits) {
        return fits.error();
    }
    return wanted;
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
        {{"--advertise", "127.0.0.1:0"}, "'127.0.0.1:0' has port 0"},
        {{"--peers", "1=127.0.0.1:1,2=127.0.0.1:0"}, "'2=127.0.0.1:0' has port 0"},
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

TEST_CASE("cli without TLS an address of another machine is refused wherever it stands") {
    using words = std::vector<const char*>;
    const auto [given, what] = GENERATE(table<words, std::string>({
        {{"-a", "10.1.1.1:7400"}, "advertise (command line): 10.1.1.1:7400 is not a loopback"},
        {{"-a", "no-such-host.invalid:1"}, "advertise (command line): looking up"},
        {{"--peers", "1=127.0.0.1:7401,2=10.0.0.1:7402"},
         "peers (command line): 10.0.0.1:7402 is not a loopback"},
    }));
    CAPTURE(given);
    const error failure = failure_of(places(given));
    CAPTURE(failure.message());
    CHECK(says(failure, what));
    CHECK(places({"--peers", list, "--advertise", "[::1]:7403"}).has_value());
}

TEST_CASE("cli a new server that is given a list has to know which of them it is") {
    const secret_file secret;
    const error failure =
        failure_of(fitted({"--peers", list, "--secret-file", secret.path()}, std::nullopt));
    CHECK(says(failure, "peers (command line): a new server has to know which of them it is"));
    CHECK(says(failure, "--id"));
    CHECK(fitted({"--peers", list, "--id", "2", "--secret-file", secret.path()}, std::nullopt)
              .has_value());
    CHECK(fitted({"--primary"}, std::nullopt).has_value());
    CHECK(fitted({}, std::nullopt).has_value());
}

TEST_CASE("cli whose directory it is says which of the list it is, and where it listens") {
    const secret_file secret;
    const storage::occupant two{.server = server_id{2}, .cluster = std::nullopt};
    const std::vector<const char*> words{"--peers", list, "--secret-file", secret.path()};
    CHECK(value_of(fitted(words, two)).daemon.listen == net::host_port{"127.0.0.1", 7402});
}

TEST_CASE("B.12.3 what no cluster begins with is refused before there is a directory") {
    const secret_file secret;
    CHECK(says(failure_of(fitted({"--peers", list, "--id", "2"}, std::nullopt)), "--make-secret"));
    CHECK(says(failure_of(fitted({"--peers", list, "--id", "4", "--secret-file", secret.path()},
                                 std::nullopt)),
               "this is server 4"));
    const storage::occupant four{.server = server_id{4}, .cluster = std::nullopt};
    CHECK(says(failure_of(fitted({"--peers", list, "--secret-file", secret.path()}, four)),
               "this is server 4"));
    storage::cluster_record known;
    known.secret = value_of(server::parse_secret(std::string(64, 'a')));
    const storage::occupant member{.server = server_id{2}, .cluster = known};
    CHECK(fitted({"--peers", list}, member).has_value());
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
