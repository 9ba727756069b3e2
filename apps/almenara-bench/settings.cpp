#include "settings.hpp"

#include "base/text.hpp"
#include "client/server_address.hpp"
#include "services/kv/messages.hpp"
#include "wire/user_name.hpp"

#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/variables_map.hpp>
#include <fmt/format.h>

#include <array>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

namespace almenara::bench {

namespace po = boost::program_options;

namespace {

constexpr std::string_view examples =
    "Examples:\n"
    "  almenara-bench --plaintext -s 127.0.0.1:7401 --workload write\n"
    "  almenara-bench --plaintext -s 127.0.0.1:7401 -s 127.0.0.1:7402 --workload failover "
    "--rate 1000\n\n"
    "Usage: almenara-bench [OPTIONS]\n\n"
    "Exit codes: 0 ok, 1 an operation failed, 2 the command line makes no sense, 5 no server could "
    "answer.\n\n";

po::options_description described_options() {
    po::options_description all{"Options"};
    const auto text = [] { return po::value<std::string>(); };
    all.add_options() //
        ("server,s", po::value<std::vector<std::string>>(),
         "HOST:PORT to begin with; several -s")                                      //
        ("plaintext", po::bool_switch(), "no TLS; for loopback addresses only")      //
        ("user,u", text(), "who asks (bench)")                                       //
        ("workload", text(), "write, read, mixed or failover (write)")               //
        ("clients", text(), "sessions (64)")                                         //
        ("size", text(), "bytes of a value (128)")                                   //
        ("seconds", text(), "how long (10)")                                         //
        ("pipeline", text(), "operations of a client at a time (1; with --rate 64)") //
        ("rate", text(),
         "operations per second of all clients together; latency counts from when "
         "each was due")                                                              //
        ("keys", text(), "keys that are used (1000)")                                 //
        ("filled", po::bool_switch(), "what is read is there: do not write it first") //
        ("timeout", text(), "how long an operation may take (30s)")                   //
        ("follow", text(),
         "how a new primary may be found: beacon, redirect, standby, members, "
         "directory, with commas between (all)")                               //
        ("history", text(), "write each operation to this file, for checkers") //
        ("json", po::bool_switch(), "one JSON object")                         //
        ("help,h", po::bool_switch(), "this text")                             //
        ("version", po::bool_switch(), "print the version");
    return all;
}

/// A number of an option, if it is given.
template <class Number>
result<void> read_number(const po::variables_map& given,
                         const std::string& option,
                         std::pair<std::uint64_t, std::uint64_t> bounds,
                         Number& into) {
    if (!given.contains(option)) {
        return {};
    }
    const auto number =
        base::parse_number(given[option].as<std::string>(), bounds.first, bounds.second);
    if (!number) {
        return while_doing("--" + option, number.error());
    }
    into = static_cast<typename Number::value_type>(*number);
    return {};
}

struct numbers {
    std::optional<std::size_t> clients, size, pipeline, keys;
    std::optional<std::uint64_t> seconds, rate;
};

result<void> read_numbers(const po::variables_map& given, settings& into) {
    constexpr std::uint64_t many = 1'000'000'000;
    numbers read;
    for (const result<void>& each :
         {read_number(given, "clients", {1, 10'000}, read.clients),
          read_number(given, "size", {1, services::kv::largest_value}, read.size),
          read_number(given, "seconds", {1, 86'400}, read.seconds),
          read_number(given, "pipeline", {1, 1000}, read.pipeline),
          read_number(given, "rate", {1, many}, read.rate),
          read_number(given, "keys", {1, many}, read.keys)}) {
        if (!each) {
            return each;
        }
    }
    into.clients = read.clients.value_or(into.clients);
    into.size = read.size.value_or(into.size);
    into.seconds = read.seconds.value_or(into.seconds);
    into.rate = read.rate;
    into.pipeline = read.pipeline.value_or(read.rate ? 64 : into.pipeline);
    into.keys = read.keys.value_or(into.keys);
    return {};
}

result<workload_kind> parse_kind(const std::string& text) {
    constexpr std::array kinds{workload_kind::write, workload_kind::read, workload_kind::mixed,
                               workload_kind::failover};
    for (const workload_kind kind : kinds) {
        if (to_string(kind) == text) {
            return kind;
        }
    }
    return error{errc::invalid, fmt::format("--workload: '{}' is none of write, read, mixed and "
                                            "failover",
                                            base::escaped(text))};
}

result<void> read_rest(const po::variables_map& given, settings& into) {
    into.plaintext = given["plaintext"].as<bool>();
    into.json = given["json"].as<bool>();
    into.filled = given["filled"].as<bool>();
    if (given.contains("user")) {
        into.user = given["user"].as<std::string>();
        if (!wire::is_user_name(into.user)) {
            return error{errc::invalid, fmt::format("--user: {}", wire::user_name_rule)};
        }
    }
    if (given.contains("history")) {
        into.history = given["history"].as<std::string>();
    }
    if (given.contains("workload")) {
        const auto kind = parse_kind(given["workload"].as<std::string>());
        if (!kind) {
            return kind.error();
        }
        into.kind = *kind;
    }
    if (given.contains("timeout")) {
        const auto length = parse_duration(given["timeout"].as<std::string>());
        if (!length || *length <= duration{0}) {
            return error{errc::invalid, "--timeout: write for example 5s"};
        }
        into.timeout = *length;
    }
    if (given.contains("follow")) {
        const auto ways = client::parse_ways(given["follow"].as<std::string>());
        if (!ways) {
            return while_doing("--follow", ways.error());
        }
        into.follow = *ways;
    }
    into.servers = given.contains("server") ? given["server"].as<std::vector<std::string>>()
                                            : std::vector<std::string>{"127.0.0.1:7400"};
    for (const std::string& each : into.servers) {
        if (const auto address = client::parse_server_address(each); !address) {
            return while_doing("--server", address.error());
        }
    }
    return {};
}

} // namespace

result<settings> parse_settings(std::span<const std::string> arguments) {
    settings read;
    po::variables_map given;
    try {
        const std::vector<std::string> words{arguments.begin(), arguments.end()};
        // An empty list of positions: words without an option are refused.
        po::store(po::command_line_parser(words)
                      .options(described_options())
                      .positional(po::positional_options_description{})
                      .run(),
                  given);
    } catch (const po::error& failure) {
        return error{errc::invalid, failure.what(), {}, "See 'almenara-bench --help'"};
    }
    read.help = given["help"].as<bool>();
    read.version = given["version"].as<bool>();
    if (auto done = read_numbers(given, read); !done) {
        return done.error();
    }
    if (auto done = read_rest(given, read); !done) {
        return done.error();
    }
    return read;
}

std::string help_text() {
    std::ostringstream text;
    text << examples << described_options();
    return text.str();
}

} // namespace almenara::bench
