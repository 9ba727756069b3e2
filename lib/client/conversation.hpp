#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "client/failure.hpp"
#include "wire/client_messages.hpp"
#include "wire/frame.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// What a client says and hears on one connection, without the connection (style 1): bytes and the
/// time come in, bytes and events go out.
namespace almenara::client {

/// The reply that belongs to each request.
template <class Request>
struct reply_to;
template <>
struct reply_to<wire::ping> {
    using type = wire::pong;
};
template <>
struct reply_to<wire::status_request> {
    using type = wire::status_reply;
};

using reply = std::variant<wire::pong, wire::status_reply>;

struct conversation_options {
    std::string client_name;                       ///< program and version, for the server's log
    duration ask_after = std::chrono::seconds{1};  ///< B.13: silent so long, the server is asked
    duration dead_after = std::chrono::seconds{3}; ///< B.13: silent so long, it counts as gone
    std::size_t most_waiting = 1000;               ///< B.13: requests without an answer
};

/// The server let us in.
struct opened {
    wire::welcome welcome;
};
struct answered {
    request_id request;
    client::reply reply;
};
struct failed {
    request_id request;
    failure why;
};
/// The last event. Every request that still waited has failed before it, for the same reason.
struct ended {
    failure why;
};
using event = std::variant<opened, answered, failed, ended>;

/// What the owner of the connection does next, in this order.
struct conversation_output {
    base::byte_vector send;    ///< goes out first: a goodbye must be heard
    bool finish = false;       ///< nothing more will be said; end the stream in good order
    std::vector<event> events; ///< told last, so that whoever asks again asks in the new state
};

/// One conversation, from the C_HELLO, which it says by itself, to its end.
class conversation {
  public:
    conversation(conversation_options options, instant open_by);

    /// Asks, and gives the number under which the answer will come. Fails when the conversation is
    /// not open, or with `busy` when too much waits already.
    template <class Request>
    [[nodiscard]] outcome<request_id> ask(Request request, instant deadline) {
        using reply_type = typename reply_to<Request>::type;
        auto number = expect(wire::type_of<wire::client_messages, reply_type>(), deadline);
        if (number) {
            request.request = *number;
            wire::append_message<wire::client_messages>(request, output_.send);
        }
        return number;
    }

    /// Says goodbye. What waits fails with `cancelled`.
    void leave();

    /// Where to read to; never empty.
    [[nodiscard]] std::span<std::byte> free_space() { return decoder_.free_space(); }
    void received(std::size_t count, instant now);

    /// The other end closed, or the connection failed.
    void stream_ended(std::error_code why);

    /// Judges what is due. To be called at next_deadline(); early or late calls do no harm.
    void tick(instant now);
    [[nodiscard]] std::optional<instant> next_deadline() const;

    [[nodiscard]] conversation_output take_output() { return std::exchange(output_, {}); }

    [[nodiscard]] bool is_open() const { return std::holds_alternative<open>(role_); }
    [[nodiscard]] bool is_over() const { return std::holds_alternative<over>(role_); }

  private:
    struct opening {
        request_id hello;
        instant open_by;
    };
    struct waiting {
        wire::message_type expected;
        instant deadline;
    };
    struct open {
        std::map<request_id, waiting> requests;
        std::set<std::pair<instant, request_id>> deadlines; ///< of the same requests
        instant heard;                                      ///< when bytes last came
        std::optional<instant> probed; ///< when it was asked whether it is there, in this silence
    };
    struct over {};

    [[nodiscard]] outcome<request_id> expect(wire::message_type answer, instant deadline);
    [[nodiscard]] std::optional<waiting> stop_waiting(request_id request);
    void become_open(wire::welcome welcome, instant now);
    void become_over(failure why);

    void on_message(wire::welcome&& message, instant now);
    void on_message(wire::reject&& message, instant now);
    void on_message(wire::ping&& message, instant now);
    void on_message(wire::pong&& message, instant now);
    void on_message(wire::bye&& message, instant now);
    void on_message(wire::error_reply&& message, instant now);
    void on_message(wire::status_reply&& message, instant now);
    /// What only clients say.
    template <class Message>
    void on_message(Message&& message, instant now);
    template <class Reply>
    void on_reply(Reply&& message);

    [[nodiscard]] instant silence_judged_at(const open& now_open) const;
    void fail_overdue(open& now_open, instant now);
    void break_off(std::string why);

    conversation_options options_;
    wire::frame_decoder decoder_;
    request_id last_request_; ///< the newest number that was given
    std::variant<opening, open, over> role_;
    conversation_output output_;
};

} // namespace almenara::client
