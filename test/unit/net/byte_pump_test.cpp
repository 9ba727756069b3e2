#include "net/byte_pump.hpp"

#include "support/results.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <catch2/catch_all.hpp>

#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace almenara::net {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using local_socket = asio::local::stream_protocol::socket;

/// More than the kernel takes for an end that does not read.
constexpr std::size_t much = 4U * 1024 * 1024;

/// Bytes in which each place is recognised.
std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
        text[i] = static_cast<char>('a' + (i + i / 251) % 26);
    }
    return text;
}

/// Writes down what it is told.
class diary final : public byte_pump::owner {
  public:
    void first_bytes_wait() override { ++first_bytes; }
    std::span<std::byte> read_into() override { return buffer_; }
    void bytes_arrived(std::size_t count) override {
        REQUIRE(count > 0);
        REQUIRE(count <= buffer_.size());
        got += base::as_text(base::byte_view{buffer_}.first(count));
        if (on_bytes) {
            on_bytes();
        }
    }
    void all_sent() override { ++times_all_sent; }
    void stream_ended(const error_code& failure) override {
        ++ends;
        why = failure;
    }

    std::string got;
    int first_bytes = 0;
    int times_all_sent = 0;
    int ends = 0;
    error_code why;
    std::function<void()> on_bytes;

  private:
    std::array<std::byte, 16> buffer_{};
};

/// A pump with its owner, and the other end of its stream as a plain socket that does what the
/// test says, when it says so.
class scene {
  public:
    scene() {
        local_socket ours{context_};
        local_socket theirs{context_};
        asio::local::connect_pair(ours, theirs);
        theirs.non_blocking(true);
        theirs_ = theirs.release();
        auto stream = test::value_of(make_plain_stream(std::move(ours)));
        pump_ = std::make_shared<byte_pump>(context_.get_executor(), std::move(stream), *owner_,
                                            "test");
    }
    ~scene() {
        they_close();
        pump_->close();
        settle();
    }
    scene(const scene&) = delete;
    scene& operator=(const scene&) = delete;

    [[nodiscard]] byte_pump& pump() { return *pump_; }
    [[nodiscard]] diary& owner() { return *owner_; }

    [[nodiscard]] asio::any_io_executor executor() { return context_.get_executor(); }

    /// Everything that can happen now happens.
    void settle() {
        context_.restart();
        context_.poll();
    }

    void we_send(std::string_view text) {
        base::byte_vector out{base::as_bytes(text).begin(), base::as_bytes(text).end()};
        pump_->send(out);
        CHECK(out.empty());
    }

    void they_send(std::string_view text) {
        REQUIRE(::send(theirs_, text.data(), text.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(text.size()));
        settle();
    }
    void they_say_no_more() {
        ::shutdown(theirs_, SHUT_WR);
        settle();
    }
    void they_close() {
        if (theirs_ >= 0) {
            ::close(std::exchange(theirs_, -1));
            settle();
        }
    }

    /// Reads until there is nothing more, with what the pump still writes in between.
    std::string they_read() {
        std::string text;
        std::array<char, 65536> chunk{};
        ssize_t got = 0;
        while ((got = ::recv(theirs_, chunk.data(), chunk.size(), 0)) > 0) {
            text.append(chunk.data(), static_cast<std::size_t>(got));
            settle();
        }
        they_saw_the_end = got == 0;
        CHECK((got == 0 || errno == EAGAIN || errno == ECONNRESET));
        return text;
    }
    bool they_saw_the_end = false;

    /// The owner dies, and closes its pump before, as owners do.
    void owner_dies() {
        pump_->close();
        owner_.reset();
    }

    /// Nobody but this test holds the pump: its coroutines are at their end.
    [[nodiscard]] bool pump_is_idle() const { return pump_.use_count() == 1; }

  private:
    asio::io_context context_{1};
    std::unique_ptr<diary> owner_ = std::make_unique<diary>();
    std::shared_ptr<byte_pump> pump_;
    int theirs_ = -1;
};

} // namespace

TEST_CASE("what the other end sends arrives in order, whatever the buffer") {
    scene both;
    both.pump().start_reading();
    both.they_send("hello, ");
    both.they_send(pattern(1000));
    CHECK(both.owner().got == "hello, " + pattern(1000));
    CHECK(both.owner().ends == 0);
}

