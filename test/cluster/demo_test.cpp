#include "cluster/client_program.hpp"
#include "support/lines.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"
#include "support/wait.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace almenara;
using namespace almenara::test;

namespace fs = std::filesystem;
namespace json = boost::json;

// `almenara demo` as a newcomer meets it, with real servers.

namespace {

/// Below the ports that the system gives away, and another one in each process of the tests.
unsigned first_port() {
    return 12'000 + static_cast<unsigned>(::getpid() % 2000) * 10;
}

bool is_listening(unsigned port) {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool connected = ::connect(probe, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
    ::close(probe);
    return connected;
}

bool nobody_listens() {
    return !is_listening(first_port()) && !is_listening(first_port() + 1) &&
           !is_listening(first_port() + 2);
}

/// A demo whose temporary files are in a directory of the test, and which reads a file.
class stage {
  public:
    [[nodiscard]] program demo(const std::string& script, const std::string& options = {}) const {
        std::ofstream{place_ / "script"} << script;
        return reading(place_ / "script", options);
    }
    /// One that waits for commands: nothing is written into the pipe.
    [[nodiscard]] program waiting_demo() const {
        const std::string pipe = place_ / "pipe";
        if (!fs::exists(pipe)) {
            REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
        }
        return reading(pipe, {}, "3<>" + pipe + " ");
    }
    [[nodiscard]] std::string path(const std::string& name) const { return place_ / name; }
    [[nodiscard]] bool is_clean() const { return fs::is_empty(place_ / "temporary"); }
    /// The first server is started, and hardly more.
    [[nodiscard]] bool has_begun() const {
        for (const auto& each : fs::directory_iterator{place_ / "temporary"}) {
            if (fs::exists(each.path() / "server1.log")) {
                return true;
            }
        }
        return false;
    }

  private:
    [[nodiscard]] program reading(const std::string& input,
                                  const std::string& options,
                                  const std::string& more = {}) const {
        fs::create_directories(place_ / "temporary");
        return {.words = {"/bin/sh", "-c",
                          fmt::format("exec {} demo --port {} {} {}<{}", ALMENARA_CLIENT,
                                      first_port(), options, more, input)},
                .environment = {{"TMPDIR", place_ / "temporary"}}};
    }

    temporary_directory place_;
};

/// A demo with a script in the place of its servers' program.
class false_servers {
  public:
    explicit false_servers(const std::string& script) {
        fs::create_directory(home_ / "temporary");
        fs::copy(ALMENARA_CLIENT, home_ / "almenara");
        write_file(home_ / "almenarad", "#!/bin/sh\n" + script);
        fs::permissions(home_ / "almenarad", fs::perms::owner_all);
    }
    [[nodiscard]] program demo(const std::vector<std::string>& options = {}) const {
        program what{.words = {home_ / "almenara", "demo"},
                     .environment = {{"PATH", "/usr/bin:/bin"}, {"TMPDIR", home_ / "temporary"}}};
        what.words.insert(what.words.end(), options.begin(), options.end());
        return what;
    }
    [[nodiscard]] std::string path(const std::string& name) const { return home_ / name; }
    [[nodiscard]] bool is_clean() const { return fs::is_empty(home_ / "temporary"); }

  private:
    temporary_directory home_;
};

bool has_line(const std::string& text, std::string_view beginning) {
    const auto lines = lines_of(text);
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.starts_with(beginning); });
}

} // namespace

TEST_CASE("S24: a demo's servers hand over while somebody writes, and nothing of it is left") {
    const stage here;
    const finished ended = run(here.demo("kv put colour blue\n"
                                         "busy on\n"
                                         "wait 50ms\n"
                                         "kill primary\n"
                                         "kv get colour\n"
                                         "servers\n"
                                         "wait 200ms\n"
                                         "busy off\n"));
    CAPTURE(ended.out, ended.err);
    CHECK(ended.status == good_exit);
    CHECK(has_line(ended.err, "3 servers at 127.0.0.1:"));
    CHECK(has_line(ended.err, "primary lost; holding "));
    CHECK(has_line(ended.err, "reconnected to server "));
    CHECK(has_line(ended.out, "blue"));
    CHECK(ended.out.find(": ended\n") != std::string::npos);
    CHECK(ended.out.find(": none lost, none done twice\n") != std::string::npos);
    CHECK(nobody_listens());
    CHECK(here.is_clean());
}

