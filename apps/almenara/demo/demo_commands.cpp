#include "demo/demo_commands.hpp"

#include "base/text.hpp"
#include "base/version.hpp"
#include "client/connection.hpp"
#include "client/server_address.hpp"
#include "net/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <tuple>
#include <utility>

namespace almenara::cli {

namespace asio = boost::asio;

namespace {

constexpr std::array<extra_commands::entry, 7> all_entries{{
    {"kill", "primary|SERVER", "ends a server at once, as a power cut does (kill -9)"},
    {"pause", "primary|SERVER", "stops a server's time: it hears and says nothing (SIGSTOP)"},
    {"resume", "SERVER", "lets it go on"},
    {"restart", "primary|SERVER", "starts a server that has ended, or ends it and starts it again"},
    {"servers", "", "the demo's servers, with their processes"},
    {"busy", "on|off", "counts in the background, and says afterwards whether a count was lost"},
    {"wait", "TIME", "lets time pass, for scripts: 500ms, 2s"},
}};

/// A server that is not there says so at once; a paused one never does.
constexpr std::chrono::milliseconds longest_answer{500};
constexpr std::chrono::hours longest_wait{1};

std::string_view name_of(local_servers::state what) {
    switch (what) {
    case local_servers::state::runs:
        return "runs";
    case local_servers::state::paused:
        return "paused";
    case local_servers::state::ended:
        break;
    }
    return "ended";
}

complaint wrong_words(const extra_commands::entry& about) {
    return usage_complaint(
        std::string{about.name}, "these are not the words that it takes",
        fmt::format("Write '{}{}{}'.", about.name, about.words.empty() ? "" : " ", about.words));
}

const extra_commands::entry& entry_of(std::string_view name) {
    return *std::find_if(all_entries.begin(), all_entries.end(),
                         [name](const auto& each) { return each.name == name; });
}

} // namespace

demo_commands::demo_commands(asio::any_io_executor executor,
                             local_servers& servers,
                             background_load& load)
    : executor_(std::move(executor)), servers_(servers), load_(load), pause_(executor_) {}

void demo_commands::interrupt() {
    load_.interrupt();
    pause_.cancel();
}

std::span<const extra_commands::entry> demo_commands::list() const {
    return all_entries;
}

std::vector<std::string> demo_commands::complete(std::span<const std::string> words) const {
    if (words.size() != 1 || words[0] == "servers" || words[0] == "wait") {
        return {};
    }
    if (words[0] == "busy") {
        return {"on", "off"};
    }
    std::vector<std::string> names;
    if (words[0] != "resume") {
        names.emplace_back("primary");
    }
    for (const server_id id : servers_.ids()) {
        names.push_back(fmt::format("{}", id));
    }
    return names;
}

asio::awaitable<exit_code> demo_commands::run(std::vector<std::string> words,
                                              console& out,
                                              bool json) {
    const outcome<told> done = co_await do_it(std::move(words));
    if (!done) {
        out.complain(done.error(), json);
        co_return done.error().exit;
    }
    if (!json) {
        out.print(done->text);
        co_return exit_code::ok;
    }
    for (const boost::json::object& line : done->lines) {
        out.print(boost::json::serialize(line) + '\n');
    }
    co_return exit_code::ok;
}

asio::awaitable<outcome<demo_commands::told>> demo_commands::do_it(std::vector<std::string> words) {
    const std::string verb = words.front();
    const std::size_t wanted = verb == "servers" ? 1 : 2;
    if (words.size() != wanted) {
        co_return wrong_words(entry_of(verb));
    }
    if (verb == "servers") {
        co_return list_servers();
    }
    if (verb == "wait") {
        co_return co_await let_pass(std::move(words));
    }
    if (verb == "busy") {
        co_return co_await switch_load(std::move(words));
    }
    co_return co_await act_on_server(std::move(words));
}

demo_commands::told demo_commands::list_servers() const {
    told all{{}};
    for (const server_id id : servers_.ids()) {
        const auto state = servers_.state_of(id);
        const bool is_there = state != local_servers::state::ended;
        const std::string process =
            is_there ? fmt::format(", process {}", servers_.pid_of(id)) : std::string{};
        all.text += fmt::format("server {} at {}: {}{}\n", id, servers_.address(id), name_of(state),
                                process);
        boost::json::object line;
        line["server"] = id.value();
        line["address"] = servers_.address(id);
        line["state"] = name_of(state);
        line["process"] = nullptr;
        if (is_there) {
            line["process"] = servers_.pid_of(id);
        }
        all.lines.push_back(std::move(line));
    }
    return all;
}

demo_commands::told demo_commands::about(server_id which, std::string_view what_now) const {
    told one{fmt::format("server {} {}\n", which, what_now)};
    boost::json::object line;
    line["server"] = which.value();
    line["state"] = name_of(servers_.state_of(which));
    one.lines.push_back(std::move(line));
    return one;
}

asio::awaitable<outcome<demo_commands::told>> demo_commands::switch_load(
    std::vector<std::string> words) {
    const bool on = words[1] == "on";
    if (!on && words[1] != "off") {
        co_return wrong_words(entry_of("busy"));
    }
    if (on == load_.is_running()) {
        co_return complaint{
            exit_code::conflict, errc::conflict, "busy", fmt::format("it is {} already", words[1]),
            on ? "'busy off' ends it, and says what became of it." : "'busy on' begins it."};
    }
    if (on) {
        load_.start();
        told begun{fmt::format("counting in '{}'\n", background_load::key)};
        boost::json::object line;
        line["key"] = background_load::key;
        begun.lines.push_back(std::move(line));
        co_return begun;
    }
    co_await load_.stop();
    if (load_.is_running()) {
        co_return complaint{exit_code::interrupted, errc::unavailable, "busy off",
                            "the last write is not answered yet", "Say it again later."};
    }
    told report{load_.report() + '\n'};
    report.lines.push_back(load_.report_json());
    co_return report;
}

asio::awaitable<outcome<demo_commands::told>> demo_commands::let_pass(
    std::vector<std::string> words) {
    const auto time = parse_duration(words[1]);
    if (!time || *time < duration::zero() || *time > longest_wait) {
        co_return wrong_words(entry_of("wait"));
    }
    pause_.expires_after(*time);
    const auto waited = co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (std::get<0>(waited)) {
        co_return complaint{exit_code::interrupted, errc::unavailable, "wait", "it was interrupted",
                            ""};
    }
    told nothing{{}};
    co_return nothing;
}

std::optional<complaint> demo_commands::why_not(const std::string& verb, server_id which) const {
    using state = local_servers::state;
    const state now = servers_.state_of(which);
    std::string why;
    std::string next;
    if (verb == "resume" && now == state::runs) {
        why = "it is not paused";
        next = fmt::format("'pause {}' stops its time.", which);
    } else if (verb == "pause" && now == state::paused) {
        why = "it is paused already";
        next = fmt::format("'resume {}' lets it go on.", which);
    } else if (verb != "restart" && now == state::ended) {
        why = "it has ended";
        next = fmt::format("'restart {}' starts it.", which);
    }
    if (why.empty()) {
        return std::nullopt;
    }
    return complaint{exit_code::conflict, errc::conflict, fmt::format("{} {}", verb, which),
                     std::move(why), std::move(next)};
}

asio::awaitable<outcome<demo_commands::told>> demo_commands::act_on_server(
    std::vector<std::string> words) {
    const std::string verb = words[0];
    const outcome<server_id> found = co_await server_named(words[1]);
    if (!found) {
        co_return found.error();
    }
    const server_id which = *found;
    const std::optional<complaint> refused = why_not(verb, which);
    if (refused) {
        co_return *refused;
    }
    if (verb == "kill") {
        co_await servers_.kill(which);
        co_return about(which, "is dead");
    }
    if (verb == "pause") {
        servers_.pause(which);
        co_return about(which, "is paused");
    }
    if (verb == "resume") {
        servers_.resume(which);
        co_return about(which, "goes on");
    }
    if (servers_.state_of(which) != local_servers::state::ended) {
        co_await servers_.kill(which);
    }
    const result<void> started = servers_.start(which);
    if (!started) {
        co_return complaint{exit_code::failed, started.error().code,
                            fmt::format("restart {}", which), started.error().message(), ""};
    }
    co_return about(which, "starts");
}

asio::awaitable<outcome<server_id>> demo_commands::server_named(std::string word) {
    const auto& ids = servers_.ids();
    const auto named = std::find_if(ids.begin(), ids.end(),
                                    [&](server_id id) { return fmt::format("{}", id) == word; });
    if (named != ids.end()) {
        co_return *named;
    }
    if (word != "primary") {
        co_return usage_complaint(
            fmt::format("'{}'", base::escaped(word)), "the demo has no such server",
            fmt::format("Write 'primary' or one of {}.", fmt::join(ids, ", ")));
    }
    const std::optional<server_id> rules = co_await primary();
    if (!rules) {
        co_return complaint{exit_code::unavailable, errc::unavailable, "primary",
                            "no server is primary now",
                            "'status' shows how they are, 'restart SERVER' brings one back."};
    }
    co_return *rules;
}

/// Whom the servers that answer take for it, the newest election first.
asio::awaitable<std::optional<server_id>> demo_commands::primary() {
    std::optional<server_id> rules;
    epoch newest;
    for (const server_id id : servers_.ids()) {
        if (servers_.state_of(id) != local_servers::state::runs) {
            continue;
        }
        const client::connection_options options{.client_name = fmt::format("demo {}", version),
                                                 .plaintext = true};
        client::connection asks{executor_, options};
        const auto where = client::parse_server_address(servers_.address(id));
        client::server_address address = where.value();
        const auto welcome =
            co_await asks.open(std::move(address), net::monotonic_now() + longest_answer);
        // Right behind a kill the others have not noticed yet.
        if (welcome && welcome->primary && welcome->epoch >= newest &&
            servers_.state_of(welcome->primary->id) != local_servers::state::ended) {
            newest = welcome->epoch;
            rules = welcome->primary->id;
        }
        co_await asks.close();
    }
    co_return rules;
}

} // namespace almenara::cli
