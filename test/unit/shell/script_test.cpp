#include "shell/script.hpp"

#include "net/spawn.hpp"
#include "shell/input_lines.hpp"
#include "unit/shell/shell_stand.hpp"

#include <array>
#include <csignal>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

using namespace almenara;
using namespace almenara::cli;
namespace asio = boost::asio;

namespace {

/// A pipe that somebody writes lines into.
class pipe_in {
  public:
    pipe_in() {
        if (::pipe2(ends_.data(), O_CLOEXEC) != 0) {
            throw std::runtime_error("no pipe");
        }
    }
    ~pipe_in() {
        close();
        ::close(ends_[0]);
    }
    pipe_in(const pipe_in&) = delete;
    pipe_in& operator=(const pipe_in&) = delete;

    void write(std::string_view text) const {
        REQUIRE(::write(ends_[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    }
    void close() {
        if (ends_[1] >= 0) {
            ::close(std::exchange(ends_[1], -1));
        }
    }
    [[nodiscard]] int reading_end() const { return ends_[0]; }

  private:
    std::array<int, 2> ends_{-1, -1};
};

class performance : public test::shell_stand {
  public:
    using shell_stand::shell_stand;

    exit_code play(std::string_view text,
                   std::function<asio::awaitable<void>(pipe_in&)> meanwhile = {}) {
        pipe_in input;
        input.write(text);
        if (!meanwhile) {
            input.close();
        }
        exit_code exit = exit_code::failed;
        stage.play([&]() -> asio::awaitable<void> {
            const shell_settings how{.start = start};
            if (meanwhile) {
                net::spawn(stage.context.get_executor(), "meanwhile", meanwhile(input));
            }
            exit = co_await run_script(input.reading_end(), out, how);
        });
        return exit;
    }
};

} // namespace

TEST_CASE("a script runs line by line, without a prompt and without an echo") {
    performance show;
    CHECK(show.play("# colours\nkv put colour blue\n\nkv get colour") == exit_code::ok);
    CHECK(show.printed.str() == "index 8, epoch 3, on the disks of 2 of 3 servers\nblue\n");
    CHECK(show.said.str().empty());
    CHECK(show.primary.sessions() == 1);
}

TEST_CASE("a script ends with the first command that fails, whose line it names") {
    performance show;
    CHECK(show.play("kv put a 1\n\nkv get shape\nkv put b 2\n") == exit_code::not_found);
    CHECK(show.said.str() == "almenara: line 3: kv get shape: there is no such key. 'almenara kv "
                             "list' shows the keys.\n");
    CHECK_FALSE(show.primary.keys.contains("b"));
}

TEST_CASE("with --keep-going a script goes on, and the first failure is its exit code") {
    performance show{{"--keep-going"}};
    CHECK(show.play("kv get shape\npnig\nkv put b 2\n") == exit_code::not_found);
    const auto said = test::lines_of(show.said.str());
    CHECK(said.at(0).starts_with("almenara: line 1: "));
    CHECK(said.at(1).starts_with("almenara: line 2: 'pnig'"));
    CHECK(show.value("b") == "2");
}

TEST_CASE("a line that is too long fails as others do, and in JSON too") {
    performance show{{"--keep-going", "--json"}};
    std::size_t left = input_lines::longest + 1;
    const exit_code exit = show.play("", [&](pipe_in& input) -> asio::awaitable<void> {
        for (; left > 0; left -= std::min<std::size_t>(left, 4096)) {
            input.write(std::string(std::min<std::size_t>(left, 4096), 'a'));
            co_await asio::post(asio::use_awaitable);
        }
        input.write("\nkv put b 2\n");
        input.close();
    });
    CHECK(exit == exit_code::usage);
    CHECK(show.said.str().starts_with("almenara: line 1: it has more than 1048576 bytes"));
    CHECK(show.printed.str().starts_with("{\"error\":{\"code\":\"invalid\""));
    CHECK(show.value("b") == "2");
}

TEST_CASE("a script that cannot be read says what to do, and in JSON too") {
    performance show{{"--json"}};
    const int directory = ::open("/", O_RDONLY | O_CLOEXEC);
    exit_code exit = exit_code::ok;
    show.stage.play([&]() -> asio::awaitable<void> {
        const shell_settings how{.start = show.start};
        exit = co_await run_script(directory, show.out, how);
    });
    ::close(directory);
    CHECK(exit == exit_code::failed);
    CHECK(show.said.str() == "almenara: line 1: the standard input cannot be read: Is a directory. "
                             "Give a file or a pipe, as in 'almenara < FILE'.\n");
    CHECK(show.printed.str().starts_with("{\"error\":{\"code\":\"malformed\""));
}

TEST_CASE("exit ends a script before its end") {
    performance show;
    CHECK(show.play("exit\nkv get shape\n") == exit_code::ok);
    CHECK(show.said.str().empty());
}

TEST_CASE("an empty script is a good one") {
    performance show;
    CHECK(show.play("") == exit_code::ok);
}

TEST_CASE("a writer who takes his time does not stop the connection") {
    performance show;
    const exit_code exit =
        show.play("kv put a 1\nkv put b", [&](pipe_in& input) -> asio::awaitable<void> {
            co_await performance::until([&] { return show.primary.keys.contains("a"); });
            show.stage.server.last_visitor().hang_up();
            co_await performance::until([&] { return show.stage.server.visits() == 2; });
            input.write(" 2\n");
            input.close();
        });
    CHECK(exit == exit_code::ok);
    CHECK(show.value("b") == "2");
}

TEST_CASE("a signal ends a script that waits for its next line") {
    performance show;
    const exit_code exit = show.play("kv put a 1\n", [&](pipe_in&) -> asio::awaitable<void> {
        co_await performance::until([&] { return show.primary.keys.contains("a"); });
        REQUIRE(::raise(SIGTERM) == 0);
    });
    CHECK(exit == exit_code::interrupted);
}

TEST_CASE("a line without an end is refused, and not kept in memory") {
    test::stage stage;
    pipe_in input;
    input_line line;
    input_line behind;
    stage.play([&]() -> asio::awaitable<void> {
        input_lines lines{stage.context.get_executor(), input.reading_end()};
        std::size_t written = 0;
        net::spawn(stage.context.get_executor(), "writer",
                   [](pipe_in& to, std::size_t& count) -> asio::awaitable<void> {
                       const std::string part(4096, 'a');
                       while (count <= input_lines::longest + 4096) {
                           to.write(part);
                           count += part.size();
                           co_await asio::post(asio::use_awaitable);
                       }
                   }(input, written));
        line = co_await lines.next();
        co_await performance::until([&] { return written > input_lines::longest + 4096; });
        input.write("aaa\nbehind\n");
        behind = co_await lines.next();
    });
    CHECK(line.is_too_long);
    CHECK(behind.text == "behind");
}