TEST_CASE("003 first bytes are noticed and not read") {
    scene both;
    both.pump().await_first_bytes();
    both.settle();
    CHECK(both.owner().first_bytes == 0);
    both.they_send("hello");
    both.they_send(" again");
    CHECK(both.owner().first_bytes == 1);
    CHECK(both.owner().got.empty());

    both.pump().start_reading();
    both.settle();
    CHECK(both.owner().got == "hello again");
    CHECK(both.owner().first_bytes == 1);
}

TEST_CASE("003 a connection that closes without a word ends when it is read") {
    scene both;
    both.pump().await_first_bytes();
    both.they_close();
    CHECK(both.owner().first_bytes == 1);
    both.pump().start_reading();
    both.settle();
    CHECK(both.owner().ends == 1);
    CHECK(both.owner().why == asio::error::eof);
}

TEST_CASE("what fits is sent at once") {
    scene both;
    both.we_send("hello");
    CHECK(both.pump().queued() == 0);
    CHECK(both.pump().sent() == 5);
    CHECK(both.owner().times_all_sent == 1);
    CHECK(both.they_read() == "hello");
}

TEST_CASE("to send nothing is nothing") {
    scene both;
    both.we_send("");
    CHECK(both.owner().times_all_sent == 0);
    CHECK(both.they_read().empty());
    CHECK_FALSE(both.they_saw_the_end);
}

TEST_CASE("what does not fit waits, is counted, and comes in order") {
    scene both;
    const std::string text = pattern(much);
    both.we_send(text);
    both.we_send("behind it");
    both.we_send(" and behind that");
    both.settle();
    const std::size_t all = much + 25;
    CHECK(both.pump().queued() > 0);
    CHECK(both.pump().queued() + both.pump().sent() == all);
    CHECK(both.owner().times_all_sent == 0);

    const std::string read = both.they_read();
    CHECK(read.size() == all);
    CHECK((read == text + "behind it and behind that"));
    CHECK(both.pump().queued() == 0);
    CHECK(both.pump().sent() == all);
    CHECK(both.owner().times_all_sent == 1);
}

TEST_CASE("S27 an orderly end delivers everything although the other end reads late") {
    scene both;
    both.pump().start_reading();
    both.we_send(pattern(much));
    both.pump().finish();
    both.pump().finish();
    both.settle();
    CHECK(both.owner().ends == 0);

    CHECK((both.they_read() == pattern(much)));
    CHECK(both.they_saw_the_end);
    CHECK(both.owner().ends == 0);
    both.they_close();
    CHECK(both.owner().ends == 1);
    CHECK(both.pump_is_idle());
}

TEST_CASE("S27 an orderly end with nothing queued is seen at once") {
    scene both;
    both.pump().finish();
    both.settle();
    CHECK(both.they_read().empty());
    CHECK(both.they_saw_the_end);
    CHECK(both.owner().ends == 0);
}

TEST_CASE("S27 an orderly end delivers everything to an end that will say no more") {
    scene both;
    both.pump().start_reading();
    both.we_send(pattern(much));
    both.pump().finish();
    both.they_say_no_more();
    CHECK(both.owner().ends == 0);
    CHECK((both.they_read() == pattern(much)));
    CHECK(both.they_saw_the_end);
    CHECK(both.owner().ends == 1);
    CHECK(both.owner().why == asio::error::eof);
    CHECK(both.pump_is_idle());
}

