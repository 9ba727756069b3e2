#include "client/api.hpp"

#include "net/clock.hpp"
#include "net/spawn.hpp"
#include "services/kv/bodies.hpp"
#include "support/temporary_directory.hpp"
#include "unit/client/api_stand.hpp"
#include "wire/beacon.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_all.hpp>

#include <array>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

using namespace almenara;
using namespace std::chrono_literals;
using wire::result_code;
namespace asio = boost::asio;
namespace kv = services::kv::body;
using test::in;
using test::to;
using test::two_servers;
using test::until_asked;

namespace {

base::byte_vector bytes_of(std::string_view text) {
    const auto bytes = base::as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

asio::awaitable<client::answer> write_in_a_moment(client::api& api) {
    co_await asio::post(asio::use_awaitable);
    base::byte_vector body = kv::put("b", {});
    co_return co_await api.write(std::move(body), in(5s));
}

/// Gives up what waits as soon as the server was asked for it.
asio::awaitable<void> when_asked(test::little_server& server, asio::cancellation_signal& stop) {
    co_await until_asked(server);
    stop.emit(asio::cancellation_type::terminal);
}

} // namespace

TEST_CASE("an api writes and reads through the primary, whichever server it was told") {
    two_servers here;
    here.stage.play([&]() -> asio::awaitable<void> {
        client::api api{here.stage.context.get_executor(), to(here.other.address())};
        base::byte_vector write = kv::put("colour", bytes_of("blue"));
        const auto written = co_await api.write(std::move(write), in(5s));
        CHECK(written.code == result_code::ok);
        CHECK(written.index == log_index{8});
        CHECK(written.seq == sequence{1});
        CHECK(written.durable_on == 2);
        CHECK(written.voters == 3);
        base::byte_vector question = kv::get("colour");
        const auto read = co_await api.read(std::move(question), in(5s));
        CHECK(read.code == result_code::ok);
        CHECK(kv::in<kv::service::value>(read.body)->bytes == bytes_of("blue"));
        const auto closed = co_await api.close_session(in(5s));
        CHECK(closed.code == result_code::ok);
        CHECK(here.primary.closed() == 1);
        co_await api.close();
        here.other.stop();
    });
}

TEST_CASE("C.3: an api follows the primary and brings what was asked to its end") {
    two_servers here;
    here.stage.play([&]() -> asio::awaitable<void> {
        client::api api{here.stage.context.get_executor(),
                        to(here.stage.server.address(), here.other.address())};
        std::vector<client::source> found;
        api.listen([&](const client::news& what) {
            if (const auto* const again = std::get_if<client::reconnected>(&what)) {
                found.push_back(again->told_by);
            }
        });
        base::byte_vector first = kv::put("a", {});
        co_await api.write(std::move(first), in(5s));
        here.primary.answers = false;
        std::optional<client::answer> held;
        api.write(kv::put("b", bytes_of("1")), in(10s),
                  [&](client::answer how) { held = std::move(how); });
        CHECK_FALSE(held);
        here.primary.answers = true;
        here.primary.primary = server_id{2};
        here.primary.epoch = epoch{4};
        here.stage.server.stop();
        base::byte_vector last = kv::put("c", {});
        const auto written = co_await api.write(std::move(last), in(10s));
        CHECK(written.code == result_code::ok);
        CHECK(written.epoch == epoch{4});
        CHECK(written.seq == sequence{3});
        REQUIRE(held);
        CHECK(held->seq == sequence{2});
        CHECK(here.primary.keys.contains("b"));
        CHECK(found.size() == 1);
        co_await api.close();
        here.other.stop();
    });
}

TEST_CASE("C.2: an api registers by datagram, and leaves a silent primary when one names another") {
    two_servers here;
    const wire::beacon_pass pass{.tag = device_tag{77}, .key = base::key256{{std::byte{3}}}};
    here.primary.beacon = pass;
    here.primary.cluster = cluster_id{{std::byte{5}}};
    asio::ip::udp::socket ear{here.stage.context,
                              {asio::ip::make_address("127.0.0.1"), here.stage.server.port()}};
    here.stage.play([&]() -> asio::awaitable<void> {
        auto options = to(here.stage.server.address());
        options.how.follow = {client::source::beacon};
        client::api api{here.stage.context.get_executor(), options};
        std::vector<client::source> found;
        api.listen([&](const client::news& what) {
            if (const auto* const again = std::get_if<client::reconnected>(&what)) {
                found.push_back(again->told_by);
            }
        });
        base::byte_vector first = kv::put("a", {});
        co_await api.write(std::move(first), in(5s));
        std::array<std::byte, wire::register_size + 1> bytes{};
        asio::ip::udp::endpoint client_at;
        const std::size_t size =
            co_await ear.async_receive_from(asio::buffer(bytes), client_at, asio::use_awaitable);
        CHECK(size == wire::register_size);
        CHECK(wire::is_authentic(base::byte_view{bytes}.first(size), pass.key));
        CHECK(client_at.address().is_loopback());
        // It hears what is asked and says nothing, as one that is paused.
        here.stage.server.behave = [](test::visitor&, const test::client_message&) {};
        here.stage.server.last_visitor().stop_listening();
        here.primary.primary = server_id{2};
        here.primary.epoch = epoch{4};
        wire::u_coord news{.cluster = wire::tag_of(*here.primary.cluster),
                           .device = pass.tag,
                           .epoch = epoch{4},
                           .primary = server_id{2}};
        const base::byte_vector told = wire::to_bytes(news, pass.key);
        ear.send_to(asio::buffer(told), client_at);
        base::byte_vector second = kv::put("b", {});
        const auto written = co_await api.write(std::move(second), in(10s));
        CHECK(written.code == result_code::ok);
        CHECK(written.epoch == epoch{4});
        CHECK(found == std::vector{client::source::beacon});
        co_await api.close();
        here.other.stop();
    });
}

TEST_CASE("an api whose servers are not there says so at once if it must find somebody") {
    test::stage stage;
    const std::string address = stage.server.address();
    stage.server.stop();
    stage.play([&]() -> asio::awaitable<void> {
        auto options = to(address);
        options.how.must_find_somebody = true;
        client::api api{stage.context.get_executor(), options};
        base::byte_vector question = kv::get("colour");
        const auto read = co_await api.read(std::move(question), in(15s));
        CHECK(read.code == result_code::cancelled);
        REQUIRE(read.trouble);
        CHECK(read.trouble->kind == client::failure_kind::refused);
        co_await api.close();
    });
}

TEST_CASE("what waits when an api is given up or destroyed is answered") {
    two_servers here;
    here.primary.answers = false;
    const bool is_given_up = GENERATE(false, true);
    int answered = 0;
    here.stage.play([&]() -> asio::awaitable<void> {
        {
            client::api api{here.stage.context.get_executor(), to(here.stage.server.address())};
            co_await api.log_in(in(5s));
            for (int i = 0; i < 3; ++i) {
                api.write(kv::put("a", {}), in(5s), [&](const client::answer&) { ++answered; });
            }
            if (is_given_up) {
                api.give_up();
                CHECK(answered == 3);
            }
        }
        CHECK(answered == 3);
        here.other.stop();
    });
}

TEST_CASE("a request is asked when it is awaited, and no answer is lost however late that is") {
    two_servers here;
    here.stage.play([&]() -> asio::awaitable<void> {
        client::api api{here.stage.context.get_executor(), to(here.stage.server.address())};
        co_await api.log_in(in(5s));
        base::byte_vector a = kv::put("a", {});
        base::byte_vector b = kv::put("b", {});
        auto first = api.write(std::move(a), in(5s));
        auto second = api.write(std::move(b), in(5s));
        const auto one = co_await std::move(first);
        CHECK(one.code == result_code::ok);
        CHECK(here.primary.keys.size() == 1);
        const auto other = co_await std::move(second);
        CHECK(other.code == result_code::ok);
        CHECK(other.seq == sequence{2});
        co_await api.close();
        here.other.stop();
    });
}

TEST_CASE("C.3: a coroutine that is cancelled while it asks learns how it ended, too") {
    two_servers here;
    here.primary.answers = false;
    here.stage.play([&]() -> asio::awaitable<void> {
        const asio::any_io_executor executor = here.stage.context.get_executor();
        client::api api{executor, to(here.stage.server.address())};
        co_await api.log_in(in(5s));
        asio::cancellation_signal stop;
        // It is told that its time is over when the next one asks: nobody looks at the clock
        // before.
        const instant over = in(1ms);
        api.write(kv::put("a", {}), over,
                  [&](const client::answer&) { stop.emit(asio::cancellation_type::terminal); });
        while (net::monotonic_now() <= over) {
        }
        const client::answer how =
            co_await asio::co_spawn(executor, write_in_a_moment(api),
                                    asio::bind_cancellation_slot(stop.slot(), asio::use_awaitable));
        CHECK(how.code != result_code::ok);
        CHECK(how.why == "this client gave up waiting");
        co_await api.close();
        here.other.stop();
    });
}

TEST_CASE("C.3: a logout that is cancelled between two questions says how far it came") {
    const test::temporary_directory home;
    two_servers here;
    here.stage.play([&]() -> asio::awaitable<void> {
        const asio::any_io_executor executor = here.stage.context.get_executor();
        const auto how = test::keeping(here, home / "state");
        {
            client::api before{executor, how};
            base::byte_vector body = kv::put("a", {});
            const auto written = co_await before.write(std::move(body), in(5s));
            CHECK(written.code == result_code::ok);
            co_await before.close();
        }
        client::api api{executor, how};
        asio::cancellation_signal stop;
        api.listen([&](const client::news& what) {
            if (std::holds_alternative<client::logged_in>(what)) {
                stop.emit(asio::cancellation_type::terminal); // Its answer comes in this turn.
            }
        });
        const auto done =
            co_await asio::co_spawn(executor, api.log_out(in(5s)),
                                    asio::bind_cancellation_slot(stop.slot(), asio::use_awaitable));
        CHECK(done.how.code != result_code::ok);
        CHECK(done.closed == 0);
        CHECK(here.primary.closed() == 0);
        co_await api.close();
        here.other.stop();
    });
}

TEST_CASE("C.3: a coroutine that is cancelled learns how it ended, and the api goes on") {
    two_servers here;
    here.primary.answers = false;
    here.stage.play([&]() -> asio::awaitable<void> {
        const asio::any_io_executor executor = here.stage.context.get_executor();
        client::api api{executor, to(here.stage.server.address())};
        co_await api.log_in(in(5s));
        asio::cancellation_signal stop;
        base::byte_vector body = kv::put("a", {});
        auto writing = api.write(std::move(body), in(5s));
        net::spawn(executor, "stop", when_asked(here.stage.server, stop));
        const client::answer how =
            co_await asio::co_spawn(executor, std::move(writing),
                                    asio::bind_cancellation_slot(stop.slot(), asio::use_awaitable));
        CHECK(how.code == result_code::uncertain);
        here.primary.answers = true;
        base::byte_vector next = kv::put("b", {});
        const auto written = co_await api.write(std::move(next), in(5s));
        CHECK(written.code == result_code::ok);
        co_await api.close();
        here.other.stop();
    });
}

TEST_CASE("C.3: an api goes on with what one that was killed has left") {
    namespace fs = std::filesystem;
    const test::temporary_directory home;
    two_servers here;
    here.primary.answers = false;
    std::vector<client::resumed> told;
    here.stage.play([&]() -> asio::awaitable<void> {
        auto how = test::keeping(here, home / "first");
        {
            client::api api{here.stage.context.get_executor(), how};
            co_await api.log_in(in(5s));
            api.write(kv::put("colour", bytes_of("blue")), in(5s), [](const client::answer&) {});
            co_await until_asked(here.stage.server);
            // What a process leaves that is killed now: nobody is told anything.
            fs::copy(home / "first", home / "second", fs::copy_options::recursive);
            fs::permissions(home / "second/clusters", fs::perms::owner_all);
        }
        here.primary.answers = true;
        CHECK_FALSE(here.primary.keys.contains("colour"));
        how.state_directory = home / "second";
        client::api api{here.stage.context.get_executor(), how};
        api.listen([&](const client::news& what) {
            if (const auto* const earlier = std::get_if<client::resumed>(&what)) {
                told.push_back(*earlier);
            }
        });
        std::vector<std::string> notes;
        api.listen_to_notes([&](const std::string& note) { notes.push_back(note); });
        base::byte_vector next = kv::put("size", {});
        const auto written = co_await api.write(std::move(next), in(5s));
        CHECK(written.code == result_code::ok);
        CHECK(written.seq == sequence{2});
        CHECK(notes.empty());
        REQUIRE(told.size() == 1);
        CHECK(told[0].seq == sequence{1});
        CHECK(told[0].body == kv::put("colour", bytes_of("blue")));
        CHECK(told[0].answer.code == result_code::ok);
        CHECK(here.primary.keys.contains("colour"));
        CHECK(here.primary.sessions() == 1);
        const auto logout = co_await api.log_out(in(5s));
        CHECK(logout.how.code == result_code::ok);
        CHECK(logout.closed == 1);
        CHECK(logout.kept == 0);
        CHECK(here.primary.closed() == 1);
        co_await api.close();
        here.other.stop();
    });
}

TEST_CASE("a server that sends nonsense is left, and the next one asked") {
    two_servers here;
    here.primary.primary = server_id{2};
    here.stage.server.behave = [](test::visitor& client, const test::client_message&) {
        const std::string noise(200, '\x7f');
        client.send(base::as_bytes(noise));
    };
    here.stage.play([&]() -> asio::awaitable<void> {
        client::api api{here.stage.context.get_executor(),
                        to(here.stage.server.address(), here.other.address())};
        base::byte_vector write = kv::put("a", {});
        const auto written = co_await api.write(std::move(write), in(10s));
        CHECK(written.code == result_code::ok);
        co_await api.close();
        here.other.stop();
    });
}
