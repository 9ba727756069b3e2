#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "server/client_requests.hpp"
#include "wire/client_limits.hpp"
#include "wire/client_messages.hpp"
#include "wire/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace almenara::server {

/// How long a client may take, and how much it may hold up (F, B.13).
struct session_limits {
    duration hello = std::chrono::seconds{5};
    /// The same while there is no room at the door.
    duration hello_when_crowded = std::chrono::seconds{1};
    duration idle_before_ping = std::chrono::seconds{30};
    duration ping_answer = std::chrono::seconds{10};
    /// A frame may take this long, and longer only while it brings 1 KiB a second.
    duration frame_grace = std::chrono::seconds{10};
    std::size_t frame_bytes_per_second = 1024;
    /// The other end takes nothing of what waits for it.
    duration write_stall = std::chrono::seconds{10};
    std::size_t largest_write_queue = 16U * 1024 * 1024;
    /// More than this waits for the client: nothing more is read from it.
    std::size_t write_queue_to_pause_at = 256U * 1024;
    /// From the last word to the end of the connection, and the same for those who were never in.
    duration farewell = std::chrono::seconds{2};
    duration farewell_at_door = std::chrono::milliseconds{500};
    /// Requests that the server has not answered yet; more are BUSY.
    std::size_t most_unanswered = wire::most_unanswered_requests;
    std::size_t largest_unanswered = 16U * 1024 * 1024; ///< all of them together
};

/// Where a client comes from decides what it may do before there are logins.
enum class client_origin : std::uint8_t {
    network,
    local_administrator, ///< admin.sock: root or the user of the service
    local_stranger,      ///< admin.sock: anybody else, who is told so
};

/// What a session asks its server.
class session_host {
  public:
    session_host() = default;
    session_host(const session_host&) = delete;
    session_host& operator=(const session_host&) = delete;

    /// The answer to a good hello: a welcome that fits, without its request number.
    [[nodiscard]] virtual wire::welcome welcome_text() const = 0;
    [[nodiscard]] virtual wire::status_reply status() const = 0;
    /// The answer to a ping, without its request number.
    [[nodiscard]] virtual wire::pong position() const = 0;
    /// Takes a place for the client, or says why there is none.
    [[nodiscard]] virtual std::optional<wire::reject> admit(connection_id id) = 0;

    /// Answered by client_session::answer(), in this turn or later.
    virtual void asks(connection_id id, client_request&& what) = 0;
    /// From an administrator. The answer is an admin_result or an error_reply.
    virtual void asks(connection_id id, const wire::admin& what) = 0;

  protected:
    ~session_host() = default;
};

/// One client's conversation, without its socket: bytes and the time come in, bytes and a deadline
/// go out. Whoever moves the bytes empties outbox() once per turn and obeys what_next().
class client_session {
  public:
    client_session(session_host& host,
                   connection_id id,
                   client_origin origin,
                   const session_limits& limits,
                   instant now);

    /// Where to read to, and how much came.
    [[nodiscard]] std::span<std::byte> read_into() { return decoder_.free_space(); }
    void bytes_arrived(instant now, std::size_t count);

    /// It spoke and had to wait for a place: its time begins now.
    void called(instant now);
    /// There is no room at the door: it must be quick, unless it waits for a place.
    void hurry();
    /// It waits for a place, which is not its fault: no deadline runs.
    void waits_for_place();

    /// What became of a request. Nobody hears it who is told to go already.
    void answer(instant now, client_answer&& what);
    /// A whole frame that nobody asked for.
    void push(base::byte_view frame);
    /// The connection is of no use any more: says why and ends.
    void dismiss(instant now, std::string why);

    /// The other end says no more: what it asked is answered, then the connection ends.
    void heard_all(instant now);

    /// The deadline has come.
    void deadline(instant now);
    [[nodiscard]] instant next_deadline() const;

    /// The server stops: says BYE and ends.
    void stop(instant now);

    /// How much of what was taken out waits to be written, and how much was ever written.
    void output_progress(instant now, std::size_t queued, std::uint64_t sent);

