#include "runtime.hpp"

#include "base/check.hpp"
#include "base/version.hpp"
#include "net/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <utility>
#include <variant>

namespace almenara::cli {

namespace asio = boost::asio;

namespace {

std::string client_name() {
    return fmt::format("almenara {}", version);
}

} // namespace

runtime::runtime(asio::any_io_executor executor, console& out, const invocation& asked)
    : executor_(std::move(executor)), out_(out), asked_(asked), pause_(executor_) {
    begin_round();
}

void runtime::begin_round() {
    deadline_ = net::monotonic_now() + asked_.timeout;
}

void runtime::interrupt() {
    interrupted_ = true;
    pause_.cancel();
    if (link_ != nullptr && link_->connection_) {
        link_->connection_->give_up();
    }
    if (cluster_ != nullptr) {
        cluster_->api_.give_up();
    }
}

asio::awaitable<void> runtime::pause_until(instant when) {
    if (must_stop()) {
        co_return;
    }
    pause_.expires_at(net::timer_point(when));
    co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
}

exit_code runtime::fail(const client::failure& why) {
    if (interrupted_) {
        return exit_code::interrupted;
    }
    const complaint about = complaint_about(std::string{asked_.what->name}, why, asked_.timeout);
    out_.complain(about, asked_.json);
    return about.exit;
}

exit_code runtime::fail(const std::string& about, const client::answer& how) {
    if (interrupted_) {
        return exit_code::interrupted;
    }
    const complaint why = complaint_about(about, how, asked_.timeout);
    out_.complain(why, asked_.json);
    return why.exit;
}

runtime::link::link(runtime& here) : here_(here) {
    ALMENARA_CHECK(here_.link_ == nullptr);
    here_.link_ = this;
}

asio::awaitable<client::outcome<wire::welcome>> runtime::link::open() {
    const auto& servers = here_.asked_.servers;
    client::outcome<wire::welcome> opened =
        client::failure{client::failure_kind::cancelled, "this client gave up waiting"};
    for (std::size_t tried = 0; tried < servers.size() && !here_.interrupted_; ++tried) {
        const client::connection_options options{.client_name = client_name(),
                                                 .plaintext = here_.asked_.plaintext};
        connection_ = std::make_unique<client::connection>(here_.executor_, options);
        // One that is silent must leave the others some of the time.
        const instant now = net::monotonic_now();
        const auto left = static_cast<std::int64_t>(servers.size() - tried);
        opened = co_await connection_->open(servers[tried], now + (here_.deadline() - now) / left);
        if (opened) {
            break;
        }
    }
    co_return opened;
}

namespace {

client::api_options options_of(const invocation& asked) {
    client::api_options options;
    for (const client::server_address& each : asked.servers) {
        options.how.servers.push_back(to_string(each));
    }
    options.how.user = asked.user;
    options.how.client_name = client_name();
    options.how.device_name = "almenara";
    options.how.seed = client::random_seed();
    options.how.must_find_somebody = true;
    options.plaintext = asked.plaintext;
    return options;
}

/// What --verbose shows.
std::string line_about(const client::news& what) {
    if (const auto* const lost = std::get_if<client::primary_lost>(&what)) {
        return fmt::format("primary lost; holding {} operation{}...", lost->held,
                           lost->held == 1 ? "" : "s");
    }
    if (const auto* const found = std::get_if<client::reconnected>(&what)) {
        const double seconds = std::chrono::duration<double>{found->after}.count();
        return fmt::format("reconnected to server {}, epoch {} ({:.3f} s, told by {})",
                           found->server, found->epoch, seconds, to_string(found->told_by));
    }
    return {};
}

} // namespace

runtime::cluster::cluster(runtime& here)
    : here_(here), api_(here.executor_, options_of(here.asked_)) {
    ALMENARA_CHECK(here_.cluster_ == nullptr);
    here_.cluster_ = this;
    if (here_.asked_.verbose) {
        api_.listen([out = &here_.out_](const client::news& what) {
            if (const std::string line = line_about(what); !line.empty()) {
                out->say(line);
            }
        });
    }
}

} // namespace almenara::cli
