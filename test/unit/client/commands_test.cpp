#include "net/spawn.hpp"
#include "program.hpp"
#include "runtime.hpp"
#include "support/lines.hpp"
#include "unit/client/little_server.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

using namespace almenara;
using namespace almenara::cli;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

const char* no_environment(const char*) {
    return nullptr;
}

/// A command that runs against a little server; what it prints is kept.
class performance {
  public:
    /// Runs the command to its end, or until `meanwhile` has interrupted it.
    void play(std::vector<std::string> arguments,
              std::function<asio::awaitable<void>(runtime&)> meanwhile = {}) {
        arguments.insert(arguments.begin(), {"--plaintext", "-s", stage.server.address()});
        const auto asked = parse_command_line(arguments, no_environment);
        REQUIRE(asked.has_value());
        std::optional<runtime> here;
        stage.play([&]() -> asio::awaitable<void> {
            here.emplace(stage.context.get_executor(), out, *asked);
            if (meanwhile) {
                net::spawn(stage.context.get_executor(), "meanwhile", meanwhile(*here));
            }
            exit = co_await asked->what->run(*here, *asked);
        });
    }

    [[nodiscard]] std::vector<std::string> lines() const { return test::lines_of(printed.str()); }

    /// Lets the others run until it is so.
    static asio::awaitable<void> until(std::function<bool()> it_is_so) {
        while (!it_is_so()) {
            co_await asio::post(asio::use_awaitable);
        }
    }

    test::stage stage;
    std::ostringstream printed;
    std::ostringstream said;
    console out{printed, said, false};
    exit_code exit = exit_code::failed;
};

/// Lets nobody in.
test::visitor::manners turn_away(wire::reject_code code) {
    return [code](test::visitor& client, const test::client_message&) {
        client.say(wire::reject{.code = code, .retry_after = 2s, .text = "Sorry"});
        client.hang_up();
    };
}

} // namespace

TEST_CASE("ping prints who answered and how fast") {
    performance show;
    const std::string address = show.stage.server.address();
    show.play({"ping"});
    CHECK(show.exit == exit_code::ok);
    CHECK_THAT(show.printed.str(),
               Catch::Matchers::StartsWith("server 1 (boot, epoch 0) at " + address + ": "));
    CHECK_THAT(show.printed.str(), Catch::Matchers::EndsWith(" ms\n"));
    CHECK(show.said.str().empty());
}

TEST_CASE("many pings end with a summary") {
    performance show;
    show.play({"ping", "--count", "3", "--interval", "1ms"});
    CHECK(show.exit == exit_code::ok);
    REQUIRE(show.lines().size() == 4);
    CHECK(show.lines()[3].starts_with("3 of 3 answered: fastest "));
}

TEST_CASE("ping in JSON is one object per line with the promised keys") {
    performance show;
    show.play({"ping", "--count", "2", "--interval", "1ms", "--json"});
    REQUIRE(show.lines().size() == 2);
    const auto object = boost::json::parse(show.lines()[1]).as_object();
    std::vector<std::string> keys;
    for (const auto& member : object) {
        keys.emplace_back(member.key());
    }
    CHECK(keys ==
          std::vector<std::string>{"server", "role", "epoch", "index", "address", "round_trip_us"});
    CHECK(object.at("role") == "boot");
    CHECK(object.at("round_trip_us").is_int64());
}

TEST_CASE("turned away at the door: 5 when full, 6 when denied") {
    performance show;
    SECTION("full") {
        show.stage.server.behave = turn_away(wire::reject_code::full);
        show.play({"ping"});
        CHECK(show.exit == exit_code::unavailable);
        CHECK(show.said.str() ==
              "almenara: ping: the server has no room for another client: Sorry. Try again in "
              "2s.\n");
        CHECK(show.printed.str().empty());
    }
    SECTION("denied, in JSON") {
        show.stage.server.behave = turn_away(wire::reject_code::denied);
        show.play({"status", "--json"});
        CHECK(show.exit == exit_code::denied);
        CHECK(show.printed.str() ==
              R"({"error":{"code":"denied","message":"status: the server does not let this )"
              R"(client in: Sorry. Ask whoever runs the server.","retry_after_ms":2000}})"
              "\n");
    }
    SECTION("another version") {
        show.stage.server.behave = turn_away(wire::reject_code::protocol);
        show.play({"status"});
        CHECK(show.exit == exit_code::failed);
    }
}

