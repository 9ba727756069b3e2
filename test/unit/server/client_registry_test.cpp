#include "server/client_registry.hpp"

#include "log/log.hpp"
#include "support/results.hpp"
#include "unit/server/fake_client.hpp"
#include "unit/server/reception_stand.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <poll.h>
#include <unistd.h>

// Decision 004: a crowd does not make a long turn.
namespace almenara::server {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using test::value_of;

/// A server that knows nothing, and how often it was asked what it knows.
class plain_surroundings final : public surroundings {
  public:
    [[nodiscard]] wire::welcome welcome() const override { return {}; }
    [[nodiscard]] wire::status_reply status() const override {
        ++times_asked;
        return {};
    }
    [[nodiscard]] wire::pong position() const override { return {}; }
    [[nodiscard]] std::size_t files_of_state() const override { return 0; }
    void administer(connection_id, const wire::admin&) override { FAIL("nobody wished anything"); }
    void server_calls(std::unique_ptr<net::byte_stream>) override { ++servers; }

    mutable std::size_t times_asked = 0;
    std::size_t servers = 0; ///< that have come to the clients' door
};

/// As far as it is read before it is known who speaks.
base::byte_vector server_says_hello() {
    base::byte_vector bytes;
    wire::append_frame({.type = wire::message_type{0x0101}}, wire::ping{}, bytes);
    return bytes;
}

/// A registry, a reception behind it, and one client that says all it has to say beforehand.
class stand {
  public:
    explicit stand(const session_limits& limits = {}) : limits_(limits) {
        tcp::acceptor door{turns_.context(), {asio::ip::address_v4::loopback(), 0}};
        client_.connect(door.local_endpoint());
        tcp::socket accepted = door.accept();
        server_end_ = ::dup(accepted.native_handle());
        clients_.add(value_of(net::make_plain_stream(std::move(accepted))), client_origin::network);
    }
    void says_hello() { says(wire::c_hello{.request = request_id{1}}); }

    template <class Message>
    void says(const Message& message) {
        asio::write(client_, asio::buffer(test::frame_of(message)));
    }

    /// Until everything is answered and the client is gone.
    void runs() {
        ::close(std::exchange(server_end_, -1));
        client_.shutdown(tcp::socket::shutdown_send);
        turns_.at_end_of_turn([this] { end_of_turn(); });
        turns_.run();
    }

    /// In the turn in which the time is over that the client had to say something it begins to
    /// speak as a server does.
    void runs_and_calls_as_a_server(bool after_the_deadline) {
        asio::steady_timer behind{turns_.context()};
        const auto call = [this] {
            asio::write(client_, asio::buffer(server_says_hello()));
            ::pollfd arrives{.fd = server_end_, .events = POLLIN, .revents = 0};
            REQUIRE(::poll(&arrives, 1, 10'000) == 1);
            ::close(std::exchange(server_end_, -1));
        };
        bool is_set = false;
        turns_.at_end_of_turn([&] {
            end_of_turn();
            if (std::exchange(is_set, true)) {
                return;
            }
            if (!after_the_deadline) {
                call(); // A turn looks at what has come before it looks at the time.
                return;
            }
            behind.expires_at(std::chrono::steady_clock::now());
            behind.async_wait([call](const boost::system::error_code&) { call(); });
        });
        asio::post(turns_.context(), [] {});
        turns_.run();
    }

    [[nodiscard]] std::vector<test::server_words> hears_all() {
        boost::system::error_code end;
        asio::read(client_, asio::dynamic_buffer(heard_), end);
        const auto read = std::as_bytes(std::span{heard_});
        return test::words_in(base::byte_vector{read.begin(), read.end()});
    }

    plain_surroundings around;
    std::vector<std::size_t> answered_in_turns; ///< of those in which something was

  private:
    void end_of_turn() {
        if (clients_.serve(hall_.hall())) {
            turns_.look_again_until(turns_.now());
        }
        std::vector<leaving> answers;
        hall_.hall().take_answers(answers);
        if (!answers.empty()) {
            answered_in_turns.push_back(answers.size());
        }
        for (leaving& one : answers) {
            clients_.answer(std::move(one));
        }
        clients_.flush();
        if (clients_.connections() == 0) {
            until_it_is_gone_.reset();
        }
    }

    reactor turns_;
    asio::executor_work_guard<asio::any_io_executor> until_it_is_gone_{turns_.executor()};
    test::reception_stand hall_;
    session_limits limits_;
    client_registry clients_{
        turns_, around, {.max_clients = 10, .descriptors = 100, .session = limits_}, 1};
    tcp::socket client_{turns_.context()};
    int server_end_ = -1; ///< to see what has come there
    std::vector<char> heard_;
};

template <class Message>
std::size_t count_of(const std::vector<test::server_words>& words) {
    return static_cast<std::size_t>(
        std::count_if(words.begin(), words.end(), [](const test::server_words& one) {
            return std::holds_alternative<Message>(one);
        }));
}

} // namespace

TEST_CASE("decision 004: so many requests are served in a turn, the others in the next ones") {
    constexpr std::uint32_t questions = 100;
    stand s;
    s.says_hello();
    for (std::uint32_t number = 1; number <= questions; ++number) {
        s.says(wire::whois{.request = request_id{number + 1}, .wait = {}});
    }
    s.runs();
    CHECK(count_of<wire::primary_is>(s.hears_all()) == questions);
    CHECK(s.answered_in_turns.size() >= questions / client_registry::served_in_a_turn);
    for (const std::size_t served : s.answered_in_turns) {
        CHECK(served <= client_registry::served_in_a_turn);
    }
}

TEST_CASE("decision 004: what a server says of itself is put together once a turn") {
    constexpr std::uint32_t questions = 100;
    stand s;
    s.says_hello();
    for (std::uint32_t number = 1; number <= questions; ++number) {
        s.says(wire::status_request{request_id{number + 1}});
    }
    s.runs();
    CHECK(count_of<wire::status_reply>(s.hears_all()) == questions);
    // All that waits to be read is read in a turn or two.
    CHECK(s.around.times_asked > 0);
    CHECK(s.around.times_asked < questions / 5);
}

TEST_CASE("B.2: a server that says hello in the moment its time is over is heard or closed") {
    const bool after_the_deadline = GENERATE(false, true);
    REQUIRE(log::open({})); // The end of a connection is told with who it was.
    stand s{{.hello = duration{0}, .farewell_at_door = duration{0}}};
    s.runs_and_calls_as_a_server(after_the_deadline);
    CHECK(s.around.servers == (after_the_deadline ? 0 : 1));
    CHECK(count_of<wire::bye>(s.hears_all()) == (after_the_deadline ? 1 : 0));
    log::close();
}

} // namespace almenara::server
