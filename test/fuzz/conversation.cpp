// Anything a server may send, in any cuts and at any time, against a client's conversation: what
// the client says are whole messages that clients say, each request ends exactly once, the
// conversation ends once and behind all of them, what waits is bounded, and silence ends it.
#include "client/conversation.hpp"

#include "fuzz/conversation_input.hpp"
#include "fuzz/steps.hpp"
#include "fuzz/target.hpp"
#include "support/samples.hpp"
#include "support/voices.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <set>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

namespace almenara::fuzz {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_waiting = 1000;
constexpr std::size_t few_waiting = 3;

/// A conversation, the server at its other end, and what must be true after each step.
class play {
  public:
    explicit play(std::uint8_t options)
        : most_waiting_((options & conversation_options::few) != 0 ? few_waiting : most_waiting),
          client_({.client_name = "fuzz 1", .most_waiting = most_waiting_}, now_ + 5s) {
        check();
        ALMENARA_CHECK(said_hello_);
    }

    void step(numbers& input) {
        const auto chosen = input.next() % static_cast<unsigned>(conversation_step::count_);
        switch (static_cast<conversation_step>(chosen)) {
        case conversation_step::message: {
            const std::uint8_t place = input.next();
            const request_id request{input.next()};
            send(message_at(place, [request](auto& message) { put_number(message, request); }));
            break;
        }
        case conversation_step::sample: {
            const std::uint8_t place = input.next();
            const request_id request{input.next()};
            base::generator random{input.next()};
            send(message_at(place, [&]<class Message>(Message& message) {
                message = test::make_sample<Message>(random, test::fullness::some);
                put_number(message, request);
            }));
            break;
        }
        case conversation_step::begin:
            send(begin_of_message(input));
            break;
        case conversation_step::bytes:
            send(input.bytes(input.next()));
            break;
        case conversation_step::frame:
            send(any_frame(input));
            break;
        case conversation_step::flood:
            send(flood(input));
            break;
        case conversation_step::wait:
            wait(250ms * input.next());
            break;
        case conversation_step::sleep:
            now_ = now_ + 250ms * input.next();
            break;
        case conversation_step::look:
            client_.tick(now_);
            break;
        case conversation_step::ask_ping:
            ask<wire::ping>(250ms * input.next());
            break;
        case conversation_step::ask_status:
            ask<wire::status_request>(250ms * input.next());
            break;
        case conversation_step::leave:
            client_.leave();
            check();
            ALMENARA_CHECK(client_.is_over());
            break;
        case conversation_step::cut:
            client_.stream_ended(input.next() == 0 ? std::error_code{}
                                                   : std::make_error_code(std::errc::io_error));
            check();
            ALMENARA_CHECK(client_.is_over());
            break;
        case conversation_step::ask_other:
            ask_other(input.next(), 250ms * input.next());
            break;
        case conversation_step::count_:
            break;
        }
        check();
    }

    /// The server says nothing more: the deadlines end the conversation.
    void end() {
        // Each request once; asked whether it is there, counted as gone; and one for luck.
        for (std::size_t left = waiting_.size() + 3; left > 0 && !client_.is_over(); --left) {
            ALMENARA_CHECK(client_.next_deadline());
            meet_deadline();
        }
        ALMENARA_CHECK(client_.is_over());
        ALMENARA_CHECK(!client_.next_deadline());
        ALMENARA_CHECK(ended_);
        ALMENARA_CHECK(waiting_.empty());
    }

  private:
    template <class Message>
    static void put_number(Message& message, request_id request) {
        if constexpr (requires { message.request = request; }) {
            message.request = request;
        }
    }

    /// As the connection does it: what the conversation has to say is taken after each piece, and
    /// once it is over nothing is read into it. One piece may be on its way.
    void send(base::byte_view bytes) {
        if (client_.is_over() && std::exchange(heard_behind_end_, true)) {
            return;
        }
        while (!bytes.empty()) {
            const auto space = client_.free_space();
            ALMENARA_CHECK(!space.empty() && space.size() <= wire::largest_control_frame);
            const std::size_t count = std::min(space.size(), bytes.size());
            std::copy_n(bytes.begin(), count, space.begin());
            client_.received(count, now_);
            check();
            if (client_.is_over()) {
                return;
            }
            bytes = bytes.subspan(count);
        }
    }