TEST_CASE("S27 what comes after an orderly end is taken and thrown away") {
    scene both;
    both.pump().start_reading();
    both.they_send("before");
    both.pump().finish();
    // More than a socket holds: the other end is not blocked by it.
    for (int i = 0; i < 100; ++i) {
        both.they_send(pattern(50'000));
    }
    CHECK(both.owner().got == "before");
    both.they_close();
    CHECK(both.owner().ends == 1);
}

TEST_CASE("after close() nothing more is sent, said or held") {
    scene both;
    both.pump().start_reading();
    both.we_send(pattern(much));
    both.pump().close();
    both.we_send("too late");
    both.pump().finish();
    both.pump().start_reading();
    const std::string read = both.they_read();
    CHECK(read.size() < much);
    CHECK((pattern(much).starts_with(read)));
    CHECK(both.they_saw_the_end);
    CHECK(both.owner().ends == 0);
    CHECK(both.owner().times_all_sent == 0);
    CHECK(both.pump_is_idle());
}

TEST_CASE("an owner may close in the middle of what it is told") {
    scene both;
    both.owner().on_bytes = [&] { both.pump().close(); };
    both.pump().start_reading();
    both.they_send(pattern(100));
    CHECK(both.owner().got.size() == 16);
    CHECK(both.owner().ends == 0);
    CHECK(both.pump_is_idle());
}

TEST_CASE("style 6 an owner may go while the pump reads, writes or waits") {
    scene both;
    SECTION("reads") {
        both.pump().start_reading();
    }
    SECTION("writes") {
        both.we_send(pattern(much));
    }
    SECTION("waits for the first bytes") {
        both.pump().await_first_bytes();
    }
    both.settle();
    both.owner_dies();
    both.settle();
    CHECK(both.pump_is_idle());
    both.they_close();
}

TEST_CASE("a paused pump reads no more than the one read that is under way") {
    scene both;
    both.pump().start_reading();
    both.settle();
    both.pump().pause_reading();
    for (int i = 0; i < 10; ++i) {
        both.they_send(pattern(100));
    }
    CHECK(both.owner().got.size() <= 16);
    both.pump().start_reading();
    both.settle();
    CHECK(both.owner().got.size() == 1000);
}

TEST_CASE("a pause that is over before the pump notices changes nothing") {
    scene both;
    both.pump().start_reading();
    both.settle();
    both.pump().pause_reading();
    both.pump().start_reading();
    both.pump().start_reading();
    both.they_send(pattern(100));
    CHECK(both.owner().got == pattern(100));
}

TEST_CASE("the end of a stream is told once, whoever notices it first") {
    scene both;
    both.pump().start_reading();
    SECTION("the reader") {
        both.they_close();
        both.we_send("into the void");
    }
    SECTION("the writer in its loop") {
        both.we_send(pattern(much));
        both.settle();
        both.they_close();
    }
    SECTION("the writer at once") {
        both.settle();
        both.pump().pause_reading();
        both.they_send("x");
        both.they_close();
        both.we_send("into the void");
    }
    both.settle();
    CHECK(both.owner().ends == 1);
    CHECK(both.pump_is_idle());
}

TEST_CASE("B.2: the first bytes can be looked at before anything is read, and again") {
    scene both;
    std::array<std::byte, 6> front{};
    both.pump().await_first_bytes();
    both.settle();
    CHECK(both.pump().peek(front) == 0);
    both.they_send("hell");
    CHECK(both.owner().first_bytes == 1);
    CHECK(both.pump().peek(front) == 4);
    both.they_send("o, world");
    CHECK(both.pump().peek(front) == front.size());
    CHECK(base::as_text(front) == "hello,");
    both.pump().start_reading();
    both.settle();
    CHECK(both.owner().got == "hello, world");
}

TEST_CASE("B.2: a stream that was given away is somebody else's, with everything that came") {
    scene both;
    both.pump().await_first_bytes();
    both.they_send("for another");
    diary other;
    const auto next = std::make_shared<byte_pump>(both.executor(), both.pump().release(),
                                                  static_cast<byte_pump::owner&>(other), "next");
    both.pump().close();
    next->start_reading();
    both.settle();
    CHECK(other.got == "for another");
    CHECK(both.owner().got.empty());
    both.they_close();
    CHECK(other.ends == 1);
    CHECK(both.owner().ends == 0);
    CHECK(both.pump_is_idle());
}

TEST_CASE("who is at the other end of a Unix socket is known") {
    scene both;
    CHECK(both.pump().peer().host == "local");
    CHECK(both.pump().peer().user == ::getuid());
    CHECK(both.pump().peer().text == "local process " + std::to_string(::getpid()));
}

TEST_CASE("who is at the other end of a TCP connection is known, if it is still there") {
    asio::io_context context;
    asio::ip::tcp::acceptor door{context, {asio::ip::address_v4::loopback(), 0}};
    asio::ip::tcp::socket theirs{context};
    theirs.connect(door.local_endpoint());
    const auto stream = test::value_of(make_plain_stream(door.accept()));
    CHECK(stream->peer().host == "127.0.0.1");
    CHECK(stream->peer().text == "127.0.0.1:" + std::to_string(theirs.local_endpoint().port()));
    CHECK_FALSE(stream->peer().user);

    const error failure =
        test::failure_of(make_plain_stream(asio::ip::tcp::socket{context, asio::ip::tcp::v4()}));
    CHECK(failure.code == errc::unavailable);
}

} // namespace almenara::net
