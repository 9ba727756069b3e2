#include "server/peer_links.hpp"

#include "support/link_frames.hpp"
#include "support/results.hpp"
#include "wire/presence.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

// B.2: connections between servers, with real sockets on this machine.
namespace almenara::server {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using test::value_of;

constexpr auto patience = std::chrono::seconds{20};
constexpr epoch spoken_in{7};

replica::message ping() {
    return replica::link_ping{.role = replica::role_name::backup};
}

base::byte_vector frame_of(const replica::message& what) {
    base::byte_vector bytes;
    test::append_link_frame(what, bytes,
                            {.type = {}, .flags = {}, .epoch = spoken_in, .hlc = hlc_stamp{99}});
    return bytes;
}

base::byte_vector presence_frame(const wire::presence& what) {
    base::byte_vector bytes;
    wire::append_message<wire::presence_messages>(
        what, bytes,
        {.type = {}, .flags = {wire::frame_flag::ignorable}, .epoch = spoken_in, .hlc = {}});
    return bytes;
}

replica::message hello(replica::connection_kind kind) {
    replica::hello said;
    said.from.kind = kind;
    return said;
}

/// A chunk of so many bytes of one entry.
replica::message chunk(std::size_t bytes) {
    replica::log_chunk said;
    said.entries.push_back({.payload = base::byte_vector(bytes)});
    return said;
}

/// One server's links, and what they told; time runs while somebody waits for something.
class stand {
  public:
    ~stand() {
        links->close_all();
        theirs.reset();
        context_.restart();
        context_.run_for(patience);
    }

    template <class Condition>
    bool comes_true(Condition&& condition) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!condition() && std::chrono::steady_clock::now() < deadline) {
            context_.restart();
            context_.run_one_for(std::chrono::milliseconds{10});
            links->flush();
            links->bury();
        }
        return condition();
    }

    template <class Event>
    [[nodiscard]] const Event* find() const {
        for (const replica::event& what : told) {
            if (const auto* const found = std::get_if<Event>(&what)) {
                return found;
            }
        }
        return nullptr;
    }
    template <class Event>
    const Event& hears() {
        REQUIRE(comes_true([this] { return find<Event>() != nullptr; }));
        return *find<Event>();
    }
    [[nodiscard]] std::size_t frames() const {
        return static_cast<std::size_t>(
            std::count_if(told.begin(), told.end(), [](const replica::event& what) {
                return std::holds_alternative<replica::frame_received>(what);
            }));
    }

    /// Somebody connects; `theirs` is their end.
    connection_id connected() {
        tcp::acceptor door{context_, {asio::ip::address_v4::loopback(), 0}};
        theirs.emplace(context_);
        theirs->connect(door.local_endpoint());
        links->accept(value_of(net::make_plain_stream(door.accept())));
        return find<replica::connection_opened>()->connection;
    }
    /// All of it, or until nobody takes it any more.
    void they_say(base::byte_view bytes) {
        theirs->non_blocking(true);
        error_code failure;
        REQUIRE(comes_true([&] {
            bytes = bytes.subspan(
                theirs->write_some(asio::buffer(bytes.data(), bytes.size()), failure));
            return bytes.empty() || (failure && failure != asio::error::would_block);
        }));
    }
    /// What they were sent until the end of it.
    base::byte_vector they_hear_all() {
        base::byte_vector all;
        bool ended = false;
        theirs->non_blocking(true);
        REQUIRE(comes_true([&] {
            std::array<std::byte, 4096> part{};
            error_code failure;
            const std::size_t got = theirs->read_some(asio::buffer(part), failure);
            all.insert(all.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(got));
            ended = ended || (failure && failure != asio::error::would_block);
            return ended;
        }));
        return all;
    }

    /// Whether this server has closed a connection: nothing was ever said on it.
    static bool has_ended(tcp::socket& one) {
        one.non_blocking(true);
        std::array<std::byte, 1> part{};
        error_code failure;
        one.read_some(asio::buffer(part), failure);
        return failure != asio::error::would_block;
    }

    asio::io_context& context() { return context_; }

  private:
    asio::io_context context_;

  public:
    std::vector<replica::event> told;
    std::shared_ptr<peer_links> links = std::make_shared<peer_links>(
        context_.get_executor(), [this](replica::event what) { told.push_back(std::move(what)); });
    std::optional<tcp::socket> theirs;
};

replica::outgoing to(connection_id connection, replica::message what) {
    return {.peer = server_id{3},
            .connection = connection,
            .epoch = spoken_in,
            .message = std::make_shared<const replica::message>(std::move(what))};
}

} // namespace

