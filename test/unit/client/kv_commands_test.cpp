#include "commands/kv.hpp"
#include "program.hpp"
#include "runtime.hpp"
#include "support/lines.hpp"
#include "support/temporary_directory.hpp"
#include "unit/client/little_primary.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch_all.hpp>

#include <array>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

using namespace almenara;
using namespace almenara::cli;
namespace asio = boost::asio;

namespace {

/// A command that runs against a little primary, beside another server; what it prints is kept.
class performance {
  public:
    performance() {
        other.listen_on_loopback();
        stage.server.behave = primary.manners(server_id{1}, stage.server.address());
        address = other.address();
        other.behave = primary.manners(server_id{2}, address);
    }

    void play(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"--plaintext", "--no-state", "-s", address});
        play_words(arguments);
    }

    void play_words(const std::vector<std::string>& arguments) {
        const auto asked =
            parse_command_line(arguments, [](const char*) -> const char* { return nullptr; });
        REQUIRE(asked.has_value());
        stage.play([&]() -> asio::awaitable<void> {
            runtime here{stage.context.get_executor(), out, *asked};
            exit = co_await asked->what->run(here, *asked);
            other.stop();
        });
    }

    void keep(const std::string& key, std::string_view value) {
        const auto bytes = base::as_bytes(value);
        primary.keys[key] = {.version = log_index{5}, .bytes = {bytes.begin(), bytes.end()}};
    }
    [[nodiscard]] std::string value(const std::string& key) const {
        return std::string{base::as_text(primary.keys.at(key).bytes)};
    }
    [[nodiscard]] boost::json::object object() const {
        return boost::json::parse(test::lines_of(printed.str()).at(0)).as_object();
    }

    test::stage stage;
    test::little_server other{stage.context};
    test::little_primary primary;
    std::string address;
    std::ostringstream printed;
    std::ostringstream said;
    console out{printed, said, false};
    exit_code exit = exit_code::failed;
};

} // namespace

TEST_CASE("kv put prints where the write stands and ends its session") {
    performance show;
    show.play({"kv", "put", "colour", "blue"});
    CHECK(show.exit == exit_code::ok);
    CHECK(show.printed.str() == "index 8, epoch 3, on the disks of 2 of 3 servers\n");
    CHECK(show.value("colour") == "blue");
    CHECK(show.primary.sessions() == 1);
    CHECK(show.primary.closed() == 1);
}

TEST_CASE("a value whose input cannot be read is no empty value") {
    const auto written = read_value("-", -1);
    REQUIRE(written.has_error());
    CHECK(written.error().exit == exit_code::failed);
    CHECK(written.error().text() ==
          "-: the standard input cannot be read: Bad file descriptor. Nothing was written. Give a "
          "file or a pipe, as in '... - < FILE'.");
    const int empty = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(read_value("-", empty).value().empty());
    ::close(empty);
}

TEST_CASE("a value is waited for, although its input says not to wait") {
    std::array<int, 2> ends{-1, -1};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    ssize_t written = 0;
    std::thread writer{[&ends, &written] {
        for (const char letter : {'b', 'l', 'u', 'e'}) {
            std::this_thread::yield();
            written += ::write(ends[1], &letter, 1);
        }
        ::close(ends[1]);
    }};
    const auto value = read_value("-", ends[0]);
    writer.join();
    ::close(ends[0]);
    CHECK(written == 4);
    REQUIRE(value.has_value());
    CHECK(base::as_text(*value) == "blue");
}

TEST_CASE("kv put in JSON has the promised keys") {
    performance show;
    show.play({"--json", "kv", "put", "colour", "blue"});
    const auto object = show.object();
    CHECK(object.at("index") == 8);
    CHECK(object.at("epoch") == 3);
    CHECK(object.at("durable_on") == 2);
    CHECK(object.at("voters") == 3);
    CHECK(object.at("seq") == 1);
    CHECK(object.at("session").as_string().size() == 32);
}

TEST_CASE("kv get prints the value as it is, or with its index in JSON") {
    performance show;
    SECTION("as it is") {
        show.keep("colour", std::string_view{"b\0\n", 3});
        show.play({"kv", "get", "colour"});
        CHECK(show.printed.str() == std::string{"b\0\n", 3});
        CHECK(show.primary.sessions() == 0);
    }
    SECTION("in JSON") {
        show.keep("colour", "blue");
        show.play({"kv", "get", "colour", "--json"});
        CHECK(show.printed.str() ==
              "{\"key\":\"colour\",\"value_base64\":\"Ymx1ZQ==\",\"index\":5}\n");
    }
    CHECK(show.exit == exit_code::ok);
}

