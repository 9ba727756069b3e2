#include "unit/client/little_server.hpp"

#include "net/address.hpp"
#include "net/spawn.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <utility>

namespace almenara::test {

namespace asio = boost::asio;

visitor::visitor(asio::any_io_executor executor,
                 std::unique_ptr<net::byte_stream> stream,
                 manners how)
    : how_(std::move(how)) {
    net::byte_pump::owner& me = *this;
    pump_ = std::make_shared<net::byte_pump>(std::move(executor), std::move(stream), me, "visitor");
    pump_->start_reading();
}

void visitor::send(base::byte_view bytes) {
    base::byte_vector copy{bytes.begin(), bytes.end()};
    pump_->send(copy);
}

void visitor::bytes_arrived(std::size_t count) {
    for (client_message& message : ear_.hear(base::byte_view{buffer_}.first(count))) {
        heard_.push_back(std::move(message));
        how_(*this, heard_.back());
    }
}

void visitor::stream_ended(const boost::system::error_code&) {
    gone_ = true;
}

void polite(visitor& client, const client_message& message) {
    if (const auto* const hello = std::get_if<wire::c_hello>(&message)) {
        client.say(plain_welcome(hello->request));
    } else if (const auto* const ping = std::get_if<wire::ping>(&message)) {
        client.say(wire::pong{.request = ping->request, .server = server_id{1}});
    } else if (const auto* const question = std::get_if<wire::status_request>(&message)) {
        wire::status_reply reply{.request = question->request, .answered_by = server_id{1}};
        reply.servers.push_back({.id = server_id{1}, .address = "127.0.0.1:7400"});
        client.say(reply);
    } else if (std::holds_alternative<wire::bye>(message)) {
        client.hang_up();
    }
}

template <class Acceptor>
asio::awaitable<void> little_server::accept_all(little_server& self, Acceptor& acceptor) {
    for (;;) {
        auto outcome = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
        auto& [failure, socket] = outcome;
        if (failure) {
            co_return; // stop() has closed the acceptor.
        }
        auto stream = net::make_plain_stream(std::move(socket));
        if (stream) {
            self.visitors_.push_back(std::make_unique<visitor>(self.context_.get_executor(),
                                                               *std::move(stream), self.behave));
        }
    }
}

void little_server::listen_on_loopback() {
    using asio::ip::tcp;
    tcp_.emplace(context_, tcp::endpoint{asio::ip::address_v4::loopback(), 0});
    net::spawn(context_.get_executor(), "little server", accept_all(*this, *tcp_));
}

void little_server::listen_on(const std::string& unix_socket) {
    local_.emplace(context_, asio::local::stream_protocol::endpoint{unix_socket});
    net::spawn(context_.get_executor(), "little server", accept_all(*this, *local_));
}

void little_server::stop() {
    if (tcp_) {
        tcp_->close();
    }
    if (local_) {
        local_->close();
    }
    visitors_.clear();
}

std::string little_server::address() const {
    return net::to_string(tcp_->local_endpoint());
}

namespace {

asio::awaitable<void> play_and_stop(const std::function<asio::awaitable<void>()>& story,
                                    little_server& server) {
    co_await story();
    server.stop();
}

} // namespace

void stage::play(const std::function<asio::awaitable<void>()>& story) {
    net::spawn(context.get_executor(), "story", play_and_stop(story, server));
    context.run_for(std::chrono::seconds{20});
    // A reactor that still has work has a coroutine that was forgotten.
    REQUIRE(context.stopped());
}

} // namespace almenara::test