TEST_CASE("B.2: frames of a link become events, however they are cut") {
    stand s;
    const connection_id id = s.connected();
    base::byte_vector bytes = frame_of(hello(replica::connection_kind::control));
    const base::byte_vector second = frame_of(ping());
    bytes.insert(bytes.end(), second.begin(), second.end());
    const std::size_t cut = GENERATE(as<std::size_t>{}, 1, 5, 31, 33);
    for (std::size_t at = 0; at < bytes.size(); at += cut) {
        s.they_say(base::byte_view{bytes}.subspan(at, std::min(cut, bytes.size() - at)));
        s.context().restart();
        s.context().poll();
    }
    REQUIRE(s.comes_true([&s] { return s.frames() == 2; }));
    const auto& first = s.hears<replica::frame_received>();
    CHECK(first.connection == id);
    CHECK(first.epoch == spoken_in);
    CHECK(first.hlc == hlc_stamp{99});
    CHECK(first.message == hello(replica::connection_kind::control));
}

TEST_CASE("C.0: PRESENCE is told to its own ear and not to the core") {
    stand s;
    const connection_id id = s.connected();
    struct {
        connection_id on;
        epoch in;
        wire::presence what;
        int times = 0;
    } heard;
    s.links->tell_presence([&heard](connection_id on, epoch in, const wire::presence& what) {
        heard = {on, in, what, heard.times + 1};
    });
    wire::device_presence laptop{.device = device_tag{7}, .address = {}, .state = {}};
    laptop.address.port = 7400;
    const base::byte_vector frame = presence_frame({.devices = {laptop}});
    s.they_say(frame);
    REQUIRE(s.comes_true([&heard] { return heard.times == 1; }));
    CHECK(heard.on == id);
    CHECK(heard.in == spoken_in);
    CHECK(heard.what.devices == std::vector{laptop});
    CHECK(s.frames() == 0);

    // It leaves like everything else, behind what was said before.
    s.links->send(to(id, ping()), hlc_stamp{99});
    s.links->send(id, frame);
    s.links->close(id);
    base::byte_vector expected = frame_of(ping());
    expected.insert(expected.end(), frame.begin(), frame.end());
    CHECK(s.they_hear_all() == expected);
    s.links->send(id, frame); // Nobody is there any more.
    s.links->flush();
}

TEST_CASE("C.0: PRESENCE that makes no sense ends the connection; nobody needs to listen") {
    stand s;
    const connection_id id = s.connected();
    s.they_say(presence_frame({}));
    s.they_say(frame_of(ping()));
    REQUIRE(s.comes_true([&s] { return s.frames() == 1; }));
    base::byte_vector bad;
    wire::append_frame({.type = wire::message_type{0x0125}}, replica::hello{}, bad);
    bad.resize(wire::header_size + 3);
    wire::detail::seal_frame(bad.data(), bad.size(), {.type = wire::message_type{0x0125}});
    s.they_say(bad);
    CHECK(s.hears<replica::connection_closed>().connection == id);
}

TEST_CASE("B.2: damaged bytes, and frames that servers do not say, end the connection") {
    stand s;
    const connection_id id = s.connected();
    base::byte_vector bytes = frame_of(hello(replica::connection_kind::control));
    SECTION("a flipped bit") {
        bytes[20] ^= std::byte{1};
        s.they_say(bytes);
    }
    SECTION("garbage") {
        s.they_say(base::byte_vector(100, std::byte{0xee}));
    }
    SECTION("a client's message") {
        base::byte_vector other;
        wire::append_frame({.type = wire::message_type{0x0204}}, replica::link_ping{}, other);
        s.they_say(other);
    }
    CHECK(s.hears<replica::connection_closed>().connection == id);
    CHECK(s.frames() == 0);
    CHECK(s.links->size() == 0);
    CHECK(s.they_hear_all().empty());
}

TEST_CASE("B.13: how large a frame may be depends on what the connection is for") {
    stand s;
    static_cast<void>(s.connected());
    SECTION("before HELLO: 16 KiB") {
        s.they_say(frame_of(chunk(17U << 10U)));
        s.hears<replica::connection_closed>();
        CHECK(s.frames() == 0);
    }
    SECTION("control: 1 MiB") {
        s.they_say(frame_of(hello(replica::connection_kind::control)));
        s.they_say(frame_of(chunk(1000U << 10U)));
        REQUIRE(s.comes_true([&s] { return s.frames() == 2; }));
        s.they_say(base::byte_view{frame_of(chunk(1024U << 10U))}.first(4096));
        s.hears<replica::connection_closed>();
    }
    SECTION("bulk: 4 MiB") {
        s.they_say(frame_of(hello(replica::connection_kind::bulk)));
        REQUIRE(s.comes_true([&s] { return s.frames() == 1; }));
        s.they_say(base::byte_view{frame_of(chunk(4096U << 10U))}.first(4096));
        s.hears<replica::connection_closed>();
    }
}

TEST_CASE("B.2: what the core says arrives with its epoch and stamp, and a close comes behind it") {
    stand s;
    const connection_id id = s.connected();
    s.links->send(to(id, ping()), hlc_stamp{99});
    s.links->close(id);
    CHECK(s.they_hear_all() == frame_of(ping()));
    // What comes behind a close is nobody's any more.
    s.they_say(frame_of(ping()));
    s.theirs->close();
    REQUIRE(s.comes_true([&s] { return s.links->size() == 0; }));
    CHECK(s.frames() == 0);
    CHECK(s.find<replica::connection_closed>() == nullptr);
}