TEST_CASE("a demo's servers are paused, go on, and are started again") {
    const stage here;
    const finished ended = run(here.demo("pause primary\n"
                                         "kv put colour red\n"
                                         "resume 1\n"
                                         "resume 2\n"
                                         "resume 3\n"
                                         "kill 2\n"
                                         "restart 2\n"
                                         "kv get colour\n",
                                         "--keep-going"));
    CAPTURE(ended.out, ended.err);
    CHECK(ended.status == exit_status{.code = 4}); // Two of the three were not paused.
    CHECK(has_line(ended.out, "server 2 starts"));
    CHECK(has_line(ended.out, "red"));
    CHECK(nobody_listens());
}

TEST_CASE("a demo tells a script in JSON what it did") {
    const stage here;
    const finished ended =
        run(here.demo("busy on\nkill 2\nservers\nbusy off\npause 2\n", "--json"));
    CAPTURE(ended.out, ended.err);
    CHECK(ended.status == exit_status{.code = 4});
    const auto lines = lines_of(ended.out);
    REQUIRE(lines.size() == 7);
    CHECK(member(json::parse(lines[1]).as_object(), "state") == R"("ended")");
    CHECK(member(json::parse(lines[3]).as_object(), "process") == "null");
    CHECK(member(json::parse(lines[5]).as_object(), "wrong") == "0");
    CHECK(json::parse(lines[6]).at("error").at("code").as_string() == "conflict");
}

TEST_CASE("a demo with a directory of its own finds there what it left") {
    const stage here;
    const std::string options = "--dir " + here.path("kept");
    const finished first = run(here.demo("kv put colour blue\n", options));
    CAPTURE(first.out, first.err);
    CHECK(first.status == good_exit);
    CHECK(has_line(first.err, "the servers' files are kept in "));
    const finished second = run(here.demo("kv get colour\n", options));
    CAPTURE(second.out, second.err);
    CHECK(has_line(second.out, "blue"));
    CHECK(here.is_clean());
}

TEST_CASE("a demo in a directory whose name would steer a terminal does not do that") {
    const stage here;
    const finished ended = run(here.demo("", "--dir '" + here.path("\x1b[31mred") + "'"));
    CAPTURE(ended.out, ended.err);
    CHECK(ended.status == good_exit);
    const auto lines = lines_of(ended.err);
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].find("/\\x1b[31mred (") != std::string::npos);
    CHECK(lines[1].ends_with("/\\x1b[31mred"));
}

TEST_CASE("a demo with a directory of its own has as many servers as that") {
    const stage here;
    const std::string options = "--dir " + here.path("kept");
    const finished first = run(here.demo("kv put colour blue\n", options + " --servers 2"));
    CAPTURE(first.out, first.err);
    REQUIRE(first.status == good_exit);
    const finished same = run(here.demo("kv get colour\nservers\n", options));
    CAPTURE(same.out, same.err);
    CHECK(has_line(same.err, "2 servers at "));
    CHECK(lines_of(same.out).size() == 3);
    const std::string other = GENERATE("1", "3");
    const finished refused = run(here.demo("", options + " --servers " + other));
    CAPTURE(refused.out, refused.err);
    CHECK(refused.status == exit_status{.code = 4});
    CHECK(refused.err == "almenara: --servers: the directory '" + here.path("kept") +
                             "' was used for 2 servers. Give --servers 2, or another "
                             "--dir.\n");
    CHECK_FALSE(fs::exists(here.path("kept/server3")));
}

TEST_CASE("a demo that gets a signal stops its servers and takes its files away") {
    const int signal = GENERATE(SIGINT, SIGTERM, SIGHUP, SIGQUIT);
    const stage here;
    process demo{here.waiting_demo()};
    eventually([&] { return has_line(demo.errors(), "3 servers at "); }, "the demo is there");
    demo.send(signal);
    CHECK(demo.wait() == exit_status{.code = 130});
    CHECK(nobody_listens());
    CHECK(here.is_clean());
}

TEST_CASE("a demo that gets a signal before its servers are there opens no shell") {
    const int signal = GENERATE(SIGINT, SIGTERM, SIGHUP, SIGQUIT);
    const stage here;
    process demo{here.waiting_demo()};
    eventually([&] { return here.has_begun(); }, "the first server is started");
    demo.send(signal);
    CHECK(demo.wait() == exit_status{.code = 130});
    CHECK(nobody_listens());
    CHECK(here.is_clean());
}

