// Anything a client may send, in any cuts and at any time, against a session: what the server says
// are whole messages, nobody is welcome without a hello, nobody operates without a login or an
// attach or administers without being an administrator, what it holds is bounded, and it ends.
#include "fuzz/session_input.hpp"
#include "fuzz/steps.hpp"
#include "fuzz/target.hpp"
#include "unit/server/fake_client.hpp"

#include <cstdint>
#include <utility>
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
          mirror_(limit_),
          is_always_administrator_((options & session_options::administrator) != 0) {
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
        case session_step::numbered:
            send(numbered(input));
            break;
        case session_step::answer:
            answer(input.next());
            break;
        case session_step::dismiss:
            client_.session().dismiss(client_.now(), "another one");
            client_.turn_ends();
            break;
        case session_step::end_sending:
            client_.session().heard_all(client_.now());
            client_.turn_ends();
            ends_sending_ = true;
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
        if (waits_ || ends_sending_ || (!is_heard && !client_.is_told_to_go())) {
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

    static base::byte_vector numbered(numbers& input) {
        const std::uint8_t place = input.next();
        const request_id number{input.next()};
        return message_at(place, [number](auto& message) {
            if constexpr (requires { message.request; }) {
                message.request = number;
            }
        });
    }

    /// What the server behind it says to the oldest request.
    void answer(std::uint8_t kind) {
        auto& asked = client_.host.requests;
        if (asked.empty()) {
            return;
        }
        const request_id number = server::number_of(asked.front().second);
        asked.erase(asked.begin());
        server::client_answer what = wire::redirect{};
        switch (kind % 4) {
        case 0: {
            wire::login_ok login;
            login.administrator = (kind & 4U) != 0;
            is_administrator_ = is_always_administrator_ || login.administrator;
            is_known_ = true;
            what = login;
            break;
        }
        case 1:
            is_known_ = true;
            what = wire::attached{};
            break;
        case 2:
            what = wire::error_reply{};
            break;
        default:
            break;
        }
        std::visit([number](auto& told) { told.request = number; }, what);
        if (is_known_) {
            limit_ = wire::largest_control_frame;
            mirror_.set_largest_frame(limit_);
        }
        client_.is_told(std::move(what));
    }

    /// Nobody asks behind the door, and nobody operates who is not known.
    void check_requests() {
        const auto& asked = client_.host.requests;
        ALMENARA_CHECK(asked.size() <= server::session_limits{}.most_unanswered);
        for (const auto& [who, what] : asked) {
            ALMENARA_CHECK(was_welcome_);
            const bool needs_no_login = std::holds_alternative<wire::login>(what) ||
                                        std::holds_alternative<wire::attach>(what) ||
                                        std::holds_alternative<wire::whois>(what);
            ALMENARA_CHECK(needs_no_login || is_known_);
        }
        ALMENARA_CHECK(client_.host.wishes.empty() || is_administrator_);
        client_.host.wishes.clear();
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
        check_requests();

        const std::size_t space = client_.session().read_into().size();
        ALMENARA_CHECK(space > 0 && space <= limit_);
        ALMENARA_CHECK(!client_.session().was_admitted() || was_welcome_);
        ALMENARA_CHECK(client_.session().client_name().size() <= 4 * 64 + 2);
    }

    std::size_t limit_;
    fake_client client_;
    wire::frame_decoder mirror_;
    bool is_always_administrator_;
    bool is_administrator_ = is_always_administrator_;
    bool is_known_ = is_always_administrator_;
    bool waits_ = false;
    bool ends_sending_ = false;
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