TEST_CASE("a key that is not there: exit code 3") {
    performance show;
    SECTION("get") {
        show.play({"kv", "get", "colour"});
    }
    SECTION("rm") {
        show.play({"kv", "rm", "colour"});
    }
    CHECK(show.exit == exit_code::not_found);
    CHECK(show.said.str().find("colour: there is no such key. 'almenara kv list'") !=
          std::string::npos);
}

TEST_CASE("kv cas: swapped, or exit code 4 and the reason") {
    performance show;
    show.keep("colour", "blue");
    SECTION("swapped") {
        show.play({"kv", "cas", "colour", "blue", "green", "--json"});
        CHECK(show.exit == exit_code::ok);
        CHECK(show.object().at("swapped") == true);
        CHECK(show.value("colour") == "green");
    }
    SECTION("another value") {
        show.play({"kv", "cas", "colour", "red", "green", "--json"});
        CHECK(show.exit == exit_code::conflict);
        CHECK(show.object().at("swapped") == false);
        CHECK(show.object().at("error").at("code") == "conflict");
        CHECK(show.value("colour") == "blue");
    }
    SECTION("not there") {
        show.play({"kv", "cas", "shape", "round", "square"});
        CHECK(show.said.str() == "almenara: kv cas shape: there is no such key. Nothing was "
                                 "written: read it again with 'almenara kv get'.\n");
    }
}

TEST_CASE("kv add prints the sum; a number may be negative") {
    performance show;
    show.keep("visitors", "40");
    SECTION("text") {
        show.play({"kv", "add", "visitors", "2"});
        CHECK(test::lines_of(show.printed.str()).at(0) == "42");
    }
    SECTION("down, in JSON") {
        show.play({"kv", "add", "visitors", "-45", "--json"});
        CHECK(show.object().at("value") == -5);
    }
    CHECK(show.exit == exit_code::ok);
}

TEST_CASE("kv list pages by itself") {
    performance show;
    show.primary.page = 2;
    for (const char* const key : {"a1", "a2", "a3", "a4", "a5", "b"}) {
        show.keep(key, "v");
    }
    SECTION("text") {
        show.play({"kv", "list", "a"});
        CHECK(test::lines_of(show.printed.str()) ==
              std::vector<std::string>{"a1\t5", "a2\t5", "a3\t5", "a4\t5", "a5\t5"});
    }
    SECTION("JSON with values") {
        show.play({"kv", "list", "--values", "--json"});
        CHECK(test::lines_of(show.printed.str()).size() == 6);
        CHECK(show.object().at("value_base64") == "dg==");
    }
    CHECK(show.exit == exit_code::ok);
}

TEST_CASE("a key that is no text is told in JSON as its bytes too, so that no two look the same") {
    performance show;
    show.keep("\xff", "1");
    show.keep("\\xff", "2");
    show.play({"kv", "list", "--json"});
    const auto lines = test::lines_of(show.printed.str());
    REQUIRE(lines.size() == 2);
    const auto text = boost::json::parse(lines[0]).as_object();
    const auto bytes = boost::json::parse(lines[1]).as_object();
    CHECK(text.at("key") == "\\xff");
    CHECK_FALSE(text.contains("key_base64"));
    CHECK(bytes.at("key") == "\\xff");
    CHECK(bytes.at("key_base64") == "/w==");
}

TEST_CASE("what is too large is exit code 1, before anybody is asked") {
    performance show;
    SECTION("value") {
        show.play({"--json", "kv", "put", "k", std::string(256 * 1024 + 1, 'v')});
    }
    SECTION("key") {
        show.play({"--json", "kv", "get", std::string(513, 'k')});
    }
    CHECK(show.exit == exit_code::failed);
    CHECK(show.object().at("error").at("code") == "too_large");
    CHECK(show.other.visits() == 0);
}

TEST_CASE("what cannot be written is refused before anybody is asked") {
    performance show;
    SECTION("key") {
        show.play({"kv", "put", "", "v"});
    }
    SECTION("delta") {
        show.play({"kv", "add", "k", "1.5"});
    }
    SECTION("server") {
        show.play({"cluster", "transfer", "two"});
    }
    CHECK(show.exit == exit_code::usage);
    CHECK(show.primary.sessions() == 0);
}