TEST_CASE("a demo that gets signal upon signal takes its files away all the same") {
    const bool is_served = GENERATE(false, true);
    const stage here;
    process demo{here.waiting_demo()};
    eventually(
        [&] { return is_served ? has_line(demo.errors(), "3 servers at ") : here.has_begun(); },
        "the demo is there");
    // Again and again, for the time at the very end is short; but it must come to act, too.
    eventually(
        [&demo] {
            demo.send(SIGINT);
            return demo.has_ended();
        },
        "the demo ends");
    const exit_status ended = demo.wait();
    CAPTURE(ended);
    // Behind the end of all there may be one that has its usual effect.
    CHECK((ended == exit_status{.code = 130} || ended == exit_status{.signal = SIGINT}));
    CHECK(nobody_listens());
    CHECK(here.is_clean());
}

TEST_CASE("a demo keeps what is set for other servers from its own") {
    const stage here;
    program what = here.demo("servers\n");
    what.environment.insert({{"ALMENARA_WAIT", "1"},
                             {"ALMENARA_PRIMARY", "1"},
                             {"ALMENARA_MAX_CLIENTS", "1"},
                             {"ALMENARA_LOG_FILE", here.path("log")}});
    const finished ended = run(what);
    CAPTURE(ended.out, ended.err);
    CHECK(ended.status == good_exit);
    CHECK_FALSE(fs::exists(here.path("log")));
    CHECK(here.is_clean());
}

TEST_CASE("a demo shows the hand-over although its shell was not used before") {
    const stage here;
    const finished ended = run(here.demo("busy on\nkill primary\nwait 1s\nbusy off\n"));
    CAPTURE(ended.out, ended.err);
    CHECK(ended.status == good_exit);
    CHECK(has_line(ended.err, "primary lost; holding 0 operations"));
    CHECK(has_line(ended.err, "reconnected to server "));
}

TEST_CASE("a demo that is killed leaves no server behind") {
    const stage here;
    process demo{here.waiting_demo()};
    eventually([&] { return has_line(demo.errors(), "3 servers at "); }, "the demo is there");
    demo.send(SIGKILL);
    CHECK(demo.wait() == exit_status{.signal = SIGKILL});
    eventually(nobody_listens, "its servers are gone");
}

TEST_CASE("a demo says what is wrong with what it is asked") {
    const stage here;
    const auto fails = [&](const std::string& options, int with, std::string_view why) {
        const finished ended = run(here.demo("", options));
        CAPTURE(options, ended.out, ended.err);
        CHECK(ended.status == exit_status{.code = with});
        CHECK(ended.err.find(why) != std::string::npos);
        CHECK(here.is_clean());
    };
    fails("--servers 8", 2, "--servers: '8' is not a whole number from 1 to 7");
    fails("--servers 0", 2, "--servers: '0' is not a whole number from 1 to 7");
    fails("-s 127.0.0.1:7400", 2, "a demo has servers of its own, and asks no others. Leave it");
    fails("--servers none", 2, "--servers");
    fails("--dir /dev/null/below", 1, "making the directory '/dev/null/below'");
}

TEST_CASE("a demo says what to do instead of a word that it does not take") {
    const stage here;
    const finished ended = run(here.demo("kill ''\n"
                                         "servers x\n"
                                         "busy off\n"
                                         "resume 1\n"
                                         "kill 1\n"
                                         "resume 1\n"
                                         "busy on\n"
                                         "busy on\n",
                                         "--keep-going --servers 1"));
    CAPTURE(ended.out, ended.err);
    CHECK(has_line(ended.err, "almenara: line 1: '': the demo has no such server. Write 'primary' "
                              "or one of 1."));
    CHECK(has_line(ended.err, "almenara: line 2: servers: these are not the words that it takes. "
                              "Write 'servers'."));
    CHECK(has_line(ended.err, "almenara: line 3: busy: it is off already. 'busy on' begins it."));
    CHECK(has_line(ended.err,
                   "almenara: line 4: resume 1: it is not paused. 'pause 1' stops its time."));
    CHECK(has_line(ended.err, "almenara: line 6: resume 1: it has ended. 'restart 1' starts it."));
    CHECK(has_line(ended.err, "almenara: line 8: busy: it is on already. 'busy off' ends it, and "
                              "says what became of it."));
    CHECK(here.is_clean());
}

