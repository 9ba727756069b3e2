#include "shell/interpreter.hpp"

#include "net/spawn.hpp"
#include "unit/shell/shell_stand.hpp"

using namespace almenara;
using namespace almenara::cli;
namespace asio = boost::asio;

namespace {

/// Lines that run one behind the other in one shell.
class performance : public test::shell_stand {
  public:
    using shell_stand::shell_stand;

    void play(const std::vector<std::string>& lines,
              std::function<asio::awaitable<void>(interpreter&)> meanwhile = {}) {
        stage.play([&]() -> asio::awaitable<void> {
            const shell_settings how{.start = start, .extra = &extra};
            interpreter shell{stage.context.get_executor(), out, how};
            if (meanwhile) {
                net::spawn(stage.context.get_executor(), "meanwhile", meanwhile(shell));
            }
            for (const std::string& line : lines) {
                const exit_code exit = co_await shell.run(line);
                exits.push_back(exit);
            }
            left = shell.is_left();
            visits = stage.server.visits();
            co_await shell.close();
        });
    }

    test::little_extra extra;
    std::vector<exit_code> exits;
    bool left = false;
    std::size_t visits = 0;
};

using exits = std::vector<exit_code>;

} // namespace

TEST_CASE("whoever opened the shell is heard through it as long as it is open") {
    performance show;
    show.extra.say("too early");
    show.play({"kill 1"}, [&](interpreter&) -> asio::awaitable<void> {
        show.extra.say("server 1 ended");
        co_return;
    });
    show.extra.say("too late");
    CHECK(show.said.str() == "server 1 ended\n");
}

TEST_CASE("the lines of a shell share one client and one session") {
    performance show;
    show.play({"kv put colour blue", "kv put 'my key' \"a value\"", "kv get 'my key'"});
    CHECK(show.exits == exits(3, exit_code::ok));
    CHECK(show.printed.str() == "index 8, epoch 3, on the disks of 2 of 3 servers\n"
                                "index 9, epoch 3, on the disks of 2 of 3 servers\n"
                                "a value\n");
    CHECK(show.primary.sessions() == 1);
    CHECK(show.primary.closed() == 0);
    CHECK(show.visits == 1);
}

TEST_CASE("a line that asks as somebody else has a client of its own") {
    performance show;
    show.play({"kv put a 1", "-u bob kv put b 2", "kv put c 3"});
    CHECK(show.exits == exits(3, exit_code::ok));
    CHECK(show.primary.sessions() == 2);
    CHECK(show.primary.closed() == 1);
}

TEST_CASE("a shell goes on behind a line that fails, and each has its exit code") {
    performance show;
    show.play({"kv get colour", "pnig", "kv put 'a", "restrat", "", "# nothing", "--json"});
    CHECK(show.exits == exits{exit_code::not_found, exit_code::usage, exit_code::usage,
                              exit_code::usage, exit_code::ok, exit_code::ok, exit_code::usage});
    const auto said = test::lines_of(show.said.str());
    CHECK(said.at(1) == "almenara: 'pnig': there is no such command. Did you mean 'ping'?");
    CHECK(said.at(2).starts_with("almenara: column 8: the quote ' that opens here"));
    CHECK(said.at(4).starts_with("almenara: no command: there is nothing to do."));
}

TEST_CASE("exit and quit leave the shell, and take no words") {
    performance show;
    SECTION("exit") {
        show.play({"exit"});
        CHECK(show.left);
    }
    SECTION("quit") {
        show.play({"quit"});
        CHECK(show.left);
    }
    SECTION("with a word") {
        show.play({"exit now"});
        CHECK_FALSE(show.left);
        CHECK(show.exits == exits{exit_code::usage});
    }
    SECTION("nearly") {
        show.play({"exti"});
        CHECK(show.said.str().find("Did you mean 'exit'?") != std::string::npos);
    }
}

TEST_CASE("examples may be typed as the help shows them") {
    performance show;
    show.keep("colour", "blue");
    show.play({"almenara --plaintext kv get colour", "almenara"});
    CHECK(show.exits == exits(2, exit_code::ok));
    CHECK(show.printed.str() == "blue\n");
}

