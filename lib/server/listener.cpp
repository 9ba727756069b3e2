#include "server/listener.hpp"

#include "log/log.hpp"
#include "net/spawn.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace almenara::server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr duration first_back_off = std::chrono::milliseconds{10};
constexpr duration longest_back_off = std::chrono::seconds{1};

/// The connection went away before it was taken: nothing is wrong here.
bool concerns_only_the_guest(const error_code& failure) {
    return failure == asio::error::connection_aborted || failure == asio::error::connection_reset ||
           failure == asio::error::interrupted;
}

error not_listening(std::string_view name, const error_code& failure) {
    if (failure == asio::error::address_in_use) {
        return {errc::conflict,
                fmt::format("listening on {}: the address is in use. Stop the other program, or "
                            "choose another port with --listen",
                            name)};
    }
    error refused{errc::system_failed, fmt::format("listening on {}", name), failure};
    if (failure == asio::error::access_denied) {
        refused.advice = "Ports below 1024 need a privilege: choose a higher one with --listen";
    }
    return refused;
}

} // namespace

template <class Protocol>
listener<Protocol>::listener(reactor& turns, guest_house& house, std::string name)
    : turns_(turns),
      house_(house),
      name_(std::move(name)),
      acceptor_(turns.context()),
      pause_(turns.context()) {}

template <class Protocol>
result<void> listener<Protocol>::open(const endpoint& at) {
    error_code failure;
    acceptor_.open(at.protocol(), failure);
    if constexpr (std::is_same_v<Protocol, asio::ip::tcp>) {
        // A restart must not wait for the old connections' TIME_WAIT.
        if (!failure) {
            acceptor_.set_option(asio::socket_base::reuse_address{true}, failure);
        }
    }
    if (!failure) {
        acceptor_.bind(at, failure);
    }
    if (!failure) {
        acceptor_.listen(asio::socket_base::max_listen_connections, failure);
    }
    if (failure) {
        return not_listening(name_, failure);
    }
    return {};
}

template <class Protocol>
typename listener<Protocol>::endpoint listener<Protocol>::local() const {
    return acceptor_.local_endpoint();
}

template <class Protocol>
void listener<Protocol>::resume() {
    if (!accepting_ && acceptor_.is_open() && house_.has_room()) {
        accepting_ = true;
        net::spawn(turns_.executor(), "listener " + name_, accept_loop(this->shared_from_this()));
    }
}

template <class Protocol>
void listener<Protocol>::close() {
    error_code ignored; // The descriptor is gone whatever it says.
    acceptor_.close(ignored);
    pause_.cancel();
}

template <class Protocol>
asio::awaitable<void> listener<Protocol>::accept_loop(std::shared_ptr<listener> self) {
    while (self->acceptor_.is_open() && self->house_.has_room()) {
        auto outcome = co_await self->acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
        const error_code failure = std::get<0>(outcome);
        if (!self->acceptor_.is_open()) {
            break;
        }
        if (failure) {
            if (!concerns_only_the_guest(failure)) {
                co_await self->back_off(failure);
            }
            continue;
        }
        if (std::exchange(self->back_off_, duration::zero()) > duration::zero()) {
            log::notice("{}: accepting again", self->name_);
        }
        auto stream = net::make_plain_stream(std::move(std::get<1>(outcome)));
        if (stream) {
            self->house_.accepted(std::move(*stream));
        }
    }
    self->accepting_ = false;
}

template <class Protocol>
asio::awaitable<void> listener<Protocol>::back_off(const error_code& failure) {
    if (back_off_ == duration::zero()) {
        log::warning("{}: cannot accept: {}. Those inside are served; others wait", name_,
                     failure.message());
    }
    back_off_ = std::clamp(back_off_ * 2, first_back_off, longest_back_off);
    pause_.expires_after(back_off_);
    co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
}

template class listener<asio::ip::tcp>;
template class listener<asio::local::stream_protocol>;

} // namespace almenara::server
