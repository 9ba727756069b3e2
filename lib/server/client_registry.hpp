#pragma once

#include "base/random.hpp"
#include "server/admission.hpp"
#include "server/client_connection.hpp"
#include "server/client_limit.hpp"
#include "server/deadline_queue.hpp"
#include "server/listener.hpp"
#include "server/log_budget.hpp"
#include "server/reactor.hpp"
#include "server/reception.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

namespace almenara::server {

/// The server around the clients: what it says of itself and of the cluster, with nothing in it
/// that belongs to a request.
class surroundings {
  public:
    surroundings() = default;
    surroundings(const surroundings&) = delete;
    surroundings& operator=(const surroundings&) = delete;

    [[nodiscard]] virtual wire::welcome welcome() const = 0;
    /// All but the counts of clients.
    [[nodiscard]] virtual wire::status_reply status() const = 0;
    [[nodiscard]] virtual wire::pong position() const = 0;
    [[nodiscard]] virtual std::size_t files_of_state() const = 0;

    /// An administrator wishes something. Answered by client_registry::answer(), in this turn or
    /// later: by an admin_result or an error_reply.
    virtual void administer(connection_id who, const wire::admin& what) = 0;
    /// Another server speaks.
    virtual void server_calls(std::unique_ptr<net::byte_stream> stream) = 0;

  protected:
    ~surroundings() = default;
};

/// All client connections of this server, and the one timer for their deadlines (style 7).
class client_registry final : private connection_keeper, private session_host {
  public:
    struct options {
        std::optional<std::size_t> max_clients; ///< nothing: auto
        std::size_t descriptors = 0;
        session_limits session;
    };

    client_registry(reactor& turns, surroundings& around, options wanted, std::uint64_t seed);

    /// Takes a connection from a listener.
    void add(std::unique_ptr<net::byte_stream> stream, client_origin origin);
    /// Whether a listener may accept another one from there.
    [[nodiscard]] bool has_room(client_origin origin) const;

    /// What clients asked, in its order, and which of them are gone: so much in one turn, that a
    /// crowd does not make a long one (decision 004). Whether some is left for the next.
    static constexpr std::size_t served_in_a_turn = 24;
    [[nodiscard]] bool serve(reception& hall);
    void answer(leaving&& what);
    /// C.1: the connection speaks for its session no more. Behind what it was answered.
    void close_client(connection_id connection);
    /// S22: to everybody inside.
    void push_members(const wire::members& now);

    /// At the end of each turn: sends what the turn caused, removes what is over, sets the timer.
    void flush();

    /// Says goodbye to everybody; `when_empty` is called once all are gone.
    void stop(std::function<void()> when_empty);
    /// Ends what is left, now.
    void close_all();

    void set_max_clients(std::optional<std::size_t> max_clients);

    [[nodiscard]] std::size_t inside() const { return inside_; }
    [[nodiscard]] std::size_t connections() const { return connections_.size(); }
    [[nodiscard]] client_room room() const;

  private:
    void touched(client_connection& connection) override;
    [[nodiscard]] bool may_speak(client_connection& connection) override;
    [[nodiscard]] bool hand_over(client_connection& connection) override;
    [[nodiscard]] bool is_crowded() const override { return is_crowded_; }

    [[nodiscard]] wire::welcome welcome_text() const override;
    [[nodiscard]] wire::status_reply status() const override;
    [[nodiscard]] wire::pong position() const override;
    [[nodiscard]] std::optional<wire::reject> admit(connection_id id) override;
    void asks(connection_id id, client_request&& what) override;
    void asks(connection_id id, const wire::admin& what) override;

    struct gone {};
    /// What a client did, until serve() comes for it.
    struct arrival {
        connection_id connection;
        std::variant<client_request, wire::admin, gone> what;
    };

    void watch_the_door();
    void hurry_some();
    void tell_left_out();
    void remove(client_connection& connection);
    void log_end(const client_connection& connection);
    void set_timer();
    void timer_fired();

    reactor& turns_;
    surroundings& around_;
    options options_;
    std::size_t door_size_;
    base::generator jitter_;
    admission door_;
    std::map<connection_id, std::unique_ptr<client_connection>> connections_;
    std::vector<client_connection*> touched_;
    /// As much as the sessions' bounds for what is unanswered allow.
    std::vector<arrival> arrivals_;
    std::vector<arrival> serving_;  ///< what was in it, in this turn or one before
    std::size_t next_to_serve_ = 0; ///< of these
    connection_id last_id_;
    std::size_t inside_ = 0;
    std::size_t outside_ = 0; ///< from the network and not inside: at the door, or turned away
    std::size_t local_ = 0;   ///< on admin.sock

    deadline_queue deadlines_;
    boost::asio::steady_timer timer_;
    std::optional<instant> timer_set_for_;

    /// What the server says of itself is made once a turn, whoever asks how often.
    mutable std::optional<wire::status_reply> status_;
    mutable instant status_made_at_;

    mutable std::uint64_t memory_ = 0; ///< as of memory_read_at_
    mutable std::optional<instant> memory_read_at_;

    log_budget log_lines_;
    std::function<void()> when_empty_;
    bool is_crowded_ = false;     ///< from when the door is full until it has some room again
    connection_id hurried_up_to_; ///< of those at the door, while it is crowded
    bool stopping_ = false;
};

} // namespace almenara::server
