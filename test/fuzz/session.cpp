// Anything a client may send, in any cuts and at any time, against a session: what the server says
// are whole messages, nobody is welcome without a hello, what it holds is bounded, and it ends.
#include "fuzz/session_input.hpp"
#include "fuzz/steps.hpp"
#include "fuzz/target.hpp"
#include "unit/server/fake_client.hpp"

#include <cstdint>
#include <variant>

namespace almenara::fuzz {

namespace {

using server::client_origin;
using test::fake_client;

/// A session, its client, and what must be true after each step.
class play {
  public:
    explicit play(std::uint8_t options)
        : limit_((options & session_options::administrator) != 0
                     ? wire::largest_control_frame
                     : wire::largest_frame_before_login),
          client_((options & session_options::administrator) != 0
                      ? client_origin::local_administrator
                      : client_origin::network),
          mirror_(limit_) {
        if ((options & session_options::full) != 0) {
            client_.host.refusal = wire::reject{.text = "full"};
        }
        if ((options & session_options::waits) != 0) {
            waits_ = true;
            client_.session().waits_for_place();
        }
    }

    void step(numbers& input) {
        const auto chosen = input.next() % static_cast<unsigned>(session_step::count_);
        switch (static_cast<session_step>(chosen)) {
        case session_step::message:
            send(message_at(input.next()));
            break;
        case session_step::begin:
            send(begin_of_message(input));
            break;
        case session_step::bytes:
            send(input.bytes(input.next()));
            break;
        case session_step::frame:
            send(any_frame(input));
            break;
        case session_step::wait:
            client_.waits(std::chrono::milliseconds{250} * input.next());
            break;
        case session_step::stop_reading:
            client_.stops_reading();
            break;
        case session_step::read:
            client_.reads(std::size_t{1024} * input.next());
            break;
        case session_step::call:
            call();
            break;
        case session_step::hurry:
            client_.session().hurry();
            break;
        case session_step::stop:
            client_.session().stop(client_.now());
            client_.turn_ends();
            break;
        case session_step::flood:
            send(flood(input));
            break;
        case session_step::count_:
            break;
        }
        check();
    }

    /// The client does nothing more: its deadlines end it.
    void end() {
        call();
        // Read slowly, asked whether it is there, told to go, closed; and one for luck.
        constexpr int most_deadlines = 5;
        for (int i = 0; i < most_deadlines && !client_.is_closed(); ++i) {
            ALMENARA_CHECK(client_.session().next_deadline() != instant::max());
            client_.meets_deadline();
            check();
        }
        ALMENARA_CHECK(client_.is_closed());
    }

  private:
    /// Nothing is read from a client that waits or does not read itself. What comes in the same
    /// turn in which it was told to go is.
    void send(base::byte_view bytes) {
        const bool is_heard = client_.is_read();
        if (waits_ || (!is_heard && !client_.is_told_to_go())) {
            return;
        }
        client_.sends(bytes);
        if (!is_heard) {
            return;
        }
        test::feed(mirror_, bytes);
        while (true) {
            const auto whole = mirror_.next();
            if (!whole || !*whole) {
                return;
            }
            constexpr auto hello = wire::type_of<wire::client_messages, wire::c_hello>();
            said_hello_ = said_hello_ || (*whole)->header.type == hello;
        }
    }

    void call() {
        if (waits_) {
            waits_ = false;
            client_.session().called(client_.now());
        }
    }

    void check() {
        for (const test::server_words& word : client_.hears()) {
            // Nothing comes behind the last word.
            ALMENARA_CHECK(!said_last_word_);
            said_last_word_ = std::holds_alternative<wire::bye>(word) ||
                              std::holds_alternative<wire::reject>(word);
            if (std::holds_alternative<wire::welcome>(word)) {
                ALMENARA_CHECK(said_hello_);
                ALMENARA_CHECK(!was_welcome_);
                was_welcome_ = true;
            }
        }
        const bool is_ending = client_.is_told_to_go() || client_.is_closed();
        ALMENARA_CHECK(is_ending || !said_last_word_);
        ALMENARA_CHECK(!was_closed_ || client_.is_closed());
        ALMENARA_CHECK(!was_ending_ || is_ending);
        was_closed_ = client_.is_closed();
        was_ending_ = is_ending;

        const std::size_t space = client_.session().read_into().size();
        ALMENARA_CHECK(space > 0 && space <= limit_);
        ALMENARA_CHECK(!client_.session().was_admitted() || was_welcome_);
        ALMENARA_CHECK(client_.session().client_name().size() <= 4 * 64 + 2);
    }

    std::size_t limit_;
    fake_client client_;
    wire::frame_decoder mirror_;
    bool waits_ = false;
    bool said_hello_ = false;
    bool was_welcome_ = false;
    bool said_last_word_ = false;
    bool was_ending_ = false;
    bool was_closed_ = false;
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