TEST_CASE("no answer within the time is exit code 5") {
    performance show;
    show.stage.server.behave = [](test::visitor& client, const test::client_message& message) {
        if (!std::holds_alternative<wire::status_request>(message)) {
            test::polite(client, message);
        }
    };
    show.play({"status", "--timeout", "20ms"});
    CHECK(show.exit == exit_code::unavailable);
    CHECK(show.said.str() == "almenara: status: no answer came within the time. Try again, or "
                             "allow more time with --timeout (it was 20ms).\n");
}

TEST_CASE("the time given is for the dial, the welcome and the answer together") {
    performance show;
    bool asked = false;
    show.stage.server.behave = [&](test::visitor& client, const test::client_message& message) {
        if (std::holds_alternative<wire::c_hello>(message)) {
            test::polite(client, message);
        } else {
            asked = true;
        }
    };
    const std::string command = GENERATE("status", "ping");
    CAPTURE(command);
    show.play({command}, [&](runtime& here) -> asio::awaitable<void> {
        const instant at_first = here.deadline();
        co_await performance::until([&] { return asked; });
        CHECK(here.deadline() == at_first);
        here.interrupt();
    });
    CHECK(show.exit == exit_code::interrupted);
}

TEST_CASE("who asks again and again has the time again for each round") {
    performance show;
    std::vector<std::string> words =
        GENERATE(std::vector<std::string>{"ping"}, std::vector<std::string>{"status", "--watch"});
    words.insert(words.end(), {"--interval", "1ms"});
    show.play(words, [&](runtime& here) -> asio::awaitable<void> {
        const instant at_first = here.deadline();
        co_await performance::until([&] { return here.deadline() > at_first; });
        here.interrupt();
    });
    CHECK(show.exit == exit_code::interrupted);
}

TEST_CASE("a request that is forbidden is exit code 6") {
    performance show;
    show.stage.server.behave = [](test::visitor& client, const test::client_message& message) {
        if (const auto* const question = std::get_if<wire::status_request>(&message)) {
            client.say(wire::error_reply{.request = question->request,
                                         .code = wire::result_code::forbidden,
                                         .text = "log in first"});
        } else {
            test::polite(client, message);
        }
    };
    show.play({"status"});
    CHECK(show.exit == exit_code::denied);
    CHECK(show.said.str() == "almenara: status: the server declined: log in first.\n");
}

TEST_CASE("an interrupted ping says goodbye and is exit code 130") {
    performance show;
    show.play({"ping", "--interval", "1h"}, [&](runtime& here) -> asio::awaitable<void> {
        co_await performance::until([&] { return !show.printed.str().empty(); });
        here.interrupt();
    });
    CHECK(show.exit == exit_code::interrupted);
    CHECK(show.lines().back().starts_with("1 of 1 answered"));
    CHECK(show.said.str().empty());
}

TEST_CASE("a command that is interrupted while it waits says nothing") {
    performance show;
    bool asked = false;
    show.stage.server.behave = [&asked](test::visitor&, const test::client_message&) {
        asked = true;
    };
    show.play({"status", "--json"}, [&](runtime& here) -> asio::awaitable<void> {
        co_await performance::until([&] { return asked; });
        here.interrupt();
    });
    CHECK(show.exit == exit_code::interrupted);
    CHECK(show.printed.str().empty());
    CHECK(show.said.str().empty());
}

TEST_CASE("a logout that is interrupted while nobody answers ends at once") {
    performance show;
    bool asked = false;
    show.stage.server.behave = [&asked](test::visitor&, const test::client_message&) {
        asked = true;
    };
    show.play({"--no-state", "logout", "--timeout", "10m"},
              [&](runtime& here) -> asio::awaitable<void> {
                  co_await performance::until([&] { return asked; });
                  here.interrupt();
              });
    CHECK(show.exit == exit_code::interrupted); // The stage does not wait for ten minutes.
}

