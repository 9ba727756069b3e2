#include "load.hpp"

#include "net/clock.hpp"
#include "net/spawn.hpp"
#include "support/lines.hpp"
#include "support/temporary_directory.hpp"
#include "unit/client/little_primary.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <variant>

using namespace almenara;
using namespace almenara::bench;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// A load against a little primary, for one second.
struct performance {
    performance() {
        stage.server.behave = primary.manners(server_id{1}, stage.server.address());
        asked.servers = {stage.server.address()};
        asked.plaintext = true;
        asked.clients = 3;
        asked.seconds = 1;
        asked.keys = 10;
        asked.history = place / "history";
    }

    void play() {
        load all{stage.context.get_executor(), asked};
        stage.play([&]() -> asio::awaitable<void> { how = co_await all.run(); });
        done = all.result().done();
        errors = all.result().errors();
        CHECK(all.history_is_whole());
        std::ifstream file{asked.history};
        const std::string text{std::istreambuf_iterator<char>{file}, {}};
        lines = test::lines_of(text);
    }

    test::temporary_directory place;
    test::stage stage;
    test::little_primary primary;
    settings asked;
    client::answer how;
    std::uint64_t done = 0;
    std::uint64_t errors = 0;
    std::vector<std::string> lines;
};

asio::awaitable<void> run_whole(load& all) {
    const client::answer how = co_await all.run();
    CHECK(how.code == wire::result_code::ok);
}

} // namespace

TEST_CASE("a load of writes counts each, writes its history and ends its sessions") {
    performance show;
    show.play();
    CHECK(show.how.code == wire::result_code::ok);
    CHECK(show.done > 10);
    CHECK(show.done == show.primary.operations());
    CHECK(show.errors == 0);
    CHECK(show.lines.size() == show.done);
    CHECK(boost::json::parse(show.lines.front()).at("op") == "put");
    CHECK(show.primary.sessions() == 3);
    CHECK(show.primary.closed() == 3);
}

TEST_CASE("what is read has been written before") {
    performance show;
    show.asked.kind = workload_kind::read;
    show.play();
    CHECK(show.primary.operations() == 10);
    CHECK(show.done > 10);
    for (const std::string& line : show.lines) {
        const auto object = boost::json::parse(line);
        CHECK(object.at("op") == "get");
        CHECK(object.at("found") == true);
    }
}

TEST_CASE("many keys to be read are written by all clients, each key once") {
    performance show;
    show.asked.kind = workload_kind::read;
    show.asked.keys = 500;
    show.play();
    CHECK(show.how.code == wire::result_code::ok);
    CHECK(show.primary.operations() == 500);
    CHECK(show.primary.sessions() == 3);
    CHECK(show.done > 10);
    for (const std::string& line : show.lines) {
        CHECK(boost::json::parse(line).at("found") == true);
    }
}

TEST_CASE("keys that are there already are not written again") {
    performance show;
    show.asked.kind = workload_kind::read;
    show.asked.filled = true;
    show.play();
    CHECK(show.how.code == wire::result_code::ok);
    CHECK(show.primary.operations() == 0);
    CHECK(show.done > 10);
    CHECK(show.errors == 0);
}

TEST_CASE("with a rate there are as many as are due, and what waits counts from when it was due") {
    performance show;
    show.asked.rate = 100;
    show.asked.pipeline = 64;
    show.play();
    CHECK(show.done == 100);
    CHECK(show.errors == 0);
}

TEST_CASE("a load ends with its time: what was due and could not begin is counted and given up") {
    performance show;
    show.primary.answers = false;
    show.asked.clients = 1;
    show.asked.pipeline = 1;
    show.asked.rate = 100;
    show.asked.timeout = 300ms;
    const instant begin = net::monotonic_now();
    show.play();
    CHECK(net::monotonic_now() - begin < 10s);
    CHECK(show.done == 0);
    CHECK(show.errors == 100);
    CHECK(show.lines.size() < 10); // What was never asked is no operation.
}

TEST_CASE("a load that is interrupted ends early, with what it has") {
    performance show;
    show.primary.answers = false;
    show.asked.rate = 100;
    show.asked.seconds = 60;
    load all{show.stage.context.get_executor(), show.asked};
    asio::steady_timer later{show.stage.context, 500ms};
    later.async_wait([&](const boost::system::error_code&) { all.interrupt(); });
    const instant begin = net::monotonic_now();
    show.stage.play([&]() -> asio::awaitable<void> { show.how = co_await all.run(); });
    CHECK(net::monotonic_now() - begin < 10s);
    CHECK(show.how.code == wire::result_code::ok);
    CHECK(all.result().errors() > 0);
    CHECK(all.result().errors() < 1000);
}

TEST_CASE("a load may be destroyed with operations open, as when its program fails") {
    performance show;
    show.primary.answers = false;
    {
        load all{show.stage.context.get_executor(), show.asked};
        const auto is_asked = [&show] {
            const bool all_are_there = show.stage.server.visits() == show.asked.clients;
            if (!all_are_there || show.stage.server.last_visitor().heard().empty()) {
                return false;
            }
            return std::holds_alternative<wire::operation>(
                show.stage.server.last_visitor().heard().back());
        };
        const auto fail = [&]() -> asio::awaitable<void> {
            net::spawn(show.stage.context.get_executor(), "load", run_whole(all));
            while (!is_asked()) {
                co_await asio::post(asio::use_awaitable);
            }
            throw std::runtime_error("a defect");
        };
        CHECK_THROWS_AS(show.stage.play(fail), net::task_failed);
    }
    // What was open is in the history, as unknown.
    std::ifstream file{show.asked.history};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    CHECK_FALSE(test::lines_of(text).empty());
}

TEST_CASE("a load that finds nobody says so") {
    performance show;
    show.asked.servers = {"127.0.0.1:1"};
    show.play();
    CHECK(show.how.code == wire::result_code::cancelled);
    CHECK(show.done == 0);
}
