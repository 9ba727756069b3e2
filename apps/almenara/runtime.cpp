#include "runtime.hpp"

#include "base/check.hpp"
#include "base/version.hpp"
#include "client/keeper.hpp"
#include "earlier.hpp"
#include "net/clock.hpp"
#include "wire/json.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <system_error>
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

table_look runtime::look() const {
    table_look look = out_.look();
    look.colours = look.colours && asked_.colours;
    return look;
}

void runtime::serve_shell(client::api* lent) {
    lent_ = lent;
    owns_input_ = false;
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
        cluster_->stop_.emit(asio::cancellation_type::terminal);
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

exit_code runtime::fail_write(const complaint& why, const client::answer& how) {
    if (!interrupted_) {
        out_.complain(why, asked_.json);
        return why.exit;
    }
    const complaint told = complaint_about_interrupt(why.what, how.code);
    out_.complain(told, asked_.json);
    return told.exit;
}

runtime::wait_mark::wait_mark(runtime& here) : here_(here) {
    here_.waits_since_ = net::monotonic_now();
}

runtime::link::link(runtime& here) : here_(here) {
    ALMENARA_CHECK(here_.link_ == nullptr);
    here_.link_ = this;
}

asio::awaitable<client::outcome<wire::welcome>> runtime::link::open() {
    const wait_mark mark{here_};
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

std::optional<std::string> usable_state(const invocation& asked, console& out) {
    if (!asked.state_directory || asked.state_is_chosen) {
        return asked.state_directory; // Who names a place wants it, or hears why not.
    }
    const result<void> usable = client::make_state_directory(*asked.state_directory);
    std::error_code nothing;
    const bool is_there =
        std::filesystem::exists(std::filesystem::symlink_status(*asked.state_directory, nothing));
    if (!usable && !is_there) { // What is there may hold operations that come first.
        out.say(fmt::format("almenara: nothing is kept for the next run: {}.",
                            usable.error().message()));
        return std::nullopt;
    }
    return asked.state_directory;
}

} // namespace

client::api_options client_options(const invocation& asked, client::ways usual, console& out) {
    client::api_options options;
    for (const client::server_address& each : asked.servers) {
        options.how.servers.push_back(to_string(each));
    }
    options.how.user = asked.user;
    options.how.client_name = client_name();
    options.how.device_name = "almenara";
    options.how.seed = client::random_seed();
    options.how.must_find_somebody = true;
    options.how.follow = asked.follow.value_or(usual);
    options.plaintext = asked.plaintext;
    options.state_directory = usable_state(asked, out);
    return options;
}

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
    if (const auto* const two = std::get_if<client::contradiction>(&what)) {
        return fmt::format("a datagram names server {} primary of epoch {}, which is server {}; "
                           "it is ignored",
                           two->announced, two->epoch, two->known);
    }
    if (const auto* const deaf = std::get_if<client::no_beacon>(&what)) {
        return fmt::format("no socket for datagrams ({}); a new primary is found without",
                           deaf->why.message());
    }
    return {};
}

std::string warning_about(const client::news& what) {
    if (const auto* const earlier = std::get_if<client::resumed>(&what)) {
        return fmt::format("almenara: {}", text_about(*earlier));
    }
    if (const auto* const other = std::get_if<client::stranger>(&what)) {
        return fmt::format("almenara: {}. It is not asked.", other->why.why);
    }
    return {};
}

std::string warning_about(const std::string& note) {
    return fmt::format("almenara: {}.", note);
}

runtime::cluster::cluster(runtime& here) : here_(here), api_(here.lent_) {
    ALMENARA_CHECK(here_.cluster_ == nullptr);
    here_.cluster_ = this;
    if (api_ != nullptr) {
        return;
    }
    client::api_options how = client_options(here_.asked_, client::all_ways_in_passing, here_.out_);
    keeps_state_ = how.state_directory.has_value();
    own_ = std::make_unique<client::api>(here_.executor_, std::move(how));
    api_ = own_.get();
    api_->listen([out = &here_.out_, verbose = here_.asked_.verbose](const client::news& what) {
        if (const std::string warning = warning_about(what); !warning.empty()) {
            out->say(warning);
        } else if (const std::string line = line_about(what); verbose && !line.empty()) {
            out->say(line);
        }
    });
    api_->listen_to_notes(
        [out = &here_.out_](const std::string& note) { out->say(warning_about(note)); });
}

asio::awaitable<client::answer> runtime::cluster::write(base::byte_vector body, instant deadline) {
    return until_interrupted(api_->write(std::move(body), deadline));
}

asio::awaitable<client::answer> runtime::cluster::read(base::byte_vector body, instant deadline) {
    return until_interrupted(api_->read(std::move(body), deadline));
}

asio::awaitable<client::answer> runtime::cluster::log_in(instant deadline) {
    return until_interrupted(api_->log_in(deadline));
}

asio::awaitable<client::answer> runtime::cluster::administer(wire::admin what, instant deadline) {
    return until_interrupted(api_->administer(what, deadline));
}

asio::awaitable<client::api::logout> runtime::cluster::log_out(instant deadline) {
    return until_interrupted(api_->log_out(deadline));
}

template <class Answer>
asio::awaitable<Answer> runtime::cluster::until_interrupted(asio::awaitable<Answer> asked) {
    const wait_mark mark{here_};
    auto stoppable = asio::bind_cancellation_slot(stop_.slot(), asio::use_awaitable);
    co_return co_await asio::co_spawn(here_.executor_, std::move(asked), std::move(stoppable));
}

asio::awaitable<void> runtime::cluster::close() {
    if (!own_) {
        co_return;
    }
    if (own_->session() && !here_.interrupted_ && !keeps_state_) {
        // Nobody uses it again; that it ends is not what was asked, so nobody waits long for it.
        const instant soon = net::monotonic_now() + std::chrono::seconds{1};
        co_await until_interrupted(own_->close_session(std::min(soon, here_.deadline_)));
    }
    co_await own_->close();
}

} // namespace almenara::cli
