#include "server/client_connection.hpp"

#include "base/little_endian.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <utility>

namespace almenara::server {

client_connection::client_connection(reactor& turns,
                                     connection_keeper& keeper,
                                     session_host& host,
                                     const session_limits& limits,
                                     connection_id id,
                                     client_origin origin,
                                     std::unique_ptr<net::byte_stream> stream)
    : turns_(turns),
      keeper_(keeper),
      id_(id),
      origin_(origin),
      session_(host, id, origin, limits, turns.now()),
      pump_(std::make_shared<net::byte_pump>(turns.executor(),
                                             std::move(stream),
                                             static_cast<owner&>(*this),
                                             fmt::format("client {}", id))) {}

client_connection::~client_connection() {
    pump_->close();
}

void client_connection::start() {
    pump_->await_first_bytes();
    keeper_.touched(*this);
}

void client_connection::read_now() {
    session_.called(turns_.now());
    if (keeper_.is_crowded()) {
        session_.hurry();
    }
    pump_->start_reading();
    keeper_.touched(*this);
}

void client_connection::flush() {
    if (is_over_) {
        return;
    }
    pump_->send(session_.outbox());
    if (is_over_) {
        return; // The stream ended while sending.
    }
    session_.output_progress(turns_.now(), pump_->queued(), pump_->sent());
    switch (session_.what_next()) {
    case client_session::next_step::read:
        if (std::exchange(is_paused_, false)) {
            pump_->start_reading();
        }
        break;
    case client_session::next_step::pause:
        is_paused_ = true;
        pump_->pause_reading();
        break;
    case client_session::next_step::finish:
        pump_->finish();
        break;
    case client_session::next_step::close:
        pump_->close();
        is_over_ = true;
        break;
    }
}

void client_connection::deadline() {
    if (is_over_) {
        return; // In the same turn: whoever has the stream now has the time, too.
    }
    session_.output_progress(turns_.now(), pump_->queued(), pump_->sent());
    session_.deadline(turns_.now());
    keeper_.touched(*this);
}

void client_connection::stop() {
    if (is_over_) {
        return;
    }
    session_.stop(turns_.now());
    keeper_.touched(*this);
}

void client_connection::answer(client_answer&& what) {
    session_.answer(turns_.now(), std::move(what));
    keeper_.touched(*this);
}

void client_connection::push(base::byte_view frame) {
    session_.push(frame);
    keeper_.touched(*this);
}

void client_connection::dismiss(std::string why) {
    session_.dismiss(turns_.now(), std::move(why));
    keeper_.touched(*this);
}

void client_connection::hurry() {
    session_.hurry();
}

std::optional<wire::message_type> client_connection::first_type() {
    constexpr std::size_t upto_type = 6; // u32 length, u16 type
    std::array<std::byte, upto_type> front{};
    if (pump_->peek(front) < front.size()) {
        return std::nullopt;
    }
    return wire::message_type{base::get_fixed<std::uint16_t>(front.data() + sizeof(std::uint32_t))};
}

std::unique_ptr<net::byte_stream> client_connection::take_stream() {
    is_over_ = true;
    return pump_->release();
}

void client_connection::first_bytes_wait() {
    if (!session_.is_at_door()) {
        return; // Its time was over before, in the same turn.
    }
    if (keeper_.hand_over(*this)) {
        keeper_.touched(*this);
    } else if (keeper_.may_speak(*this)) {
        read_now();
    } else {
        session_.waits_for_place();
        keeper_.touched(*this);
    }
}

std::span<std::byte> client_connection::read_into() {
    return session_.read_into();
}

void client_connection::bytes_arrived(std::size_t count) {
    session_.bytes_arrived(turns_.now(), count);
    if (session_.what_next() == client_session::next_step::pause) {
        // At once: until the end of the turn it could ask for megabytes of answers.
        is_paused_ = true;
        pump_->pause_reading();
    }
    keeper_.touched(*this);
}

void client_connection::all_sent() {
    keeper_.touched(*this);
}

bool client_connection::half_closed() {
    session_.heard_all(turns_.now());
    keeper_.touched(*this);
    return true;
}

void client_connection::stream_ended(const boost::system::error_code&) {
    is_over_ = true;
    keeper_.touched(*this);
}

} // namespace almenara::server
