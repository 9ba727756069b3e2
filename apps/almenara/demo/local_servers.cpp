#include "demo/local_servers.hpp"

#include "base/text.hpp"
#include "demo/place.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <tuple>
#include <utility>

namespace almenara::cli {

namespace asio = boost::asio;

namespace {

/// A server that is asked to stop is gone within three seconds (B.13).
constexpr std::chrono::seconds longest_stop{4};

} // namespace

local_servers::local_servers(asio::any_io_executor executor,
                             settings wanted,
                             on_unexpected_end then)
    : executor_(std::move(executor)),
      settings_(std::move(wanted)),
      then_(std::move(then)),
      one_ended_(executor_),
      maker_ended_(executor_) {
    for (std::size_t i = 1; i <= settings_.count; ++i) {
        ids_.emplace_back(static_cast<std::uint16_t>(i));
    }
}

std::string local_servers::secret_file() const {
    return settings_.directory + "/secret";
}

std::string local_servers::log_file(server_id which) const {
    return fmt::format("{}/server{}.log", settings_.directory, which);
}

std::string local_servers::said(server_id which) const {
    return end_of(log_file(which), said_before_.at(which));
}

std::string local_servers::address(server_id which) const {
    return fmt::format("127.0.0.1:{}", settings_.first_port + which.value() - 1);
}

std::vector<std::string> local_servers::addresses() const {
    std::vector<std::string> all;
    for (const server_id id : ids_) {
        all.push_back(address(id));
    }
    return all;
}

std::string local_servers::peers() const {
    std::vector<std::string> all;
    for (const server_id id : ids_) {
        all.push_back(fmt::format("{}={}", id, address(id)));
    }
    return fmt::format("{}", fmt::join(all, ","));
}

local_servers::state local_servers::state_of(server_id which) const {
    const auto found = running_.find(which);
    if (found == running_.end()) {
        return state::ended;
    }
    return found->second.is_paused ? state::paused : state::runs;
}

pid_t local_servers::pid_of(server_id which) const {
    return running_.at(which).child->pid();
}

error local_servers::no_secret(child_process::end how, const std::string& what_it_said) const {
    if (how.code == child_process::cannot_start) {
        return error{errc::not_found, fmt::format("starting '{}'", settings_.program),
                     std::make_error_code(std::errc::no_such_file_or_directory),
                     "Put it beside 'almenara', or in a directory of PATH"};
    }
    if (is_maker_late_) {
        return error{errc::timed_out,
                     fmt::format("'{} --make-secret': it took longer than {}", settings_.program,
                                 almenara::to_string(settings_.longest_secret)),
                     {},
                     "Look whether that is the right program, and whether the disk answers"};
    }
    const std::string why = last_line(what_it_said);
    error none{errc::unavailable,
               fmt::format("'{} --make-secret': {}", settings_.program, to_string(how))};
    if (why.empty()) {
        none.doing += ", and said nothing";
        none.advice = fmt::format("Look whether '{}' is the right program", settings_.program);
    } else {
        none.doing += fmt::format(". It said: {}", why);
    }
    return none;
}

child_process::program local_servers::secret_maker() const {
    return {.words = {settings_.program, "--make-secret", secret_file()}, .output = {}};
}

asio::awaitable<result<void>> local_servers::make_secret() {
    result<void> made;
    if (std::filesystem::exists(secret_file())) {
        co_return made; // A directory that was kept (--keep).
    }
    const child_process::program maker = secret_maker();
    auto child = child_process::start(executor_, maker, [this](child_process::end how) {
        maker_end_ = how;
        maker_ended_.cancel();
    });
    if (!child) {
        made = child.error();
        co_return made;
    }
    maker_ = *std::move(child);
    const child_process::end how = co_await end_of_maker();
    if (how.code != 0) {
        std::error_code ignored; // Half a secret would be taken for one the next time.
        std::filesystem::remove(secret_file(), ignored);
        made = no_secret(how, maker_->said());
    }
    co_return made;
}

asio::awaitable<child_process::end> local_servers::end_of_maker() {
    maker_ended_.expires_after(settings_.longest_secret);
    while (!maker_end_) {
        const auto waited = co_await maker_ended_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (!maker_end_ && !std::get<0>(waited)) {
            is_maker_late_ = true;
            maker_->send(SIGKILL);
            maker_ended_.expires_at(asio::steady_timer::time_point::max());
        }
    }
    co_return *maker_end_;
}

asio::awaitable<result<void>> local_servers::start_all() {
    result<void> started = co_await make_secret();
    for (const server_id id : ids_) {
        if (started && !is_given_up_) {
            started = start(id);
        }
    }
    co_return started;
}

void local_servers::give_up_start() {
    is_given_up_ = true;
    if (maker_) {
        maker_->send(SIGKILL);
    }
}

result<void> local_servers::start(server_id which) {
    const std::vector<std::string> words{
        settings_.program,
        "--id",
        fmt::format("{}", which),
        "--data-dir",
        fmt::format("{}/server{}", settings_.directory, which),
        "--listen",
        address(which),
        "--peers",
        peers(),
        "--secret-file",
        secret_file(),
        "--auth",
        "trust",
        "--wal-segment",
        "4MiB",
        "--plaintext",
    };
    said_before_[which] = size_of(log_file(which));
    auto child = child_process::start(executor_, {.words = words, .output = log_file(which)},
                                      [this, which](child_process::end how) { ended(which, how); });
    if (!child) {
        return child.error();
    }
    running_[which] = one{.child = *std::move(child)};
    return {};
}

asio::awaitable<void> local_servers::kill(server_id which) {
    one& victim = running_.at(which);
    victim.is_to_end = true;
    victim.child->send(SIGKILL);
    one_ended_.expires_at(asio::steady_timer::time_point::max());
    while (running_.contains(which)) {
        co_await one_ended_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

void local_servers::pause(server_id which) {
    running_.at(which).is_paused = true;
    running_.at(which).child->send(SIGSTOP);
}

void local_servers::resume(server_id which) {
    running_.at(which).is_paused = false;
    running_.at(which).child->send(SIGCONT);
}

void local_servers::kill_all() {
    for (auto& [id, each] : running_) {
        each.is_to_end = true;
        each.child->send(SIGKILL);
    }
}

asio::awaitable<void> local_servers::stop_all() {
    for (auto& [id, each] : running_) {
        each.is_to_end = true;
        each.child->send(SIGTERM);
        each.child->send(SIGCONT); // Behind the other: a paused one hears it when it goes on.
    }
    one_ended_.expires_after(longest_stop);
    while (!running_.empty()) {
        const auto waited = co_await one_ended_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (!std::get<0>(waited)) {
            kill_all();
            one_ended_.expires_after(longest_stop);
        }
    }
}

void local_servers::ended(server_id which, child_process::end how) {
    const bool is_expected = running_.at(which).is_to_end;
    running_.erase(which);
    one_ended_.cancel();
    if (!is_expected) {
        then_(which, how);
    }
}

} // namespace almenara::cli