    /// What is to be sent; the caller empties it.
    [[nodiscard]] base::byte_vector& outbox() { return outbox_; }

    enum class next_step : std::uint8_t {
        read,   ///< go on
        pause,  ///< read nothing until output_progress() says that it got better
        finish, ///< send what there is, then end the connection in order
        close,  ///< end it now
    };
    [[nodiscard]] next_step what_next() const;

    /// Whether it waits or speaks at the door; what was refused does not any more.
    [[nodiscard]] bool is_at_door() const { return std::holds_alternative<at_door>(stage_); }

    /// Whether the host gave it a place, which is free again when the connection is gone.
    [[nodiscard]] bool was_admitted() const { return was_admitted_; }
    [[nodiscard]] bool is_inside() const { return std::holds_alternative<inside>(stage_); }
    /// Whether something was asked of the host in its name.
    [[nodiscard]] bool has_asked() const { return has_asked_; }

    /// In quotes and harmless (F); empty before the hello.
    [[nodiscard]] const std::string& client_name() const { return client_name_; }

    /// Why it ended, for the log; empty for a client that said goodbye.
    [[nodiscard]] const std::string& why_ended() const { return why_ended_; }

  private:
    /// Before a good hello.
    struct at_door {
        instant clock_began; ///< of the time for the hello
        duration time;
        bool has_spoken = false;
        bool waits_for_place = false;
    };
    struct inside {
        instant last_heard;
        std::optional<instant> pinged_at; ///< in this silence
    };
    /// The last word is said; it may still be on its way.
    struct farewell {
        instant over_by;
    };
    struct over {};

    void become_inside(instant now);
    void become_farewell(instant now);
    void become_over(std::string why);

    void handle_frames(instant now);
    void on(instant now, const wire::c_hello& hello);
    void on(instant now, const wire::ping& request);
    void on(instant now, const wire::pong& answer);
    void on(instant now, const wire::status_request& request);
    void on(instant now, const wire::bye& farewell);
    void on(instant now, wire::login&& asked);
    void on(instant now, wire::attach&& asked);
    void on(instant now, wire::session_close&& asked);
    void on(instant now, wire::operation&& asked);
    void on(instant now, wire::read&& asked);
    void on(instant now, wire::whois&& asked);
    void on(instant now, wire::admin&& asked);
    /// Everything that only servers say.
    template <class Message>
    void on(instant now, const Message& message);

    /// Whether it may ask at all; ends the connection of who breaks the rules by it.
    [[nodiscard]] bool may_ask(instant now, std::string_view what, request_id number);
    void ask(client_request&& what);
    void ask_if_known(client_request&& what);
    [[nodiscard]] bool has_room_for(std::size_t weight) const;
    /// F: who it is has been shown, so it may send more at once.
    void become_known();

    template <class Message>
    void say(const Message& message);
    void say_answer(const client_answer& what);
    void reject(instant now, wire::reject refusal);
    void end(instant now, wire::bye_reason reason, std::string why);
    [[nodiscard]] bool is_listening() const { return is_at_door() || is_inside(); }
    [[nodiscard]] bool is_paused() const;
    /// It is read again after a pause, which was not its fault.
    void heard_again(instant now);
    [[nodiscard]] instant stage_deadline() const;
    [[nodiscard]] instant frame_deadline() const;

    session_host& host_;
    const session_limits& limits_;
    connection_id id_;
    client_origin origin_;
    std::variant<at_door, inside, farewell, over> stage_;
    wire::frame_decoder decoder_;
    base::byte_vector outbox_;
    std::string client_name_;
    std::string why_ended_;

    bool was_admitted_ = false;
    bool has_asked_ = false;
    bool is_known_; ///< logged in, attached, or come through admin.sock
    bool is_administrator_;
    bool has_heard_all_ = false;
    std::map<request_id, std::size_t> unanswered_; ///< and what each weighs
    std::size_t unanswered_weight_ = 0;
    std::optional<instant> frame_began_; ///< the one that is not whole yet

    std::size_t queued_ = 0;
    std::uint64_t sent_ = 0;
    instant last_sent_;
};

} // namespace almenara::server