    template <class Request>
    void ask(duration within) {
        const bool has_room = waiting_.size() < most_waiting_;
        const auto request = client_.ask(Request{}, now_ + within);
        ALMENARA_CHECK(request.has_value() == (client_.is_open() && has_room));
        if (request) {
            ALMENARA_CHECK(asked_.insert(*request).second);
            ALMENARA_CHECK(waiting_.insert(*request).second);
        } else {
            ALMENARA_CHECK(
                request.error().kind ==
                (client_.is_open() ? client::failure_kind::busy : client::failure_kind::closed));
        }
    }

    void ask_other(std::uint8_t which, duration within) {
        switch (which % 7) {
        case 0:
            return ask<wire::whois>(within);
        case 1:
            return ask<wire::login>(within);
        case 2:
            return ask<wire::attach>(within);
        case 3:
            return ask<wire::session_close>(within);
        case 4:
            return ask<wire::operation>(within);
        case 5:
            return ask<wire::read>(within);
        default:
            return ask<wire::admin>(within);
        }
    }

    void wait(duration length) {
        const instant until = now_ + length;
        while (client_.next_deadline().value_or(instant::max()) <= until) {
            meet_deadline();
        }
        now_ = until;
    }

    /// Whatever is due is gone after one look: else a driver would turn in circles.
    void meet_deadline() {
        now_ = std::max(now_, *client_.next_deadline());
        client_.tick(now_);
        check();
        ALMENARA_CHECK(client_.next_deadline().value_or(instant::max()) > now_);
    }

    void check() {
        const client::conversation_output output = client_.take_output();
        for (const test::client_message& message : server_.hear(output.send)) {
            std::visit([this](const auto& said) { check_said(said); }, message);
        }
        ALMENARA_CHECK(server_.unfinished() == 0);
        for (const client::event& happened : output.events) {
            ALMENARA_CHECK(!ended_);
            std::visit([this](const auto& what) { check_event(what); }, happened);
        }
        finished_ = finished_ || output.finish;
        ALMENARA_CHECK(ended_ == client_.is_over());
        ALMENARA_CHECK(finished_ == client_.is_over());
        ALMENARA_CHECK(!client_.is_open() || opened_);
        ALMENARA_CHECK(waiting_.size() <= most_waiting_);
        ALMENARA_CHECK(client_.next_deadline().has_value() == !client_.is_over());
    }

    template <class Message>
    void check_said(const Message&) {
        constexpr bool is_hello = std::is_same_v<Message, wire::c_hello>;
        constexpr bool is_bye = std::is_same_v<Message, wire::bye>;
        constexpr bool is_request = requires { typename client::reply_to<Message>::type; };
        constexpr bool is_answer = std::is_same_v<Message, wire::pong>;
        ALMENARA_CHECK(is_hello || is_bye || is_request || is_answer);
        // The hello comes first and once, nothing behind the goodbye, and nothing once it is over.
        ALMENARA_CHECK(said_hello_ != is_hello);
        ALMENARA_CHECK(!is_request || opened_);
        ALMENARA_CHECK(!said_bye_ && !ended_);
        said_hello_ = said_hello_ || is_hello;
        said_bye_ = said_bye_ || is_bye;
    }

    void check_event(const client::opened&) { ALMENARA_CHECK(!std::exchange(opened_, true)); }
    void check_event(const client::told&) { ALMENARA_CHECK(opened_); }
    void check_event(const client::answered& what) {
        ALMENARA_CHECK(waiting_.erase(what.request) == 1);
        std::visit([&](const auto& reply) { ALMENARA_CHECK(reply.request == what.request); },
                   what.reply);
    }
    void check_event(const client::failed& what) {
        ALMENARA_CHECK(waiting_.erase(what.request) == 1);
        ALMENARA_CHECK(!what.why.why.empty());
    }
    void check_event(const client::ended& what) {
        ALMENARA_CHECK(waiting_.empty());
        ALMENARA_CHECK(!what.why.why.empty());
        ended_ = true;
    }

    std::size_t most_waiting_;
    instant now_{1h};
    client::conversation client_;
    test::client_ear server_;
    std::set<request_id> asked_;
    std::set<request_id> waiting_;
    bool said_hello_ = false;
    bool said_bye_ = false;
    bool opened_ = false;
    bool ended_ = false;
    bool finished_ = false;
    bool heard_behind_end_ = false;
};

} // namespace

} // namespace almenara::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace almenara::fuzz;
    if (size == 0) {
        return -1;
    }
    numbers input{almenara::fuzz::input(data, size)};
    play one{input.next()};
    while (input.any_left()) {
        one.step(input);
    }
    one.end();
    return 0;
}
