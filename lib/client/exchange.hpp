#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "client/failure.hpp"
#include "client/in_order.hpp"
#include "client/messages.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

/// What a client says and hears on one connection, without the connection and without its bytes
/// (style 1): messages and the time come in, messages and events go out.
namespace almenara::client {

struct conversation_options {
    std::string client_name;                       ///< program and version, for the server's log
    duration ask_after = std::chrono::seconds{1};  ///< B.13: silent so long, the server is asked
    duration dead_after = std::chrono::seconds{3}; ///< B.13: silent so long, it counts as gone
    std::size_t most_waiting = 1000;               ///< B.13: requests without an answer
    epoch epoch_seen{};                            ///< what the client knows already
    log_index config_seen{};
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
/// Who is a member, and primary, has changed.
struct told {
    wire::members members;
};
/// The last event. Every request that still waited has failed before it, for the same reason.
struct ended {
    failure why;
};
using event = std::variant<opened, answered, failed, told, ended>;

/// What the owner of the connection does next, in this order.
struct exchange_output {
    std::vector<to_server> say; ///< goes out first: a goodbye must be heard
    bool finish = false;        ///< nothing more will be said; end the stream in good order
    std::vector<event> events;  ///< told last, so that whoever asks again asks in the new state

    [[nodiscard]] bool empty() const { return say.empty() && !finish && events.empty(); }
    /// Its memory is used again.
    void clear();
    void swap(exchange_output& other) noexcept;
};

/// The server answered that it will not.
[[nodiscard]] failure declined(const wire::error_reply& message);

/// One exchange, from the C_HELLO, which it says by itself, to its end.
class exchange {
  public:
    exchange(conversation_options options, instant open_by);

    /// Asks, and gives the number under which the answer will come. Fails when the exchange is not
    /// open, or with `busy` when too much waits already. instant::max() is no deadline.
    template <class Request>
    [[nodiscard]] outcome<request_id> ask(Request request, instant deadline) {
        using expected = reply_to<Request>;
        auto number =
            expect({.answer = wire::type_of<wire::client_messages, typename expected::type>(),
                    .may_redirect = expected::by_primary,
                    .deadline = deadline});
        if (number) {
            request.request = *number;
            output_.say.emplace_back(std::move(request));
        }
        return number;
    }

    /// How long silence may last from now on (conversation_options).
    void set_patience(duration ask_after, duration dead_after);

    /// Says goodbye. What waits fails with `cancelled`.
    void leave();

    /// Bytes came, whole messages or not.
    void sign_of_life(instant now);
    void heard(from_server&& message, instant now);
    /// What came makes no sense. The server is told so, for its log, and nothing more is heard.
    void break_off(std::string why);

    /// The other end closed, or the connection failed.
    void stream_ended(std::error_code why);

    /// Judges what is due. To be called at next_deadline(); early or late calls do no harm.
    void tick(instant now);
    [[nodiscard]] std::optional<instant> next_deadline() const;

    [[nodiscard]] bool has_output() const { return !output_.empty(); }
    /// In exchange for one that is used up.
    void take_output(exchange_output& into);

    [[nodiscard]] bool is_open() const { return std::holds_alternative<open>(role_); }
    [[nodiscard]] bool is_over() const { return std::holds_alternative<over>(role_); }

  private:
    struct opening {
        request_id hello;
        instant open_by;
    };
    struct waiting {
        wire::message_type answer;
        bool may_redirect = false;
        instant deadline;
    };
    struct open {
        in_order<request_id, waiting> requests;
        std::set<std::pair<instant, request_id>> deadlines; ///< of those that have one
        instant heard;                                      ///< when bytes last came
        std::optional<instant> probed; ///< when it was asked whether it is there, in this silence
    };
    struct over {};

    [[nodiscard]] outcome<request_id> expect(waiting what);
    [[nodiscard]] std::optional<waiting> stop_waiting(request_id request);
    void become_open(wire::welcome welcome, instant now);
    void become_over(failure why);

    void on_message(wire::welcome&& message, instant now);
    void on_message(wire::reject&& message, instant now);
    void on_message(wire::ping&& message, instant now);
    void on_message(wire::bye&& message, instant now);
    void on_message(wire::error_reply&& message, instant now);
    void on_message(wire::members&& message, instant now);
    /// The replies.
    template <class Reply>
    void on_message(Reply&& message, instant now);

    [[nodiscard]] instant silence_judged_at(const open& now_open) const;
    void fail_overdue(open& now_open, instant now);

    conversation_options options_;
    request_id last_request_; ///< the newest number that was given
    std::variant<opening, open, over> role_;
    exchange_output output_;
};

} // namespace almenara::client