TEST_CASE("status --watch goes on when the server has gone and comes back") {
    performance show;
    show.stage.server.behave = [](test::visitor& client, const test::client_message& message) {
        test::polite(client, message);
        if (std::holds_alternative<wire::status_request>(message)) {
            client.say(wire::bye{.reason = wire::bye_reason::stopping});
            client.hang_up();
        }
    };
    show.play({"status", "--watch", "--interval", "1ms", "--json"},
              [&](runtime& here) -> asio::awaitable<void> {
                  co_await performance::until([&] { return show.lines().size() >= 4; });
                  here.interrupt();
              });
    CHECK(show.exit == exit_code::interrupted);
    CHECK(show.lines()[0].find(R"("answered_by":1)") != std::string::npos);
    CHECK(show.lines()[1].find("the server is going down") != std::string::npos);
    CHECK(show.lines()[2].find(R"("answered_by":1)") != std::string::npos);
}

TEST_CASE("bad news that stays the same is told once") {
    performance show;
    show.stage.server.behave = turn_away(wire::reject_code::full);
    show.play({"status", "--watch", "--interval", "1ms"},
              [&](runtime& here) -> asio::awaitable<void> {
                  co_await performance::until([&] { return show.stage.server.visits() >= 5; });
                  here.interrupt();
              });
    const std::string said = show.said.str();
    CHECK(std::count(said.begin(), said.end(), '\n') == 1);
}

TEST_CASE("status --watch ends where waiting cannot help") {
    performance show;
    show.stage.server.behave = turn_away(wire::reject_code::denied);
    show.play({"status", "--watch"});
    CHECK(show.exit == exit_code::denied);
}

TEST_CASE("status takes --interval only with --watch") {
    performance show;
    show.play({"status", "--interval", "1s"});
    CHECK(show.exit == exit_code::usage);
}

TEST_CASE("a reader that has seen enough ends the command") {
    performance show;
    show.play({"ping", "--interval", "1ms"}, [&](runtime&) -> asio::awaitable<void> {
        co_await performance::until([&] { return !show.printed.str().empty(); });
        show.printed.setstate(std::ios::badbit);
    });
    CHECK(show.exit == exit_code::ok);
    CHECK(show.out.broken());
}

TEST_CASE("the program without a network") {
    std::ostringstream printed;
    std::ostringstream said;
    console out{printed, said, false};
    const auto run = [&](const std::vector<std::string>& arguments) {
        return run_program(arguments, no_environment, out);
    };
    SECTION("the version") {
        CHECK(run({"--version"}) == exit_code::ok);
        CHECK(printed.str().starts_with("almenara 0."));
    }
    SECTION("help") {
        CHECK(run({"help", "ping"}) == exit_code::ok);
        const std::string by_command = printed.str();
        printed.str("");
        CHECK(run({"ping", "--help"}) == exit_code::ok);
        CHECK(printed.str() == by_command);
    }
    SECTION("help about nothing") {
        CHECK(run({"help", "pnig"}) == exit_code::usage);
        CHECK(said.str() == "almenara: 'pnig': there is no such command. Did you mean 'ping'?\n");
    }
    SECTION("bad usage in JSON") {
        CHECK(run({"--json", "pnig"}) == exit_code::usage);
        CHECK(printed.str() == R"({"error":{"code":"invalid","message":"'pnig': there is no such )"
                               R"(command. Did you mean 'ping'?"}})"
                               "\n");
    }
    SECTION("no TLS") {
        CHECK(run({"ping"}) == exit_code::usage);
        CHECK(said.str() == "almenara: ping: 127.0.0.1:7400 is reached over TCP, and this version "
                            "has no TLS yet: add --plaintext (loopback addresses only).\n");
    }
    SECTION("a shell without completion") {
        CHECK(run({"completion", "zsh"}) == exit_code::usage);
    }
    SECTION("an output that takes nothing") {
        printed.setstate(std::ios::badbit);
        CHECK(run({"help"}) == exit_code::failed);
        CHECK(said.str().starts_with("almenara: writing to the standard output: "));
    }
}
