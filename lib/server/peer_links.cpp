#include "server/peer_links.hpp"

#include "log/log.hpp"
#include "net/clock.hpp"
#include "net/spawn.hpp"
#include "replica/messages.hpp"
#include "wire/message_list.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace almenara::server {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// B.13, link dial: nobody waits longer for one try.
constexpr duration longest_dial = std::chrono::seconds{1};

/// A connection that is closed has sent by then what it had to say.
constexpr duration longest_leaving = std::chrono::seconds{1};

/// Style 11: nobody outside fills the log.
constexpr std::uint32_t lines_per_second = 10;

} // namespace

/// One try to reach a server. The timer ends it by closing the socket.
struct peer_links::attempt {
    attempt(const asio::any_io_executor& executor, replica::dial_request wanted, net::host_port at)
        : what(wanted), where(std::move(at)), socket(executor), timer(executor) {}

    void give_up() {
        is_over = true;
        error_code ignored; // Whatever close() says, the attempt is over.
        socket.close(ignored);
    }

    replica::dial_request what;
    net::host_port where;
    tcp::socket socket;
    asio::steady_timer timer;
    bool is_connected = false;
    bool is_over = false;
};

peer_links::peer_links(asio::any_io_executor executor, tell_function tell)
    : executor_(std::move(executor)),
      tell_(std::move(tell)),
      budget_(lines_per_second),
      timer_(executor_) {}

// -- New ones -------------------------------------------------------------------------------------

peer_link& peer_links::add(std::unique_ptr<net::byte_stream> stream,
                           std::optional<replica::connection_kind> kind) {
    const connection_id id = last_id_ = last_id_.next();
    auto link = std::make_unique<peer_link>(executor_, static_cast<link_keeper&>(*this), id, kind,
                                            std::move(stream));
    peer_link& added = *link;
    links_.emplace(id, std::move(link));
    return added;
}

void peer_links::accept(std::unique_ptr<net::byte_stream> stream) {
    if (is_closed_) {
        return stream->close();
    }
    make_room_for_stranger();
    peer_link& link = add(std::move(stream), std::nullopt);
    strangers_.insert(link.id());
    tell_(replica::connection_opened{.connection = link.id()});
    link.start();
}

void peer_links::make_room_for_stranger() {
    if (strangers_.size() < most_strangers) {
        return;
    }
    links_.at(*strangers_.begin())->end("too many others came and said nothing either");
}

void peer_links::dial(replica::dial_request what, net::host_port where) {
    if (is_closed_) {
        return;
    }
    auto one = std::make_shared<attempt>(executor_, what, std::move(where));
    one->timer.expires_after(longest_dial);
    one->timer.async_wait([one](const error_code& cancelled) {
        if (!cancelled) {
            one->give_up();
        }
    });
    std::erase_if(attempts_, [](const auto& other) { return other.expired(); });
    attempts_.push_back(one);
    net::spawn(executor_, fmt::format("dialling server {}", what.peer),
               dial_loop(shared_from_this(), std::move(one)));
}

asio::awaitable<void> peer_links::dial_loop(std::shared_ptr<peer_links> self,
                                            std::shared_ptr<attempt> one) {
    auto endpoints = net::literal_endpoints(one->where);
    if (!endpoints) {
        net::host_port where = one->where;
        auto found = co_await net::async_resolve(std::move(where));
        if (found) {
            endpoints = std::move(*found);
        }
    }
    if (endpoints && net::require_loopback(*endpoints)) {
        for (const tcp::endpoint& endpoint : *endpoints) {
            if (one->is_over) {
                break;
            }
            const auto done =
                co_await one->socket.async_connect(endpoint, asio::as_tuple(asio::use_awaitable));
            one->is_connected = !std::get<0>(done) && !one->is_over;
            if (one->is_connected) {
                break;
            }
            error_code ignored; // The next address has a socket of its own.
            one->socket.close(ignored);
        }
    }
    one->timer.cancel();
    self->dialled(*one);
}

void peer_links::dialled(attempt& one) {
    if (is_closed_) {
        return;
    }
    if (one.is_connected) {
        if (auto stream = net::make_plain_stream(std::move(one.socket))) {
            peer_link& link = add(std::move(*stream), one.what.kind);
            tell_(replica::connection_opened{
                .connection = link.id(), .kind = one.what.kind, .dialled = one.what.peer});
            return link.start();
        }
    }
    tell_(replica::dial_failed{.peer = one.what.peer, .kind = one.what.kind});
}

