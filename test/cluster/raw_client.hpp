#pragma once

#include "base/bytes.hpp"
#include "support/wait.hpp"
#include "unit/client/server_voice.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace almenara::test {

/// A descriptor of the test's own.
class handle {
  public:
    explicit handle(int number = -1) : number_(number) {}
    ~handle() { close(); }
    handle(handle&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    handle& operator=(handle&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }

    [[nodiscard]] int number() const { return number_; }
    void close();

  private:
    int number_;
};

/// Begins to connect, from a loopback address of choice, and does not wait.
[[nodiscard]] handle begin_connecting(std::uint16_t port, const std::string& from = "127.0.0.1");

/// Whether a connection that was begun stands.
[[nodiscard]] bool is_connected(const handle& socket);

/// Whether somebody listens.
[[nodiscard]] bool can_connect(std::uint16_t port);

/// A client that says what the test tells it, good or bad, byte by byte. Good clients are
/// good_client, which is the real client library.
class raw_client {
  public:
    explicit raw_client(std::uint16_t port, const std::string& from = "127.0.0.1");

    /// Sends all of it; the test fails if the server does not take it.
    void send(base::byte_view bytes);
    void send(std::string_view text);
    /// What the server takes; nothing once it has not read for a while.
    [[nodiscard]] std::size_t send_some(base::byte_view bytes);
    template <class Message>
    void say(const Message& message) {
        send(bytes_of(message));
    }
    void say_hello(std::string_view name = "raw");
    /// The same, and waits for the welcome.
    void enter(std::string_view name = "raw");

    /// The next message, which must be of this kind.
    template <class Message>
    Message expect() {
        const client_message next = expect_any();
        if (const auto* const wanted = std::get_if<Message>(&next)) {
            return *wanted;
        }
        FAIL("the server said " << name_of(next) << " and not " << wire::name_of<Message>());
        return {};
    }
    /// The same, but for what may come at any time: who the members are.
    template <class Message>
    Message expect_answer() {
        while (true) {
            const client_message next = expect_any();
            if (const auto* const wanted = std::get_if<Message>(&next)) {
                return *wanted;
            }
            if (!std::holds_alternative<wire::members>(next)) {
                FAIL("the server said " << name_of(next) << " and not "
                                        << wire::name_of<Message>());
            }
        }
    }
    [[nodiscard]] client_message expect_any();
    /// The server says nothing more and ends the connection in good order.
    void expect_end();

    /// Whether something can be read now, the end included.
    [[nodiscard]] bool has_news() const;

    void end_sending();
    void close() { socket_.close(); }

    [[nodiscard]] static std::string name_of(const client_message& message);

  private:
    [[nodiscard]] bool receive(); ///< waits for bytes; false: the end
    void wait_for(short events, std::string_view what) const;

    handle socket_;
    client_ear ear_;
    std::deque<client_message> heard_;
};

} // namespace almenara::test
