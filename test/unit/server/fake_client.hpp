#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "server/client_session.hpp"
#include "support/streams.hpp"
#include "wire/client_messages.hpp"
#include "wire/frame.hpp"

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>
#include <variant>
#include <vector>

/// A client without a socket, in front of a session of the server. Used by tests and by a fuzzer,
/// so what must not happen is an exception.
namespace almenara::test {

/// Anything a server can say.
using server_words = boost::mp11::mp_rename<
    boost::mp11::mp_transform<wire::detail::message_of_entry, wire::client_messages>,
    std::variant>;

template <class Message>
[[nodiscard]] base::byte_vector frame_of(const Message& message, wire::frame_header header = {}) {
    base::byte_vector bytes;
    wire::append_message<wire::client_messages>(message, bytes, header);
    return bytes;
}

/// A frame of a type that nobody knows.
[[nodiscard]] inline base::byte_vector unknown_frame(wire::frame_flags flags) {
    base::byte_vector bytes;
    wire::append_frame({.type = wire::message_type{0x02fe}, .flags = flags}, wire::ping{}, bytes);
    return bytes;
}

/// What a server's bytes say; they must be whole frames of messages that clients know.
[[nodiscard]] inline std::vector<server_words> words_in(base::byte_view bytes) {
    wire::frame_decoder decoder{wire::largest_control_frame};
    feed(decoder, bytes);
    const auto frames = take_all(decoder);
    if (!frames || decoder.unfinished() > 0) {
        throw std::logic_error("the server sent bytes that are no frames");
    }
    std::vector<server_words> words;
    for (const taken_frame& whole : *frames) {
        const auto known = wire::dispatch<wire::client_messages>(
            {whole.header, whole.payload}, [&words](auto&& message, base::byte_view) {
                words.emplace_back(std::forward<decltype(message)>(message));
            });
        if (!known) {
            throw std::logic_error("the server sent " + known.error().message());
        }
    }
    return words;
}

/// A server with nothing behind it.
class plain_host final : public server::session_host {
  public:
    plain_host() {
        welcome.server_version = "0.1.0";
        welcome.server = server_id{7};
        welcome.config_index = log_index{12};
        status_now.answered_by = server_id{7};
        position_now.server = server_id{7};
        position_now.index = log_index{12};
    }

    [[nodiscard]] wire::welcome welcome_text() const override { return welcome; }
    [[nodiscard]] wire::status_reply status() const override { return status_now; }
    [[nodiscard]] wire::pong position() const override { return position_now; }
    [[nodiscard]] std::optional<wire::reject> admit(connection_id id) override {
        asked.push_back(id);
        return refusal;
    }
    void asks(connection_id id, server::client_request&& what) override {
        requests.emplace_back(id, std::move(what));
    }
    void asks(connection_id id, const wire::admin& what) override { wishes.emplace_back(id, what); }

    std::vector<std::pair<connection_id, server::client_request>> requests;
    std::vector<std::pair<connection_id, wire::admin>> wishes;

    wire::welcome welcome;
    wire::status_reply status_now;
    wire::pong position_now;
    std::optional<wire::reject> refusal; ///< nothing: everybody is let in
    std::vector<connection_id> asked;
};

/// Does what the server's driver does after each event, and keeps the time.
class fake_client {
  public:
    using next_step = server::client_session::next_step;

    explicit fake_client(server::client_origin origin = server::client_origin::network,
                         const server::session_limits& limits = {})
        : limits_(limits), session_(host, connection_id{5}, origin, limits_, now_) {}

    /// Bytes on their way to the session, cut as its buffer wants them.
    void sends(base::byte_view bytes) {
        sends_without_end_of_turn(bytes);
        turn_ends();
    }

    void sends_without_end_of_turn(base::byte_view bytes) {
        while (!bytes.empty()) {
            const auto space = session_.read_into();
            const std::size_t count = std::min(space.size(), bytes.size());
            std::copy_n(bytes.begin(), count, space.begin());
            session_.bytes_arrived(now_, count);
            bytes = bytes.subspan(count);
        }
    }

    template <class Message>
    void says(const Message& message) {
        sends(frame_of(message));
    }

    void says_hello() { says(wire::c_hello{.request = request_id{1}, .client_name = "test 1"}); }

    /// Everything the session has said since the last time.
    [[nodiscard]] std::vector<server_words> hears() { return words_in(std::exchange(heard_, {})); }

    /// The one thing it has said.
    template <class Message>
    [[nodiscard]] Message hears_only() {
        const auto words = hears();
        if (words.size() != 1 || !std::holds_alternative<Message>(words.front())) {
            throw std::logic_error("the server did not say just what was expected");
        }
        return std::get<Message>(words.front());
    }

    /// Time goes by, and each deadline on the way is met.
    void waits(duration length) {
        const instant until = now_ + length;
        while (!is_closed() && session_.next_deadline() <= until) {
            meets_deadline();
        }
        now_ = until;
    }

    /// The session's next deadline, when it has one.
    void meets_deadline() {
        now_ = std::max(now_, session_.next_deadline());
        session_.output_progress(now_, queued_, sent_);
        session_.deadline(now_);
        turn_ends();
    }

    /// The server answers.
    void is_told(server::client_answer what) {
        session_.answer(now_, std::move(what));
        turn_ends();
    }

    /// From now on what the session says stays in the queue.
    void stops_reading() { reads_ = false; }

    /// Takes that much out of the queue.
    void reads(std::size_t bytes) {
        const std::size_t taken = std::min(bytes, queued_);
        queued_ -= taken;
        sent_ += taken;
        session_.output_progress(now_, queued_, sent_);
    }

    /// What a driver does at the end of a turn.
    void turn_ends() {
        base::byte_vector& out = session_.outbox();
        heard_.insert(heard_.end(), out.begin(), out.end());
        (reads_ ? sent_ : queued_) += out.size();
        out.clear();
        session_.output_progress(now_, queued_, sent_);
    }

    [[nodiscard]] next_step asked_for() const { return session_.what_next(); }
    [[nodiscard]] bool is_read() const { return asked_for() == next_step::read; }
    [[nodiscard]] bool is_told_to_go() const { return asked_for() == next_step::finish; }
    [[nodiscard]] bool is_closed() const { return asked_for() == next_step::close; }

    [[nodiscard]] instant now() const { return now_; }
    [[nodiscard]] std::size_t queued() const { return queued_; }
    [[nodiscard]] server::client_session& session() { return session_; }
    [[nodiscard]] const std::string& why_ended() const { return session_.why_ended(); }

    plain_host host;

  private:
    server::session_limits limits_;
    instant now_{std::chrono::hours{1}};
    server::client_session session_;
    base::byte_vector heard_;
    bool reads_ = true;
    std::size_t queued_ = 0;
    std::size_t sent_ = 0;
};

/// One that said hello, was let in and has heard so.
class client_inside : public fake_client {
  public:
    explicit client_inside(server::client_origin origin = server::client_origin::network,
                           const server::session_limits& limits = {})
        : fake_client(origin, limits) {
        says_hello();
        static_cast<void>(hears_only<wire::welcome>());
    }
};

} // namespace almenara::test