TEST_CASE("the exit code tells what became of a write") {
    performance show;
    SECTION("nobody knows: 7") {
        show.primary.answers = false;
        show.play({"kv", "put", "a", "b", "--timeout", "300ms", "--json"});
        CHECK(show.exit == exit_code::unknown_outcome);
        CHECK(show.object().at("error").at("code") == "uncertain");
    }
    SECTION("no room: 1") {
        show.primary.refuses = wire::result_code::no_space;
        show.play({"kv", "put", "a", "b"});
        CHECK(show.exit == exit_code::failed);
    }
    SECTION("busy to the end: 5") {
        show.primary.refuses = wire::result_code::busy;
        show.play({"kv", "put", "a", "b", "--timeout", "400ms"});
        CHECK(show.exit == exit_code::unavailable);
    }
    SECTION("not allowed: 6") {
        show.play({"-u", "nobody", "kv", "put", "a", "b"});
        CHECK(show.exit == exit_code::denied);
    }
}

TEST_CASE("whoami and login print as whom the primary knows who asks") {
    performance show;
    SECTION("whoami") {
        show.play({"-u", "anna", "whoami"});
        CHECK(show.printed.str() == "anna\n");
    }
    SECTION("login") {
        show.play({"-u", "admin", "login", "--json"});
        CHECK(show.printed.str() == "{\"user\":\"admin\",\"administrator\":true,\"epoch\":3}\n");
    }
    CHECK(show.exit == exit_code::ok);
    CHECK(show.primary.sessions() == 0);
}

TEST_CASE("cluster transfer goes to the primary, cluster go to the server that was named") {
    performance show;
    SECTION("transfer") {
        show.play({"-u", "admin", "cluster", "transfer", "2"});
        CHECK(show.printed.str() == "to server 2\n");
    }
    SECTION("go") {
        show.play({"-u", "admin", "cluster", "go", "--json"});
        CHECK(show.printed.str() == "{\"text\":\"go\"}\n");
    }
    CHECK(show.exit == exit_code::ok);
}

TEST_CASE("cluster go at a server that has begun is a conflict: exit code 4") {
    performance show;
    const auto usual = show.other.behave;
    show.other.behave = [usual](test::visitor& client, const test::client_message& message) {
        if (const auto* const asked = std::get_if<wire::admin>(&message)) {
            wire::error_reply no{.request = asked->request, .code = wire::result_code::conflict};
            no.text = "this server belongs to a cluster already";
            client.say(no);
        } else {
            usual(client, message);
        }
    };
    show.play({"-u", "admin", "cluster", "go", "--json"});
    CHECK(show.exit == exit_code::conflict);
    CHECK(show.object().at("error").at("code") == "conflict");
    CHECK(show.said.str().find("belongs to a cluster already") != std::string::npos);
}

TEST_CASE("cluster members lists the members") {
    performance show;
    SECTION("text") {
        show.play({"cluster", "members"});
        CHECK(test::lines_of(show.printed.str()).size() == 2);
    }
    SECTION("JSON") {
        show.play({"cluster", "members", "--json"});
        CHECK(show.object().at("members").as_array().size() == 1);
    }
    CHECK(show.exit == exit_code::ok);
}

TEST_CASE("over the socket of a backup, what only the primary can do says at once where it is") {
    performance show;
    const test::temporary_directory place;
    const std::string socket = place / "admin.sock";
    show.other.stop();
    show.other.listen_on(socket);
    show.other.behave = show.primary.manners(server_id{2}, show.address);
    const std::string primary = show.stage.server.address();
    auto words = GENERATE(
        std::vector<std::string>{"kv", "put", "a", "b"}, std::vector<std::string>{"kv", "get", "a"},
        std::vector<std::string>{"whoami"}, std::vector<std::string>{"cluster", "transfer"});
    words.insert(words.begin(), {"-s", "unix:" + socket});
    show.play_words(words);
    CHECK(show.exit == exit_code::unavailable);
    const std::string said = show.said.str();
    CAPTURE(said);
    CHECK(said.find("server 1 is primary: " + primary + " is reached over TCP") !=
          std::string::npos);
    CHECK(said.find("add --plaintext") != std::string::npos);
}

TEST_CASE("nobody there: exit code 5, at once") {
    performance show;
    show.other.stop();
    show.play({"kv", "get", "colour"});
    CHECK(show.exit == exit_code::unavailable);
    CHECK(show.said.str().find("nobody listens at") != std::string::npos);
}