TEST_CASE("a demo without a place for its files, or without a server's program, says what to do") {
    temporary_directory home;
    program alone{.words = {home / "almenara", "demo"}, .environment = {{"PATH", home.path()}}};
    fs::copy(ALMENARA_CLIENT, alone.words.front());
    std::string why;
    SECTION("no directory for temporary files") {
        alone.environment["TMPDIR"] = home / "nowhere";
        why = "Let TMPDIR name one, or give one with --dir.";
    }
    SECTION("no almenarad") {
        why = "starting 'almenarad': No such file or directory. Put it beside 'almenara'";
    }
    const finished ended = run(alone);
    CAPTURE(ended.out, ended.err);
    CHECK(ended.status == exit_status{.code = 1});
    CHECK(ended.err.starts_with("almenara: demo: "));
    CHECK(ended.err.find(why) != std::string::npos);
}

TEST_CASE("a demo that gets a signal while its secret is made ends at once") {
    const false_servers here{"echo > \"$TMPDIR/../begun\"\nexec sleep 3600\n"};
    process demo{here.demo()};
    eventually([&] { return fs::exists(here.path("begun")); }, "the secret is being made");
    demo.send(SIGINT);
    CHECK(demo.wait(std::chrono::seconds{8}) == exit_status{.code = 130});
    CHECK(demo.errors().empty());
    CHECK(here.is_clean());
}

TEST_CASE("a demo whose server does not start says why, of this start alone, and what to do") {
    const false_servers here{"[ \"$1\" = --make-secret ] && exec touch $2\n"
                             "echo noise\n"
                             "if [ -e $TMPDIR/../again ]; then echo 'it cannot be.'; exit 1; fi\n"
                             "echo > $TMPDIR/../again\n"
                             "echo 'binding: Address already in use.'; exit 1\n"};
    const std::string kept = here.path("kept");
    const program what = here.demo({"--servers", "1", "--dir", kept});
    CHECK(run(what).err == "the servers' files are kept in " + kept +
                               "\n"
                               "almenara: demo: server 1: it ended with exit code 1. It said: "
                               "binding: Address already in use. Name other ports with --port.\n");
    CHECK(run(what).err == "the servers' files are kept in " + kept +
                               "\n"
                               "almenara: demo: server 1: it ended with exit code 1. It said: it "
                               "cannot be. See '" +
                               kept + "/server1.log'.\n");
    CHECK(run(here.demo({"--servers", "1"})).err ==
          "almenara: demo: server 1: it ended with exit code 1. It said: it cannot be. With --keep "
          "its files stay, and all that it said.\n");
}

TEST_CASE("a demo on a full disk says so") {
    if (::geteuid() != 0) {
        WARN("skipped: only root can make a small file system");
        return;
    }
    const stage here;
    const std::string left = GENERATE("0", "4");
    program what = here.demo("");
    what.words = {"/usr/bin/unshare", "--mount", "/bin/sh", "-c",
                  "mount -t tmpfs -o size=64k none $TMPDIR || exit 99\n"
                  "head -c $((60 - " +
                      left +
                      "))k /dev/zero > $TMPDIR/filler; head -c 4k /dev/zero >> $TMPDIR/filler\n"
                      "exec " ALMENARA_CLIENT " demo < /dev/null\n"};
    const finished ended = run(what);
    CAPTURE(ended.out, ended.err);
    const bool has_no_namespace = ended.err.starts_with("unshare:") || ended.err.empty();
    if (ended.status == exit_status{.code = 99} || has_no_namespace) {
        WARN("skipped: this root may not mount");
        return;
    }
    CHECK(ended.status == exit_status{.code = 1});
    CHECK(ended.err.find(left == "0" ? "It said: almenarad: making '"
                                     : "and there is no room for what it said. Make room ") !=
          std::string::npos);
}

TEST_CASE("a demo whose ports are taken says so, and leaves those alone who have them") {
    const stage here;
    process demo{here.waiting_demo()};
    eventually([&] { return has_line(demo.errors(), "3 servers at "); }, "the demo is there");
    const finished second = run(here.demo("kv list\n"));
    CAPTURE(second.out, second.err);
    CHECK(second.status == exit_status{.code = 1});
    CHECK(second.err.find("are taken. Name the first of some that are free with --port.") !=
          std::string::npos);
    CHECK(is_listening(first_port()));
}