TEST_CASE("B.2: one message to several servers is the same bytes, and another is not") {
    stand s;
    const connection_id id = s.connected();
    const replica::outgoing first = to(id, ping());
    const replica::outgoing other = to(id, replica::link_whois{});
    for (const replica::outgoing& what : {first, first, other}) {
        s.links->send(what, hlc_stamp{99});
    }
    s.links->close(id);
    base::byte_vector expected = frame_of(ping());
    for (const replica::message& what : {ping(), replica::message{replica::link_whois{}}}) {
        const base::byte_vector more = frame_of(what);
        expected.insert(expected.end(), more.begin(), more.end());
    }
    CHECK(s.they_hear_all() == expected);
}

TEST_CASE("B.2: the end of a connection is told once, and nothing can be said on it") {
    stand s;
    const connection_id id = s.connected();
    s.theirs->close();
    CHECK(s.hears<replica::connection_closed>().connection == id);
    s.links->send(to(id, ping()), hlc_stamp{99});
    s.links->flush();
    s.links->close(id);
    CHECK(std::count_if(s.told.begin(), s.told.end(), [](const replica::event& what) {
              return std::holds_alternative<replica::connection_closed>(what);
          }) == 1);
}

TEST_CASE("B.2: a server that reads nothing does not fill this one's memory") {
    stand s;
    const connection_id id = s.connected();
    const auto large = chunk(512U << 10U);
    REQUIRE(s.comes_true([&] {
        s.links->send(to(id, large), hlc_stamp{99});
        return s.find<replica::connection_closed>() != nullptr;
    }));
}

TEST_CASE("B.2: a dial ends as a connection that says whom it reached, or as a failure") {
    stand s;
    const replica::dial_request wanted{.peer = server_id{3},
                                       .kind = replica::connection_kind::bulk};
    std::optional<tcp::acceptor> door{std::in_place, s.context(),
                                      tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
    const net::host_port where{.host = "127.0.0.1", .port = door->local_endpoint().port()};
    SECTION("somebody is there") {
        s.links->dial(wanted, where);
        const auto& opened = s.hears<replica::connection_opened>();
        CHECK(opened.dialled == server_id{3});
        CHECK(opened.kind == replica::connection_kind::bulk);
    }
    SECTION("nobody is there") {
        door.reset();
        s.links->dial(wanted, where);
        const auto& failed = s.hears<replica::dial_failed>();
        CHECK(failed.peer == server_id{3});
        CHECK(failed.kind == replica::connection_kind::bulk);
    }
    SECTION("F: not beyond this machine, while there is no TLS") {
        s.links->dial(wanted, {.host = "192.0.2.1", .port = 7400});
        s.hears<replica::dial_failed>();
    }
    SECTION("not any more") {
        s.links->dial(wanted, where);
        s.links->close_all();
        s.context().restart();
        s.context().run_for(patience);
        CHECK(s.told.empty());
    }
}

TEST_CASE("B.2: who comes as a server and says nothing makes room for the next one") {
    stand s;
    std::vector<tcp::socket> others;
    tcp::acceptor door{s.context(), {asio::ip::address_v4::loopback(), 0}};
    const auto comes = [&] {
        others.emplace_back(s.context()).connect(door.local_endpoint());
        s.links->accept(value_of(net::make_plain_stream(door.accept())));
    };
    const connection_id server = s.connected();
    s.they_say(frame_of(hello(replica::connection_kind::control)));
    REQUIRE(s.comes_true([&] { return s.frames() == 1; }));
    for (std::size_t i = 0; i < peer_links::most_strangers; ++i) {
        comes();
    }
    CHECK(s.links->size() == peer_links::most_strangers + 1);
    CHECK(s.find<replica::connection_closed>() == nullptr);
    comes();
    CHECK(s.links->size() == peer_links::most_strangers + 1);
    // The first of them, and not the server, which came before and said who it is.
    const auto& gone = s.hears<replica::connection_closed>();
    CHECK(gone.connection.value() == server.value() + 1);
    s.they_say(frame_of(ping()));
    CHECK(s.comes_true([&] { return s.frames() == 2; }));
    // It hears at once that nobody listens any more: its descriptor is free for others.
    CHECK(s.has_ended(others.front()));
    CHECK_FALSE(s.has_ended(others.back()));
}

TEST_CASE("B.2: connections that end are buried whether anything is said or not") {
    stand s;
    for (int i = 0; i < 3; ++i) {
        s.told.clear();
        static_cast<void>(s.connected());
        s.theirs->close();
        REQUIRE(s.comes_true([&] { return s.links->size() == 0; }));
        CHECK(s.links->unburied() == 0);
    }
}

} // namespace almenara::server
