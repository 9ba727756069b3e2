#include "server/peer_link.hpp"

#include "replica/messages.hpp"
#include "replica/settings.hpp"
#include "wire/message_list.hpp"

#include <fmt/format.h>

#include <type_traits>
#include <utility>
#include <variant>

namespace almenara::server {

namespace {

/// What the other end may leave unread. The core has at most 8 MiB of entries in flight, so this is
/// somebody who reads nothing but keeps the connection open.
constexpr std::size_t most_queued = std::size_t{32} << 20U;

constexpr wire::message_type presence_type =
    wire::type_of<wire::presence_messages, wire::presence>();

} // namespace

peer_link::peer_link(boost::asio::any_io_executor executor,
                     link_keeper& keeper,
                     connection_id id,
                     std::optional<replica::connection_kind> kind,
                     std::unique_ptr<net::byte_stream> stream)
    : keeper_(keeper),
      id_(id),
      decoder_(wire::largest_frame_before_login),
      pump_(std::make_shared<net::byte_pump>(std::move(executor),
                                             std::move(stream),
                                             static_cast<owner&>(*this),
                                             fmt::format("link {}", id))),
      peer_(pump_->peer().text) {
    if (kind) {
        becomes(*kind);
    }
}

peer_link::~peer_link() {
    pump_->close();
}

void peer_link::flush() {
    if (is_over_) {
        outbox_.clear();
        return;
    }
    pump_->send(outbox_);
    if (!is_over_ && pump_->queued() > most_queued) {
        breaks_off(fmt::format("{} bytes wait and are not read", pump_->queued()));
    }
}

void peer_link::finish() {
    if (!is_over_) {
        pump_->finish();
    }
}

std::span<std::byte> peer_link::read_into() {
    return decoder_.free_space();
}

void peer_link::bytes_arrived(std::size_t count) {
    decoder_.received(count);
    while (!is_over_ && !is_leaving) {
        const auto whole = decoder_.next();
        if (!whole) {
            return breaks_off(whole.error().message());
        }
        if (!*whole) {
            return;
        }
        decode(**whole);
    }
}

void peer_link::decode(const wire::frame& whole) {
    if (whole.header.type == presence_type) {
        return decode_presence(whole);
    }
    std::optional<replica::message> message;
    const auto known = wire::dispatch<replica::link_messages>(
        whole, [&message]<class Message>(Message&& one, base::byte_view) {
            message.emplace(std::in_place_type<std::decay_t<Message>>, std::forward<Message>(one));
        });
    if (!known) {
        return breaks_off(known.error().message());
    }
    if (!message) {
        return; // One that may be skipped.
    }
    if (const auto* const hello = std::get_if<replica::hello>(&*message); hello && !is_known_) {
        becomes(hello->from.kind);
        keeper_.introduced(*this);
    }
    keeper_.heard({.connection = id_,
                   .epoch = whole.header.epoch,
                   .message = *std::move(message),
                   .hlc = whole.header.hlc});
}

void peer_link::decode_presence(const wire::frame& whole) {
    auto what = wire::decode_front<wire::presence>(whole.payload);
    if (!what) {
        return breaks_off(what.error().message());
    }
    keeper_.heard(*this, whole.header.epoch, std::move(what->value));
}

/// B.13: what may come over it, and for how long it may be unheard of (B.2).
void peer_link::becomes(replica::connection_kind kind) {
    is_known_ = true;
    if (kind == replica::connection_kind::bulk) {
        decoder_.set_largest_frame(wire::largest_bulk_frame);
        return;
    }
    decoder_.set_largest_frame(wire::largest_control_frame);
    pump_->end_when_unheard_for(
        std::chrono::duration_cast<std::chrono::milliseconds>(replica::timers{}.suspect));
}

void peer_link::stream_ended(const boost::system::error_code& why) {
    end(why.message());
}

/// Not what a server of this version does.
void peer_link::breaks_off(std::string why) {
    keeper_.broke_off(*this, why);
    end(std::move(why));
}

void peer_link::end(std::string why) {
    if (!std::exchange(is_over_, true)) {
        pump_->close();
        keeper_.ended(*this, std::move(why));
    }
}

} // namespace almenara::server
