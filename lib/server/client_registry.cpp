#include "server/client_registry.hpp"

#include "base/check.hpp"
#include "base/version.hpp"
#include "log/log.hpp"
#include "net/clock.hpp"
#include "server/system_resources.hpp"

#include <fmt/format.h>

#include <utility>

namespace almenara::server {

namespace {

/// Connections that end badly are the outside's doing; more than this would fill the disk.
constexpr std::uint32_t log_lines_per_second = 10;

/// Reading /proc is cheap, but not for each of a thousand hellos.
constexpr duration memory_is_fresh_for = std::chrono::seconds{1};

/// A full server asks to come back after this; spread, so that not all come at once.
constexpr duration shortest_retry = std::chrono::seconds{2};
constexpr duration longest_retry = std::chrono::seconds{5};

/// Connections on admin.sock: a few people and their scripts.
constexpr std::size_t most_local = 64;

} // namespace

client_registry::client_registry(reactor& turns,
                                 surroundings& around,
                                 options wanted,
                                 std::uint64_t seed)
    : turns_(turns),
      around_(around),
      options_(wanted),
      door_size_(door_for(wanted.descriptors)),
      jitter_(seed),
      door_({}),
      timer_(turns.context()),
      log_lines_(log_lines_per_second) {}

void client_registry::add(std::unique_ptr<net::byte_stream> stream, client_origin origin) {
    const connection_id id = last_id_ = last_id_.next();
    if (origin == client_origin::network) {
        door_.arrived(id, stream->peer().host);
        ++outside_;
    } else {
        ++local_;
    }
    auto connection = std::make_unique<client_connection>(
        turns_, static_cast<connection_keeper&>(*this), static_cast<session_host&>(*this),
        options_.session, id, origin, std::move(stream));
    client_connection& added = *connection;
    connections_.emplace(id, std::move(connection));
    added.start();
    watch_the_door();
}

bool client_registry::has_room(client_origin origin) const {
    if (stopping_) {
        return false;
    }
    return origin == client_origin::network ? !is_crowded_ : local_ < most_local;
}

void client_registry::watch_the_door() {
    // Those who were turned away hold a descriptor too, until they are gone.
    if (!is_crowded_ && outside_ >= door_size_) {
        is_crowded_ = true;
        hurried_up_to_ = {};
    } else if (is_crowded_ && outside_ < door_size_ - door_size_ / 8) {
        // Only with some room: to open for one at a time would look at everybody each time.
        is_crowded_ = false;
    }
}

void client_registry::hurry_some() {
    // A few in each turn: those inside must not wait for thousands at the door.
    constexpr std::size_t most_at_once = 64;
    if (!is_crowded_) {
        return;
    }
    for (const connection_id id : door_.guests_after(hurried_up_to_, most_at_once)) {
        client_connection& guest = *connections_.at(id);
        guest.hurry();
        deadlines_.set(id, guest.session().next_deadline());
        hurried_up_to_ = id;
    }
}

void client_registry::flush() {
    // Those who are called while others go come in a new round.
    while (!touched_.empty()) {
        for (client_connection* const connection : std::exchange(touched_, {})) {
            // What its own flush touches, such as a stream that ends, is seen right below: it must
            // not be listed again, for it may be gone by then.
            connection->flush();
            connection->is_listed_as_touched = false;
            if (connection->is_over()) {
                remove(*connection);
            } else {
                if (!connection->session().is_at_door()) {
                    door_.done(connection->id());
                }
                deadlines_.set(connection->id(), connection->session().next_deadline());
            }
        }
        for (const connection_id id : door_.take_called()) {
            connections_.at(id)->read_now();
        }
    }
    watch_the_door();
    hurry_some();
    tell_left_out();
    set_timer();
    if (when_empty_ && connections_.empty()) {
        std::exchange(when_empty_, nullptr)();
    }
}

void client_registry::stop(std::function<void()> when_empty) {
    stopping_ = true;
    when_empty_ = std::move(when_empty);
    for (const auto& [id, connection] : connections_) {
        connection->stop();
    }
}

void client_registry::close_all() {
    when_empty_ = nullptr;
    touched_.clear();
    arrivals_.clear();
    serving_.clear();
    next_to_serve_ = 0;
    for (const auto& [id, connection] : connections_) {
        door_.done(id);
        deadlines_.remove(id);
    }
    connections_.clear();
    inside_ = outside_ = local_ = 0;
    timer_.cancel();
}

void client_registry::set_max_clients(std::optional<std::size_t> max_clients) {
    options_.max_clients = max_clients;
}

client_room client_registry::room() const {
    const instant now = turns_.now();
    if (!memory_read_at_ || now - *memory_read_at_ >= memory_is_fresh_for) {
        memory_ = available_memory();
        memory_read_at_ = now;
    }
    constexpr unsigned nearly_all = 99;
    return room_for_clients(options_.max_clients,
                            {.descriptors = options_.descriptors,
                             .files_of_state = around_.files_of_state(),
                             .memory_available = memory_,
                             .loop_lag = turns_.lag().percentile(now, nearly_all)},
                            inside_);
}

void client_registry::touched(client_connection& connection) {
    if (!std::exchange(connection.is_listed_as_touched, true)) {
        touched_.push_back(&connection);
    }
}

bool client_registry::may_speak(client_connection& connection) {
    return connection.origin() != client_origin::network || door_.wants_to_speak(connection.id());
}

/// B.2: servers and clients come to one port; what is said first tells which.
bool client_registry::hand_over(client_connection& connection) {
    constexpr wire::message_type server_says_hello{0x0101};
    if (connection.origin() != client_origin::network ||
        connection.first_type() != server_says_hello) {
        return false;
    }
    around_.server_calls(connection.take_stream());
    return true;
}

wire::welcome client_registry::welcome_text() const {
    wire::welcome text = around_.welcome();
    text.server_version = version;
    return text;
}

wire::status_reply client_registry::status() const {
    if (!status_ || status_made_at_ != turns_.now()) {
        status_ = around_.status();
        status_made_at_ = turns_.now();
    }
    status_->clients = inside_;
    status_->max_clients = room().clients;
    return *status_;
}

wire::pong client_registry::position() const {
    return around_.position();
}

void client_registry::asks(connection_id id, client_request&& what) {
    arrivals_.push_back({.connection = id, .what = std::move(what)});
}

void client_registry::asks(connection_id id, const wire::admin& what) {
    arrivals_.push_back({.connection = id, .what = what});
}

bool client_registry::serve(reception& hall) {
    for (std::size_t served = 0; served < served_in_a_turn; ++served) {
        if (next_to_serve_ == serving_.size()) {
            serving_.clear(); // It keeps its room.
            serving_.swap(arrivals_);
            next_to_serve_ = 0;
        }
        if (serving_.empty()) {
            return false;
        }
        arrival& one = serving_[next_to_serve_++];
        if (auto* const asked = std::get_if<client_request>(&one.what)) {
            hall.request(one.connection, std::move(*asked));
        } else if (const auto* const wish = std::get_if<wire::admin>(&one.what)) {
            around_.administer(one.connection, *wish);
        } else {
            hall.connection_ended(one.connection);
        }
    }
    return next_to_serve_ < serving_.size() || !arrivals_.empty();
}

void client_registry::answer(leaving&& what) {
    // Who is gone hears nothing.
    if (const auto found = connections_.find(what.connection); found != connections_.end()) {
        found->second->answer(std::move(what.what));
    }
}

void client_registry::close_client(connection_id connection) {
    if (const auto found = connections_.find(connection); found != connections_.end()) {
        found->second->dismiss("the connection does not speak for the session: another one was "
                               "attached, or none is");
    }
}

void client_registry::push_members(const wire::members& now) {
    base::byte_vector frame;
    wire::append_message<wire::client_messages>(now, frame);
    for (const auto& [id, connection] : connections_) {
        if (connection->session().is_inside()) {
            connection->push(frame);
        }
    }
}

std::optional<wire::reject> client_registry::admit(connection_id id) {
    const client_room room = this->room();
    door_.done(id);
    if (inside_ < room.clients) {
        ++inside_;
        --outside_;
        return std::nullopt;
    }
    const auto retry_after = std::chrono::duration_cast<std::chrono::milliseconds>(
        jitter_.between(shortest_retry, longest_retry));
    return wire::reject{.code = wire::reject_code::full,
                        .retry_after = retry_after,
                        .text = fmt::format("the server is full: {} clients are connected, and {} "
                                            "allows no more. Try again in a few seconds",
                                            inside_, room.bound_by)};
}

void client_registry::remove(client_connection& connection) {
    const connection_id id = connection.id();
    log_end(connection);
    if (connection.session().has_asked()) {
        arrivals_.push_back({.connection = id, .what = gone{}});
    }
    door_.done(id);
    std::size_t& place = connection.origin() != client_origin::network ? local_
                         : connection.session().was_admitted()         ? inside_
                                                                       : outside_;
    ALMENARA_CHECK(place > 0);
    --place;
    deadlines_.remove(id);
    connections_.erase(id);
}

void client_registry::log_end(const client_connection& connection) {
    const client_session& session = connection.session();
    if (session.why_ended().empty() || !log::is_wanted(log::level::info)) {
        return;
    }
    if (!log_lines_.take(turns_.now())) {
        return;
    }
    log::info("client {} at {} ({}): {}", connection.id(), connection.peer().text,
              session.client_name().empty() ? "no hello" : session.client_name(),
              session.why_ended());
}

void client_registry::tell_left_out() {
    // In the second after it, or with the last connection: who floods may well fall silent then.
    if (!log_lines_.is_left_out_due(turns_.now()) && !(stopping_ && connections_.empty())) {
        return;
    }
    if (const auto left_out = log_lines_.take_left_out(); left_out > 0) {
        log::info("{} more connections ended badly", left_out);
    }
}

void client_registry::set_timer() {
    // Entries of connections that are gone must not keep run() from returning.
    auto next = connections_.empty() ? std::nullopt : deadlines_.next();
    if (is_crowded_ && !door_.guests_after(hurried_up_to_, 1).empty()) {
        next = turns_.now();
    } else if (const auto told_at = log_lines_.left_out_due(); told_at && !stopping_) {
        next = next ? std::min(*next, *told_at) : *told_at;
    }
    if (next == timer_set_for_) {
        return;
    }
    timer_set_for_ = next;
    if (!next || *next == instant::max()) {
        timer_.cancel();
        return;
    }
    timer_.expires_at(net::timer_point(*next));
    timer_.async_wait([this](const boost::system::error_code& failure) {
        if (!failure) {
            timer_fired();
        }
    });
}

void client_registry::timer_fired() {
    timer_set_for_.reset();
    // The rest comes in the next turn: a thousand who fall silent together must not make a long
    // one.
    constexpr std::size_t most_at_once = 64;
    for (const connection_id id : deadlines_.take_due(turns_.now(), most_at_once)) {
        connections_.at(id)->deadline();
    }
}

} // namespace almenara::server
