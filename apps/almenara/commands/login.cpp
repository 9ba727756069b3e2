#include "commands/commands.hpp"
#include "runtime.hpp"
#include "wire/json.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <array>
#include <string>

namespace almenara::cli {

namespace asio = boost::asio;

namespace {

std::string line_about(const wire::login_ok& who, bool json) {
    if (!json) {
        return fmt::format("{}{}\n", who.user, who.administrator ? " (administrator)" : "");
    }
    boost::json::object object;
    object["user"] = wire::json_text(who.user);
    object["administrator"] = who.administrator;
    object["epoch"] = who.epoch.value();
    return boost::json::serialize(object) + '\n';
}

/// Asks the primary; the name that it knows is printed.
asio::awaitable<exit_code> log_in(runtime& here, const invocation& asked) {
    runtime::cluster cluster{here};
    const client::answer how = co_await cluster.log_in(here.deadline());
    exit_code exit = exit_code::ok;
    if (how.code == wire::result_code::ok && cluster.user()) {
        here.out().print(line_about(*cluster.user(), asked.json));
    } else {
        exit = here.fail(std::string{asked.what->name}, how);
    }
    co_await cluster.close();
    co_return exit == exit_code::ok ? here.done() : exit;
}

std::string line_about_logout(const client::api::logout& done, bool json) {
    if (json) {
        boost::json::object object;
        object["closed"] = done.closed;
        object["in_use"] = done.kept;
        return boost::json::serialize(object) + '\n';
    }
    const auto sessions = [](std::size_t count) {
        return fmt::format("{} session{}", count, count == 1 ? "" : "s");
    };
    std::string line = fmt::format("{} closed", sessions(done.closed));
    if (done.kept > 0) {
        line += fmt::format("; {} in use by other programs", sessions(done.kept));
    }
    return line + '\n';
}

/// Ends what is kept for this user, at the servers and here.
asio::awaitable<exit_code> log_out(runtime& here, const invocation& asked) {
    runtime::cluster cluster{here};
    const client::api::logout done = co_await cluster.log_out(here.deadline());
    exit_code exit = exit_code::ok;
    if (done.how.code == wire::result_code::ok) {
        here.out().print(line_about_logout(done, asked.json));
    } else {
        exit = here.fail(std::string{asked.what->name}, done.how);
    }
    co_await cluster.close();
    co_return exit == exit_code::ok ? here.done() : exit;
}

constexpr std::array<example, 1> login_examples{{
    {"almenara --plaintext -u anna login", "may anna in?"},
}};
constexpr std::array<example, 1> logout_examples{{
    {"almenara --plaintext -u anna logout", "close anna's sessions and forget the device"},
}};
constexpr std::array<example, 1> whoami_examples{{
    {"almenara --plaintext whoami", "as whom do I ask?"},
}};

} // namespace

constinit const command login_command{
    .name = "login",
    .words = "",
    .summary = "Ask the primary whether it lets this user in.",
    .examples = login_examples,
    .options = {},
    .run = log_in,
};
constinit const command logout_command{
    .name = "logout",
    .words = "",
    .summary = "Close this user's sessions and remove what is kept here for the next run.",
    .examples = logout_examples,
    .options = {},
    .run = log_out,
};
constinit const command whoami_command{
    .name = "whoami",
    .words = "",
    .summary = "Print as whom the primary knows who asks.",
    .examples = whoami_examples,
    .options = {},
    .run = log_in,
};

} // namespace almenara::cli
