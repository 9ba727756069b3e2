#include "runtime.hpp"

#include "base/check.hpp"
#include "base/version.hpp"
#include "net/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <utility>

namespace almenara::cli {

namespace asio = boost::asio;

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
    if (link_ != nullptr) {
        link_->connection_.give_up();
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

runtime::link::link(runtime& here)
    : here_(here),
      connection_(here.executor_,
                  client::connection_options{.client_name = fmt::format("almenara {}", version),
                                             .plaintext = here.asked_.plaintext}) {
    ALMENARA_CHECK(here_.link_ == nullptr);
    here_.link_ = this;
}

asio::awaitable<client::outcome<wire::welcome>> runtime::link::open() {
    return connection_.open(here_.asked_.server, here_.deadline());
}

} // namespace almenara::cli