// -- What is said ---------------------------------------------------------------------------------

void peer_links::send(const replica::outgoing& what, hlc_stamp stamp) {
    if (peer_link* const link = listed(what.connection)) {
        encode(what, stamp, link->outbox());
    }
}

void peer_links::send(connection_id to, base::byte_view frame) {
    if (peer_link* const link = listed(to)) {
        link->outbox().insert(link->outbox().end(), frame.begin(), frame.end());
    }
}

peer_link* peer_links::listed(connection_id id) {
    const auto found = links_.find(id);
    if (found == links_.end() || found->second->is_leaving) {
        return nullptr; // The core hears of it in the next turn.
    }
    peer_link* const link = found->second.get();
    if (!std::exchange(link->is_listed, true)) {
        listed_.push_back(link);
    }
    return link;
}

void peer_links::encode(const replica::outgoing& what, hlc_stamp stamp, base::byte_vector& out) {
    if (what.message != encoded_ || what.epoch != encoded_epoch_) {
        encoded_ = what.message;
        encoded_epoch_ = what.epoch;
        encoded_bytes_.clear();
        std::visit(
            [&](const auto& one) {
                wire::append_message<replica::link_messages>(
                    one, encoded_bytes_,
                    {.type = {}, .flags = {}, .epoch = what.epoch, .hlc = stamp});
            },
            *what.message);
    }
    out.insert(out.end(), encoded_bytes_.begin(), encoded_bytes_.end());
}

void peer_links::flush() {
    encoded_.reset(); // Its address may be another message's in the next turn.
    for (peer_link* const link : std::exchange(listed_, {})) {
        link->is_listed = false;
        link->flush();
    }
}

// -- What comes -----------------------------------------------------------------------------------

void peer_links::heard(replica::frame_received frame) {
    tell_(std::move(frame));
}

void peer_links::heard(const peer_link& link, almenara::epoch epoch, wire::presence what) {
    if (presence_) {
        presence_(link.id(), epoch, what);
    }
}

void peer_links::introduced(peer_link& link) {
    strangers_.erase(link.id());
}

void peer_links::broke_off(const peer_link& link, const std::string& why) {
    if (!budget_.take(net::monotonic_now())) {
        return;
    }
    const std::uint64_t left_out = budget_.take_left_out();
    log::warning("link: the connection with {} is closed: {}{}", link.peer(), why,
                 left_out > 0 ? fmt::format(" (and so were {} others before)", left_out) : "");
}

void peer_links::ended(peer_link& link, std::string why) {
    const auto found = links_.find(link.id());
    if (found == links_.end()) {
        return;
    }
    if (!link.is_leaving) {
        log::debug("link: connection {} with {} has ended: {}", link.id(), link.peer(), why);
        tell_(replica::connection_closed{link.id()});
    }
    leaving_.erase(link.id());
    strangers_.erase(link.id());
    std::erase(listed_, &link);
    // It is somewhere below us in the stack: it goes when that is not so any more.
    dead_.push_back(std::move(found->second));
    links_.erase(found);
}

// -- The end --------------------------------------------------------------------------------------

void peer_links::close(connection_id id) {
    const auto found = links_.find(id);
    if (found == links_.end() || found->second->is_leaving) {
        return;
    }
    peer_link& link = *found->second;
    link.flush();
    if (link.is_over()) {
        return; // The flush ended it, and the core did not want to hear of it anyway.
    }
    link.is_leaving = true;
    strangers_.erase(id);
    leaving_[id] = net::monotonic_now() + longest_leaving;
    if (leaving_.size() == 1) {
        watch_the_leaving();
    }
    link.finish();
}

void peer_links::watch_the_leaving() {
    timer_.expires_after(longest_leaving);
    timer_.async_wait([self = shared_from_this()](const error_code& cancelled) {
        if (cancelled || self->is_closed_) {
            return;
        }
        const instant now = net::monotonic_now();
        std::erase_if(self->leaving_, [&](const auto& one) {
            return one.second <= now && self->links_.erase(one.first) > 0;
        });
        if (!self->leaving_.empty()) {
            self->watch_the_leaving();
        }
    });
}

void peer_links::close_all() {
    is_closed_ = true;
    listed_.clear();
    leaving_.clear();
    strangers_.clear();
    links_.clear();
    bury();
    timer_.cancel();
    for (const auto& one : std::exchange(attempts_, {})) {
        if (const auto still = one.lock()) {
            still->timer.cancel();
            still->give_up();
        }
    }
}

} // namespace almenara::server
