#include "client/api.hpp"

#include "client/keeper.hpp"
#include "net/clock.hpp"
#include "net/spawn.hpp"
#include "services/kv/bodies.hpp"
#include "support/temporary_directory.hpp"
#include "unit/client/little_primary.hpp"
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
#include <functional>
#include <string>
#include <vector>

using namespace almenara;
using namespace std::chrono_literals;
using wire::result_code;
namespace asio = boost::asio;
namespace kv = services::kv::body;

namespace {

instant in(duration time) {
    return net::monotonic_now() + time;
}

base::byte_vector bytes_of(std::string_view text) {
    const auto bytes = base::as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

template <class... Addresses>
client::api_options to(const Addresses&... servers) {
    client::api_options options;
    options.how.servers = {servers...};
    options.how.user = "anna";
    options.how.client_name = "test 1";
    options.how.seed = 7;
    options.plaintext = true;
    return options;
}

/// A primary and one more server, which knows who it is.
struct two_servers {
    two_servers() {
        other.listen_on_loopback();
        stage.server.behave = primary.manners(server_id{1}, stage.server.address());
        other.behave = primary.manners(server_id{2}, other.address());
    }

    test::stage stage;
    test::little_server other{stage.context};
    test::little_primary primary;
};

/// Returns when the server was asked for an operation.
asio::awaitable<void> until_asked(test::little_server& server) {
    const auto is_asked = [&server] {
        return std::holds_alternative<wire::operation>(server.last_visitor().heard().back());
    };
    while (!is_asked()) {
        co_await asio::post(asio::use_awaitable);
    }
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

namespace {

/// Asks for three things that nobody answers, and destroys the api while it is told of one of them
/// or of what else has happened.
class leaves_when_told {
  public:
    enum class told_by : std::uint8_t { news, answer, refusal };

    leaves_when_told(two_servers& here, told_by by) : here_(here), by_(by) {}

    asio::awaitable<void> play() {
        const asio::any_io_executor executor = here_.stage.context.get_executor();
        api_.emplace(executor, to(here_.stage.server.address()));
        co_await api_->log_in(in(5s));
        api_->listen([this](const client::news& what) {
            told(by_ == told_by::news && std::holds_alternative<client::primary_lost>(what));
        });
        here_.primary.answers = false;
        if (by_ == told_by::refusal) {
            api_->give_up();
        }
        for (int i = 0; i < 3; ++i) {
            const bool is_short = by_ == told_by::answer && i == 0;
            api_->write(kv::put("a", {}), in(is_short ? 50ms : 10s), [this](const client::answer&) {
                ++answers;
                told(by_ != told_by::news);
            });
        }
        if (by_ == told_by::news) {
            co_await until_asked(here_.stage.server);
            here_.stage.server.stop();
        }
        while (api_) {
            co_await asio::post(asio::use_awaitable);
        }
        answers_before = answers;
        co_await asio::post(asio::use_awaitable); // Behind what was posted before.
        here_.stage.server.stop();
        here_.other.stop();
    }

    int answers = 0;
    int answers_before = 0;
    bool told_behind = false;

  private:
    void told(bool must_leave) {
        told_behind = told_behind || is_gone_;
        if (must_leave && api_ && !is_leaving_) {
            is_leaving_ = true;
            api_.reset();
            is_gone_ = true;
        }
    }

    two_servers& here_;
    told_by by_;
    std::optional<client::api> api_;
    bool is_leaving_ = false;
    bool is_gone_ = false;
};

} // namespace

TEST_CASE("an api may be destroyed by who is told something, and tells nothing behind it") {
    using told_by = leaves_when_told::told_by;
    const auto by = GENERATE(told_by::news, told_by::answer, told_by::refusal);
    two_servers here;
    leaves_when_told one{here, by};
    here.stage.play([&] { return one.play(); });
    CHECK(one.answers == 3);
    CHECK(one.answers_before == 3);
    CHECK_FALSE(one.told_behind);
}

TEST_CASE("what was refused before an api is destroyed is answered before it is gone") {
    two_servers here;
    here.stage.play([&]() -> asio::awaitable<void> {
        int answered = 0;
        {
            client::api api{here.stage.context.get_executor(), to(here.stage.server.address())};
            api.give_up();
            api.write(kv::put("a", {}), in(5s), [&](const client::answer&) { ++answered; });
            CHECK(answered == 0);
        }
        CHECK(answered == 1);
        co_await asio::post(asio::use_awaitable);
        CHECK(answered == 1);
        here.stage.server.stop();
        here.other.stop();
    });
}

TEST_CASE("who asks again when it is refused leaves the reactor to others") {
    two_servers here;
    here.stage.play([&]() -> asio::awaitable<void> {
        const asio::any_io_executor executor = here.stage.context.get_executor();
        client::api api{executor, to(here.stage.server.address())};
        api.give_up();
        int asked = 0;
        bool was_others_turn = false;
        std::function<void()> ask = [&] {
            ++asked;
            api.write(kv::put("a", {}), in(5s), [&](const client::answer&) {
                if (!was_others_turn && asked < 1000) {
                    ask();
                }
            });
        };
        ask();
        asio::post(executor, [&] { was_others_turn = true; });
        while (!was_others_turn) {
            co_await asio::post(asio::use_awaitable);
        }
        CHECK(asked < 10);
        here.stage.server.stop();
        here.other.stop();
    });
}

TEST_CASE("an api that is given up by who is told something has kept what it knows by then") {
    const test::temporary_directory home;
    two_servers here;
    here.primary.cluster = cluster_id{{std::byte{0x3f}}};
    here.stage.play([&]() -> asio::awaitable<void> {
        auto how = to(here.stage.server.address());
        how.state_directory = home / "state";
        client::api api{here.stage.context.get_executor(), how};
        std::optional<client::known_cluster> kept;
        api.listen([&](const client::news& what) {
            if (std::holds_alternative<client::logged_in>(what) && !kept) {
                api.give_up();
                client::keeper files{home / "state", how.how.user};
                kept = files.hint(how.how.servers);
            }
        });
        base::byte_vector body = kv::put("a", {});
        const auto ended = co_await api.write(std::move(body), in(5s));
        CHECK(ended.code != result_code::ok);
        REQUIRE(kept);
        CHECK(kept->seen == epoch{3});
        here.stage.server.stop();
        here.other.stop();
    });
}

TEST_CASE("what cannot be kept when an api is given up is told") {
    const test::temporary_directory home;
    two_servers here;
    here.primary.cluster = cluster_id{{std::byte{0x3f}}};
    here.stage.play([&]() -> asio::awaitable<void> {
        auto how = to(here.stage.server.address());
        how.state_directory = home / "state";
        client::api api{here.stage.context.get_executor(), how};
        std::vector<std::string> notes;
        api.listen_to_notes([&](const std::string& note) { notes.push_back(note); });
        api.listen([&](const client::news& what) {
            if (std::holds_alternative<client::logged_in>(what)) {
                // A directory lies where the file belongs.
                for (const auto& each :
                     std::filesystem::directory_iterator{home / "state/clusters"}) {
                    std::filesystem::remove(each.path() / "cluster");
                    std::filesystem::create_directories(each.path() / "cluster" / "full");
                }
                api.give_up();
            }
        });
        base::byte_vector body = kv::put("a", {});
        co_await api.write(std::move(body), in(5s));
        REQUIRE(notes.size() == 1);
        CHECK(notes.front().find("it is no regular file") != std::string::npos);
        here.stage.server.stop();
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
    here.primary.cluster = cluster_id{{std::byte{0x3f}}};
    here.stage.play([&]() -> asio::awaitable<void> {
        const asio::any_io_executor executor = here.stage.context.get_executor();
        auto how = to(here.stage.server.address());
        how.state_directory = home / "state";
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

TEST_CASE("who listens to an api may listen otherwise in the call") {
    two_servers here;
    here.stage.play([&]() -> asio::awaitable<void> {
        client::api api{here.stage.context.get_executor(), to(here.stage.server.address())};
        std::string heard;
        const auto once = [&heard, &api, behind = std::string(100, 'x')](const client::news&) {
            api.listen([&heard](const client::news&) { heard += 'b'; });
            heard += behind.front();
        };
        api.listen(once);
        base::byte_vector first = kv::put("a", {});
        co_await api.write(std::move(first), in(5s));
        here.stage.server.stop();
        while (heard.size() < 2) { // The primary is lost.
            co_await asio::post(asio::use_awaitable);
        }
        co_await api.close();
        CHECK(heard.substr(0, 2) == "xb");
        CHECK(heard.find('x', 1) == std::string::npos);
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
    here.primary.cluster = cluster_id{{std::byte{0x3f}}};
    here.primary.answers = false;
    std::vector<client::resumed> told;
    here.stage.play([&]() -> asio::awaitable<void> {
        auto how = to(here.stage.server.address());
        how.state_directory = home / "first";
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
