#include "client/dialler.hpp"

#include "base/text.hpp"
#include "net/clock.hpp"
#include "net/spawn.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace almenara::client {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using local = asio::local::stream_protocol;

namespace {

/// Nobody is there: a process that listens would have answered.
bool nobody_listens(const std::error_code& why) {
    return why == std::errc::connection_refused || why == std::errc::no_such_file_or_directory;
}

} // namespace

dialler::dialler(asio::any_io_executor executor, bool plaintext)
    : executor_(std::move(executor)),
      plaintext_(plaintext),
      timer_(executor_),
      looked_up_(executor_) {}

asio::awaitable<outcome<dialled>> dialler::dial(std::shared_ptr<dialler> self,
                                                server_address where,
                                                instant deadline) {
    self->start_clock(deadline);
    if (const auto* const socket = std::get_if<unix_path>(&where)) {
        std::string name = to_string(where);
        local::endpoint endpoint{socket->path};
        co_await attempt<local>(self, std::move(endpoint), std::move(name));
    } else if (self->plaintext_) {
        co_await dial_host(self, std::get<net::host_port>(where));
    } else {
        self->stop(failure{failure_kind::not_allowed,
                           fmt::format("{} is reached over TCP, and this version has no TLS yet: "
                                       "add --plaintext (loopback addresses only)",
                                       base::escaped(to_string(where)))});
    }
    outcome<dialled> result = self->finish();
    co_return result;
}

asio::awaitable<void> dialler::dial_host(std::shared_ptr<dialler> self, net::host_port where) {
    if (auto endpoints = net::literal_endpoints(where)) {
        self->found(*std::move(endpoints));
    } else {
        net::spawn(self->executor_, "client name lookup", look_up(self, std::move(where)));
        co_await self->looked_up_.wait();
    }
    for (const tcp::endpoint& endpoint : self->endpoints_) {
        if (!self->goes_on()) {
            break;
        }
        std::string name = net::to_string(endpoint);
        co_await attempt<tcp>(self, endpoint, std::move(name));
    }
}

asio::awaitable<void> dialler::look_up(std::shared_ptr<dialler> self, net::host_port where) {
    auto endpoints = co_await net::async_resolve(std::move(where));
    if (self->goes_on()) {
        self->found(std::move(endpoints));
    }
}

template <class Protocol>
asio::awaitable<void> dialler::attempt(std::shared_ptr<dialler> self,
                                       typename Protocol::endpoint endpoint,
                                       std::string name) {
    const auto socket = std::make_shared<typename Protocol::socket>(self->executor_);
    self->abandon_attempt_ = [socket] {
        error_code ignored; // Whatever close() says, the attempt is over.
        socket->close(ignored);
    };
    const auto done = co_await socket->async_connect(endpoint, asio::as_tuple(asio::use_awaitable));
    self->abandon_attempt_ = nullptr;
    self->attempted(std::move(*socket), std::get<0>(done), std::move(name));
}

void dialler::give_up() {
    stop(failure{failure_kind::cancelled, "this client gave up waiting"});
}

void dialler::start_clock(instant deadline) {
    timer_.expires_at(net::timer_point(deadline));
    timer_.async_wait([self = shared_from_this()](const error_code& cancelled) {
        if (!cancelled) {
            self->stop(failure{failure_kind::timed_out, "no connection within the time"});
        }
    });
}

void dialler::found(result<net::endpoint_list> endpoints) {
    if (!endpoints) {
        failure why{failure_kind::not_resolved, endpoints.error().message()};
        why.cause = endpoints.error().cause;
        stop(std::move(why));
    } else if (const auto allowed = net::require_loopback(*endpoints); !allowed) {
        stop(failure{failure_kind::not_allowed, allowed.error().message()});
    } else {
        endpoints_ = *std::move(endpoints);
    }
    looked_up_.ring();
}

template <class Socket>
void dialler::attempted(Socket socket, const error_code& why_not, std::string name) {
    tried_.push_back(std::move(name));
    if (!goes_on()) {
        return; // Connected and out of time in the same turn: out of time was first.
    }
    if (why_not) {
        reasons_.emplace_back(why_not);
        return;
    }
    auto stream = net::make_plain_stream(std::move(socket));
    if (stream) {
        stream_ = *std::move(stream);
    } else {
        reasons_.push_back(stream.error().cause);
    }
}

/// The first reason counts; whatever waits hears of it at once.
void dialler::stop(failure why) {
    if (!goes_on()) {
        return;
    }
    failure_ = std::move(why);
    looked_up_.ring();
    if (abandon_attempt_) {
        abandon_attempt_();
    }
}

failure dialler::nobody_answered() const {
    if (std::all_of(reasons_.begin(), reasons_.end(), nobody_listens)) {
        std::string where;
        for (const std::string& address : tried_) {
            where += where.empty() ? "" : " and ";
            where += address;
        }
        failure why{failure_kind::refused, fmt::format("nobody listens at {}", where)};
        why.cause = reasons_.empty() ? std::error_code{} : reasons_.front();
        return why;
    }
    failure why{failure_kind::unreachable, ""};
    for (std::size_t i = 0; i < reasons_.size(); ++i) {
        why.why += fmt::format("{}{}: {}", i == 0 ? "" : ", ", tried_[i], reasons_[i].message());
        why.cause = nobody_listens(reasons_[i]) ? why.cause : reasons_[i];
    }
    return why;
}

outcome<dialled> dialler::finish() {
    timer_.cancel();
    if (stream_) {
        std::string peer = tried_.back();
        return dialled{std::move(stream_), std::move(peer), std::move(tried_)};
    }
    failure why = failure_ ? *std::move(failure_) : nobody_answered();
    why.tried = tried_;
    return why;
}

} // namespace almenara::client
