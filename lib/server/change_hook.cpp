#include "server/change_hook.hpp"

#include "log/log.hpp"
#include "net/clock.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <string_view>

#include <unistd.h>

namespace almenara::server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// Who writes without end does not get the reactor for itself.
constexpr duration between_reads = std::chrono::milliseconds{1};

/// More than a pipe holds: what a script wrote before its end. Others may still write into it.
constexpr unsigned reads_after_the_end = 8;

std::string_view name_of(hook_urge what) {
    return what == hook_urge::kill ? "SIGKILL" : "SIGTERM";
}

} // namespace

change_hook::change_hook(asio::any_io_executor executor,
                         std::optional<std::string> script,
                         hook_limits limits)
    : script_(std::move(script)),
      schedule_(limits),
      end_(executor),
      output_(executor),
      limit_(executor),
      next_read_(executor) {
    // Where whoever started us ignores it, the end of a child leaves no trace.
    std::signal(SIGCHLD, SIG_DFL);
}

change_hook::~change_hook() {
    if (running_) {
        running_->signal(SIGKILL);
        let_go();
    }
}

void change_hook::learned(const primary_change& what) {
    schedule_.learned(what);
    start_next();
}

void change_hook::stop(instant latest) {
    schedule_.stop(latest);
    if (running_) {
        set_timer();
    }
}

template <class Then>
auto change_hook::while_it_runs(Then then) {
    return [this, run = run_, then](const error_code& failure) {
        if (!failure && running_ && run == run_) {
            then();
        }
    };
}

void change_hook::start_next() {
    while (const auto what = schedule_.start(net::monotonic_now())) {
        if (!script_ || !begin(*what)) {
            schedule_.ended();
        }
    }
}

bool change_hook::begin(const primary_change& what) {
    auto begun = hook_process::start(*script_, what);
    error_code failure;
    if (begun) {
        end_.assign(begun->watch(), failure);
    }
    if (begun && !failure) {
        output_.assign(begun->output(), failure);
    }
    told_ = what;
    if (!begun) {
        log::warning("on-primary-change: epoch {}: {}", what.epoch, begun.error().message());
        return false;
    }
    running_ = std::move(*begun);
    if (failure) {
        log::warning("on-primary-change: epoch {}: watching '{}': {}", what.epoch, *script_,
                     failure.message());
        running_->signal(SIGKILL);
        let_go();
        return false;
    }
    ++run_;
    began_ = net::monotonic_now();
    log::debug("on-primary-change: epoch {}: '{}' runs", what.epoch, *script_);
    set_timer();
    wait_for_end();
    read();
    return true;
}

void change_hook::wait_for_end() {
    end_.async_wait(asio::posix::descriptor_base::wait_read,
                    while_it_runs([this] { see_if_ended(); }));
}

void change_hook::see_if_ended() {
    if (!running_->has_ended()) {
        return wait_for_end();
    }
    if (schedule_.is_urged()) {
        running_->signal(SIGKILL); // Who went before its children took none of them along.
    }
    const process_end how = running_->end();
    // It may have left others behind who hold the pipe: nobody waits for what they write.
    for (unsigned reads = 0; reads < reads_after_the_end && read_some() > 0; ++reads) {
    }
    tell(written_.end(net::monotonic_now()));
    tell_end(how);
    let_go();
    schedule_.ended();
    start_next();
}

void change_hook::read() {
    output_.async_wait(asio::posix::descriptor_base::wait_read, while_it_runs([this] {
                           if (read_some() != 0) {
                               next_read_.expires_after(between_reads);
                               next_read_.async_wait(while_it_runs([this] { read(); }));
                           }
                       }));
}

/// As read() says it: 0 at the end of what is written, less if there is nothing now.
ssize_t change_hook::read_some() {
    const ssize_t got = ::read(running_->output(), buffer_.data(), buffer_.size());
    if (got > 0) {
        tell(written_.take({buffer_.data(), static_cast<std::size_t>(got)}, net::monotonic_now()));
    }
    return got;
}

void change_hook::tell(const std::vector<std::string>& lines) const {
    for (const std::string& line : lines) {
        log::info("on-primary-change: epoch {}: {}", told_.epoch, line);
    }
}

void change_hook::tell_end(const process_end& how) const {
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(net::monotonic_now() - began_);
    if (how.code == 0 && !schedule_.is_urged()) {
        log::info("on-primary-change: epoch {}: done in {} ms", told_.epoch, took.count());
        return;
    }
    std::string text = "its end was not seen";
    if (how.code) {
        text = fmt::format("exit code {}", *how.code);
    } else if (how.signal) {
        text = fmt::format("ended by signal {}", *how.signal);
    }
    log::warning("on-primary-change: epoch {}: {}, after {} ms", told_.epoch, text, took.count());
}

/// The descriptors close with the process that has them.
void change_hook::let_go() {
    end_.release();
    output_.release();
    running_.reset();
    limit_.cancel();
    next_read_.cancel();
}

void change_hook::set_timer() {
    const auto due = schedule_.due();
    if (!due) {
        return;
    }
    limit_.expires_at(net::timer_point(*due));
    limit_.async_wait(while_it_runs([this] {
        if (const auto urge = schedule_.urge(net::monotonic_now())) {
            log::warning("on-primary-change: epoch {}: it takes too long and gets {}", told_.epoch,
                         name_of(*urge));
            running_->signal(*urge == hook_urge::kill ? SIGKILL : SIGTERM);
        }
        set_timer();
    }));
}

} // namespace almenara::server
