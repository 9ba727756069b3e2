#pragma once

#include "client/failure.hpp"
#include "wire/client_messages.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <string>
#include <utility>

namespace almenara::test {

/// What the library was told; the test fails if there is no answer.
template <class T>
T value_of(client::outcome<T> outcome) {
    if (!outcome) {
        FAIL("there is no answer: " << outcome.error());
    }
    return *std::move(outcome);
}

/// Why there is no answer; the test fails if there is one.
template <class T>
client::failure failure_of(const client::outcome<T>& outcome) {
    if (outcome) {
        FAIL("there is an answer where a failure was expected");
    }
    return outcome.error();
}

/// The client library without its coroutines: each call returns when the answer is there.
class good_client {
  public:
    /// `where` is HOST:PORT or unix:PATH.
    explicit good_client(const std::string& where, std::string name = "good client");
    ~good_client();
    good_client(const good_client&) = delete;
    good_client& operator=(const good_client&) = delete;

    client::outcome<wire::welcome> enter();
    client::outcome<wire::pong> ping();
    client::outcome<wire::status_reply> status();
    void leave();

    /// For those who may have to wait at the door.
    void begin_entering();
    [[nodiscard]] bool entering_is_decided(); ///< asks the system first

    /// A ping whose answer may come later, or not at all.
    void begin_ping();
    client::outcome<wire::pong> finish_ping();

    /// Whether the library believes so, after all that has arrived.
    [[nodiscard]] bool is_inside();

  private:
    class workings;
    std::unique_ptr<workings> workings_;
};

/// A client that is inside from the beginning; the test fails if the server does not let it in.
class client_inside : public good_client {
  public:
    explicit client_inside(const std::string& where, std::string name = "inside");
    /// The test fails if there is no answer.
    void check_answers();
};

} // namespace almenara::test
