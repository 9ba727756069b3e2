#include "base/text.hpp"
#include "commands/commands.hpp"
#include "net/clock.hpp"
#include "runtime.hpp"
#include "wire/print.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>

namespace almenara::cli {

namespace asio = boost::asio;

namespace {

double in_milliseconds(duration time) {
    return std::chrono::duration<double, std::milli>{time}.count();
}

/// What is printed for one answer.
std::string line_about(const wire::pong& pong,
                       const std::string& address,
                       duration round_trip,
                       bool json) {
    if (!json) {
        return fmt::format("server {} ({}, epoch {}) at {}: {:.2f} ms\n", pong.server, pong.role,
                           pong.epoch, address, in_milliseconds(round_trip));
    }
    boost::json::object object;
    object["server"] = pong.server.value();
    object["role"] = wire::to_text(pong.role);
    object["epoch"] = pong.epoch.value();
    object["index"] = pong.index.value();
    object["address"] = address;
    object["round_trip_us"] =
        std::chrono::duration_cast<std::chrono::microseconds>(round_trip).count();
    return boost::json::serialize(object) + '\n';
}

/// How all of them together went.
class round_trips {
  public:
    void add(duration one) {
        fastest_ = answered_ == 0 ? one : std::min(fastest_, one);
        slowest_ = std::max(slowest_, one);
        sum_ += one;
        ++answered_;
    }

    [[nodiscard]] std::uint64_t answered() const { return answered_; }

    [[nodiscard]] std::string summary(std::uint64_t asked) const {
        if (answered_ == 0) {
            return fmt::format("0 of {} answered\n", asked);
        }
        return fmt::format(
            "{} of {} answered: fastest {:.2f} ms, mean {:.2f} ms, slowest {:.2f} ms\n", answered_,
            asked, in_milliseconds(fastest_),
            in_milliseconds(sum_ / static_cast<std::int64_t>(answered_)),
            in_milliseconds(slowest_));
    }

  private:
    std::uint64_t answered_ = 0;
    duration fastest_{};
    duration slowest_{};
    duration sum_{};
};

asio::awaitable<exit_code> ping(runtime& here, const invocation& asked) {
    runtime::link link{here};
    const auto opened = co_await link.open();
    if (!opened) {
        co_return here.fail(opened.error());
    }
    const bool many = asked.has("count") || asked.has("interval");
    const std::uint64_t wanted = asked.count("count").value_or(many ? UINT64_MAX : 1);
    const duration interval = asked.length_of_time("interval").value_or(std::chrono::seconds{1});
    round_trips trips;
    std::uint64_t sent = 0;
    exit_code exit = exit_code::ok;
    while (sent < wanted && !here.must_stop() && exit == exit_code::ok) {
        const instant before = net::monotonic_now();
        ++sent;
        const auto pong = co_await link->ping(here.deadline());
        if (!pong) {
            exit = here.fail(pong.error());
            break;
        }
        const duration round_trip = net::monotonic_now() - before;
        trips.add(round_trip);
        here.out().print(line_about(*pong, link->peer(), round_trip, asked.json));
        if (sent < wanted) {
            co_await here.pause_until(before + interval);
            here.begin_round();
        }
    }
    co_await link->close();
    if (many && !asked.json) {
        here.out().print(trips.summary(sent));
    }
    co_return exit == exit_code::ok ? here.done() : exit;
}

constexpr std::array<example, 3> examples{{
    {"almenara --plaintext ping", "is anybody there?"},
    {"almenara --plaintext ping --count 10 --interval 200ms", "how steady is it?"},
    {"almenara --plaintext ping --json", "for a script"},
}};

constexpr std::array<option, 2> options{{
    {"count", 0, value_kind::count, "N", "ask so often, each within --timeout, and print a summary",
     "", ""},
    {"interval", 0, value_kind::length_of_time, "TIME",
     "ask again after this time (1s with --count; without it until Ctrl-C)", "", ""},
}};

} // namespace

constinit const command ping_command{
    .name = "ping",
    .words = "",
    .summary = "Ask a server whether it is there, and how fast it answers.",
    .examples = examples,
    .options = options,
    .run = ping,
};

} // namespace almenara::cli