TEST_CASE("the help of a shell begins with tasks and names the words it has besides") {
    performance show;
    show.play({"help"});
    CHECK(show.printed.str().starts_with("Keep a value:\n  kv put colour blue"));
    CHECK(show.printed.str().find("  kill SERVER   kill a server\n"
                                  "  pause SERVER  let it stand still\n") != std::string::npos);
    CHECK(show.printed.str().ends_with("exit, quit or Ctrl-D leave the shell.\n"));
}

TEST_CASE("the words to leave have a help of their own, and asking for it does not leave") {
    for (const std::string line :
         {"help exit", "help quit", "exit --help", "quit -h", "almenara help exit"}) {
        CAPTURE(line);
        performance show;
        show.play({line});
        CHECK(show.exits == exits{exit_code::ok});
        CHECK(show.printed.str().starts_with("Usage: exit\n       quit\n\nLeave the shell"));
        CHECK_FALSE(show.left);
    }
}

TEST_CASE("words that were brought along have a help of their own") {
    performance show;
    show.play({"help kill", "kill --help", "kill primary -h", "help pause"});
    CHECK(show.exits == exits(4, exit_code::ok));
    CHECK(show.extra.ran.empty());
    CHECK(show.said.str().empty());
    CHECK(test::lines_of(show.printed.str()) ==
          std::vector<std::string>{"  kill SERVER  kill a server", "  kill SERVER  kill a server",
                                   "  kill SERVER  kill a server",
                                   "  pause SERVER  let it stand still"});
}

TEST_CASE("whoever opens a shell may bring words along") {
    performance show;
    show.play({"kill primary", "pasue 1"});
    CHECK(show.extra.ran == std::vector<std::vector<std::string>>{{"kill", "primary"}});
    CHECK(show.printed.str() == "done\n");
    CHECK(show.said.str().find("Did you mean 'pause'?") != std::string::npos);
}

TEST_CASE("words that were brought along take --json too, of their line or of the shell") {
    performance show;
    show.play({"kill primary --json", "pause 1"});
    CHECK(show.extra.ran ==
          std::vector<std::vector<std::string>>{{"kill", "primary"}, {"pause", "1"}});
    CHECK(show.extra.as_json == std::vector{true, false});
    performance in_json;
    in_json.start.json = true;
    in_json.play({"pause 1"});
    CHECK(in_json.extra.as_json == std::vector{true});
}

TEST_CASE("C.3: an interrupt ends the line that runs, says how it ended, and the shell goes on") {
    performance show;
    show.primary.answers = false;
    show.play({"kv put a 1", "kv put b 2"}, [&](interpreter& shell) -> asio::awaitable<void> {
        co_await performance::until([&] { return show.is_asked_for_an_operation(); });
        show.primary.answers = true;
        shell.interrupt();
    });
    CHECK(show.exits == exits{exit_code::interrupted, exit_code::ok});
    CHECK(show.said.str() == "almenara: kv put a: interrupted, and it may have happened or happen "
                             "yet. Look before you do it again.\n");
    CHECK(show.primary.sessions() == 1);
}

TEST_CASE("an interrupt reaches the words that were brought along") {
    performance show;
    show.extra.stands_still = true;
    show.play({"kill 1"}, [&](interpreter& shell) -> asio::awaitable<void> {
        co_await performance::until([&] { return !show.extra.ran.empty(); });
        shell.interrupt();
    });
    CHECK(show.exits == exits{exit_code::interrupted});
}

TEST_CASE("a value cannot come from where the lines come from") {
    performance show;
    show.play({"kv put a -", "kv cas a - -", "kv list -"});
    CHECK(show.exits == exits{exit_code::usage, exit_code::usage, exit_code::ok});
    CHECK(test::lines_of(show.said.str()).at(0) ==
          "almenara: -: the commands themselves come from the standard input. Write the value, or "
          "run this command by itself.");
}

TEST_CASE("a shell says when its primary is lost and found") {
    performance show;
    bool cut = false;
    show.play({"kv put a 1", "kv put b 2"}, [&](interpreter&) -> asio::awaitable<void> {
        co_await performance::until([&] { return show.primary.operations() == 1; });
        show.stage.server.last_visitor().hang_up();
        cut = true;
    });
    CHECK(cut);
    CHECK(show.exits == exits(2, exit_code::ok));
    const auto said = test::lines_of(show.said.str());
    REQUIRE(said.size() == 2);
    CHECK(said[0].starts_with("primary lost; holding "));
    CHECK(said[1].starts_with("reconnected to server 1, epoch 3 ("));
}
