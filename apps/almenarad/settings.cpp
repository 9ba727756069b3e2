#include "settings.hpp"

#include "base/config_text.hpp"
#include "base/text.hpp"
#include "net/address.hpp"
#include "server/cluster_options.hpp"
#include "storage/data_directory.hpp"
#include "storage/file.hpp"

#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/variables_map.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <sys/stat.h>

namespace almenara::almenarad {

namespace options = boost::program_options;

namespace {

constexpr std::array kinds{
    setting_kind{.key = "data-dir",
                 .short_option = "d",
                 .value_name = "DIR",
                 .fallback = "/var/lib/almenara",
                 .help = "where everything is kept; made if it is not there"},
    setting_kind{.key = "listen",
                 .short_option = "l",
                 .value_name = "HOST:PORT",
                 .fallback = "127.0.0.1:7400",
                 .help = "address to serve at; port 0 takes a free one"},
    setting_kind{.key = "advertise",
                 .short_option = "a",
                 .value_name = "HOST:PORT",
                 .help = "where other servers and clients reach this one (where it listens)"},
    setting_kind{.key = "id",
                 .value_name = "N",
                 .help = "number of this server, 1 to 65535; kept in the data directory (1 in a "
                         "new one)"},
    setting_kind{.key = "primary",
                 .short_option = "p",
                 .help = "begin a new cluster of this server alone; means nothing to one that "
                         "belongs to a cluster"},
    setting_kind{.key = "peers",
                 .value_name = "ID=HOST:PORT,...",
                 .help = "begin a new cluster of these servers, this one among them; to one that "
                         "belongs to a cluster: where the others are"},
    setting_kind{.key = "secret-file",
                 .value_name = "FILE",
                 .help =
                     "the cluster's secret, the same for all: 64 hex digits, mode 0600; kept in "
                     "the data directory"},
    setting_kind{.key = "wait",
                 .help = "with --primary or --peers: begin when 'GO' is typed here, after "
                         "'almenara cluster go', or as --go-after says"},
    setting_kind{.key = "go-after",
                 .value_name = "TIME",
                 .help = "with --wait: begin after this time by itself"},
    setting_kind{.key = "priority",
                 .value_name = "N",
                 .fallback = "0",
                 .help = "of servers that know the same, the highest one rules, 0 to 65535"},
    setting_kind{.key = "confirm",
                 .value_name = "POLICY",
                 .fallback = "sync-set",
                 .help = "when a write counts as done: sync-set, majority or all; the same for all "
                         "servers, taken when a cluster begins"},
    setting_kind{.key = "auth",
                 .value_name = "HOW",
                 .fallback = "trust",
                 .help = "trust: a user name is enough; this version knows nothing else"},
    setting_kind{.key = "wal-segment",
                 .value_name = "SIZE",
                 .fallback = "64MiB",
                 .help = "size of the log's files, 4MiB to 64MiB"},
    setting_kind{.key = "batches-in-flight",
                 .value_name = "N",
                 .fallback = "1",
                 .help = "batches that may wait for the other servers at a time, 1 to 8; more than "
                         "1 pays when they are far away"},
    setting_kind{.key = "max-clients",
                 .value_name = "N|auto",
                 .fallback = "auto",
                 .help = "most clients at a time; auto: as descriptors, memory and load allow",
                 .reloadable = true},
    setting_kind{.key = "plaintext",
                 .help = "no TLS: needed, because this version has none; loopback addresses only"},
    setting_kind{.key = "log-level",
                 .value_name = "LEVEL",
                 .fallback = "info",
                 .help = "debug, info, notice, warning or error",
                 .reloadable = true},
    setting_kind{.key = "log-file",
                 .value_name = "FILE",
                 .help = "write the log to FILE too; rotated, 8 files are kept"},
    setting_kind{.key = "log-file-size",
                 .value_name = "SIZE",
                 .fallback = "8MiB",
                 .help = "size at which the log file is rotated"},
};

constexpr std::size_t largest_config_file = 1024 * 1024;
constexpr std::string_view switch_on = "true";
constexpr std::string_view see_help = "See 'almenarad --help'";

const setting_kind* kind_of(std::string_view key) {
    const auto found = std::find_if(kinds.begin(), kinds.end(),
                                    [key](const setting_kind& kind) { return kind.key == key; });
    return found == kinds.end() ? nullptr : &*found;
}

std::vector<std::string_view> all_keys() {
    std::vector<std::string_view> keys;
    for (const setting_kind& kind : kinds) {
        keys.push_back(kind.key);
    }
    return keys;
}

/// The long options, without their dashes.
std::vector<std::string_view> all_options() {
    std::vector<std::string_view> names = all_keys();
    names.insert(names.end(),
                 {"config", "check-config", "print-config", "make-secret", "help", "version"});
    return names;
}

std::string environment_name(std::string_view key) {
    std::string name = "ALMENARA_";
    for (const char letter : key) {
        name += letter == '-' ? '_' : static_cast<char>(std::toupper(letter));
    }
    return name;
}

/// "almenarad.conf:3: unknown key 'lisen'. Did you mean 'listen'?"
error unknown_key(std::string_view place, std::string_view key) {
    const auto keys = all_keys();
    std::string hint = base::did_you_mean(key, keys);
    if (hint.empty()) {
        hint = "See 'almenarad --help' for the keys";
    }
    return {errc::invalid,
            fmt::format("{}: unknown key '{}'. {}", place, base::escaped(key), hint)};
}

/// "unknown option '--lisen'. Did you mean '--listen'?"
error unknown_option(std::string_view option) {
    const auto names = all_options();
    std::string_view name = option;
    name.remove_prefix(std::min(name.find_first_not_of('-'), name.size()));
    const auto meant = base::nearest(name, names);
    const std::string hint =
        meant ? fmt::format("Did you mean '--{}'?", *meant) : std::string{see_help};
    return {errc::invalid, fmt::format("unknown option '{}'. {}", base::escaped(option), hint)};
}

options::options_description described_options() {
    options::options_description all{"Options"};
    auto add = all.add_options();
    for (const setting_kind& kind : kinds) {
        const std::string name = kind.short_option.empty()
                                     ? std::string{kind.key}
                                     : fmt::format("{},{}", kind.key, kind.short_option);
        const std::string help{kind.help};
        if (kind.value_name.empty()) {
            add(name.c_str(), options::bool_switch(), help.c_str());
        } else {
            auto* const value = options::value<std::string>();
            value->value_name(std::string{kind.value_name});
            add(name.c_str(), value, help.c_str());
        }
    }
    auto* const file = options::value<std::string>();
    file->value_name("FILE");
    add("config,c", file, "read settings from FILE: one 'key = value' a line, keys as the options");
    auto* const secret = options::value<std::string>();
    secret->value_name("FILE");
    add("make-secret", secret, "make a cluster's secret, and stop");
    add("check-config", options::bool_switch(), "say whether this would start, and stop");
    add("print-config", options::bool_switch(), "print every setting and where it comes from");
    add("help,h", options::bool_switch(), "this text");
    add("version", options::bool_switch(), "print the version");
    return all;
}

error bad_option(const options::error& failure) {
    if (const auto* const unknown = dynamic_cast<const options::unknown_option*>(&failure)) {
        const std::string given = unknown->get_option_name();
        return unknown_option(std::string_view{given}.substr(0, given.find('=')));
    }
    return {errc::invalid, fmt::format("{}. {}", base::escaped(failure.what()), see_help)};
}

/// A word that is neither an option nor the value of one.
std::optional<std::string> stray_word(const options::parsed_options& given) {
    for (const auto& option : given.options) {
        if (option.position_key >= 0 && !option.value.empty()) {
            return option.value.front();
        }
    }
    return std::nullopt;
}

result<void> read_file_settings(const std::string& path,
                                std::map<std::string, setting, std::less<>>& into) {
    const auto content = storage::read_file(path, largest_config_file);
    if (!content) {
        return while_doing("reading the configuration", content.error());
    }
    if (!*content) {
        return error{errc::not_found,
                     fmt::format("reading the configuration: there is no file '{}'. Give the path "
                                 "of one, or leave out --config",
                                 path)};
    }
    const auto entries = base::parse_config_text(base::as_text(**content));
    if (!entries) {
        return while_doing(path, entries.error());
    }
    for (const base::config_entry& entry : *entries) {
        const std::string place = fmt::format("{}:{}", path, entry.line);
        if (kind_of(entry.key) == nullptr) {
            return unknown_key(place, entry.key);
        }
        if (!into.try_emplace(entry.key, setting{entry.value, place}).second) {
            return error{errc::invalid,
                         fmt::format("{}: '{}' stands there twice. Remove one", place, entry.key)};
        }
    }
    return {};
}

/// The same failure, with the setting and the place it came from in front.
error in_setting(std::string_view key, const setting& given, const error& failure) {
    return while_doing(fmt::format("{} ({})", key, given.origin), failure);
}

result<bool> parse_switch(std::string_view text) {
    if (text == "true" || text == "yes" || text == "on" || text == "1") {
        return true;
    }
    if (text == "false" || text == "no" || text == "off" || text == "0") {
        return false;
    }
    return error{errc::invalid, fmt::format("'{}' is neither true nor false", text)};
}

result<std::optional<std::size_t>> parse_max_clients(std::string_view text) {
    constexpr std::size_t most = 1'000'000;
    if (text == "auto") {
        return std::optional<std::size_t>{};
    }
    const auto number = base::parse_number(text, 1, most);
    if (!number) {
        return error{
            errc::invalid,
            fmt::format("'{}' is neither 'auto' nor a whole number from 1 to {}", text, most)};
    }
    return std::optional<std::size_t>{*number};
}

result<server_id> parse_server_id(std::string_view text) {
    constexpr std::uint64_t largest = 65535;
    const auto number = base::parse_number(text, 1, largest);
    if (!number) {
        return number.error();
    }
    return server_id{static_cast<std::uint16_t>(*number)};
}

result<std::uint16_t> parse_priority(std::string_view text) {
    constexpr std::uint64_t largest = 65535;
    const auto number = base::parse_number(text, 0, largest);
    if (!number) {
        return number.error();
    }
    return static_cast<std::uint16_t>(*number);
}

result<std::size_t> parse_batches(std::string_view text) {
    constexpr std::uint64_t most = 8;
    const auto number = base::parse_number(text, 1, most);
    if (!number) {
        return number.error();
    }
    return static_cast<std::size_t>(*number);
}

result<std::uint64_t> parse_segment_size(std::string_view text) {
    constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;
    const auto size = base::parse_size(text);
    if (!size) {
        return size.error();
    }
    if (*size < 4 * mebibyte || *size > 64 * mebibyte || *size % 4096 != 0) {
        return error{errc::invalid, "a file of the log has 4MiB to 64MiB, in steps of 4KiB"};
    }
    return *size;
}

/// There is no other way yet, and a cluster that asked for one must not go without.
result<bool> parse_auth(std::string_view text) {
    if (text != "trust") {
        return error{errc::unsupported, fmt::format("'{}' is not in this version: only trust is",
                                                    base::escaped(text))};
    }
    return true;
}

result<std::optional<duration>> parse_go_after(std::string_view text) {
    const auto length = parse_duration(text);
    if (!length) {
        return length.error();
    }
    return std::optional<duration>{*length};
}

result<std::optional<std::string>> parse_advertised(std::string_view text) {
    const auto address = net::parse_host_port(text);
    if (!address) {
        return address.error();
    }
    return std::optional<std::string>{net::to_string(*address)};
}

/// F: a secret that others can read is none.
result<std::optional<base::key256>> read_secret(std::string_view path) {
    constexpr std::size_t largest = 4096;
    const std::string file{path};
    struct stat facts{};
    if (::stat(file.c_str(), &facts) == 0 && (facts.st_mode & 0077U) != 0) {
        return error{errc::denied,
                     fmt::format("'{}' can be read by others than its owner. Say 'chmod 600 {}'",
                                 file, file)};
    }
    const auto content = storage::read_file(file, largest);
    if (!content) {
        return content.error();
    }
    if (!*content) {
        return error{errc::not_found,
                     fmt::format("there is no file '{}'. Make it with 'almenarad --make-secret {}'",
                                 file, file)};
    }
    const auto secret = server::parse_secret(base::as_text(**content));
    if (!secret) {
        return while_doing(file, secret.error());
    }
    return std::optional<base::key256>{*secret};
}

result<std::string> parse_text(std::string_view text) {
    if (text.empty()) {
        return error{errc::invalid, "a value is missing. Give one, or leave it out"};
    }
    return std::string{text};
}

/// Parses a setting, if it is set, into a place.
template <class Parse, class Place>
result<void> take(const settings& all, std::string_view key, Parse parse, Place& place) {
    const setting* const given = all.find(key);
    if (given == nullptr) {
        return {};
    }
    auto value = parse(given->value);
    if (!value) {
        return in_setting(key, *given, value.error());
    }
    place = std::move(*value);
    return {};
}

/// A setting as it stands in a configuration file, below where it comes from.
std::string as_in_file(std::string_view key, const setting& given) {
    const bool is_from_file = given.origin.find(':') != std::string::npos;
    const std::string from =
        fmt::format("# from {}{}", is_from_file ? "" : "the ", base::escaped(given.origin));
    const std::string value = base::escaped(given.value);
    // Commented out: what stands there must never be read as another value.
    if (value != given.value || base::trimmed(value) != value) {
        return fmt::format("{}; no file can hold this value:\n# {} = '{}'\n", from, key, value);
    }
    return fmt::format("{}\n{} = {}\n", from, key, value);
}

} // namespace

std::span<const setting_kind> setting_kinds() {
    return kinds;
}

result<command_line> parse_command_line(std::span<const char* const> arguments) {
    const options::options_description known = described_options();
    const std::vector<std::string> words{arguments.begin(), arguments.end()};
    options::variables_map found;
    try {
        // Without guessing: an abbreviation that works today may mean something else tomorrow.
        const int style = options::command_line_style::default_style &
                          ~options::command_line_style::allow_guessing;
        const auto parsed = options::command_line_parser{words}.options(known).style(style).run();
        if (const auto word = stray_word(parsed)) {
            return error{errc::invalid,
                         fmt::format("unexpected word '{}': options begin with '--'. "
                                     "See 'almenarad --help'",
                                     base::escaped(*word))};
        }
        options::store(parsed, found);
    } catch (const options::error& failure) {
        return bad_option(failure);
    }
    command_line given;
    given.help = found["help"].as<bool>();
    given.version = found["version"].as<bool>();
    given.check_config = found["check-config"].as<bool>();
    given.print_config = found["print-config"].as<bool>();
    if (found.count("make-secret") > 0) {
        given.make_secret = found["make-secret"].as<std::string>();
    }
    if (found.count("config") > 0) {
        given.config_file = found["config"].as<std::string>();
    }
    for (const setting_kind& kind : kinds) {
        const std::string key{kind.key};
        const options::variable_value& value = found[key];
        if (kind.value_name.empty()) {
            if (value.as<bool>()) {
                given.settings[key] = {std::string{switch_on}, "command line"};
            }
        } else if (!value.empty()) {
            given.settings[key] = {value.as<std::string>(), "command line"};
        }
    }
    return given;
}

result<settings> settings::gather(const command_line& given, environment find) {
    settings all;
    all.values_ = given.settings;
    for (const setting_kind& kind : kinds) {
        const std::string variable = environment_name(kind.key);
        if (const char* const value = find(variable.c_str()); value != nullptr) {
            all.values_.try_emplace(std::string{kind.key},
                                    setting{value, "environment " + variable});
        }
    }
    if (given.config_file) {
        std::map<std::string, setting, std::less<>> from_file;
        if (auto read = read_file_settings(*given.config_file, from_file); !read) {
            return read.error();
        }
        all.values_.merge(from_file);
    }
    for (const setting_kind& kind : kinds) {
        if (!kind.fallback.empty()) {
            all.values_.try_emplace(std::string{kind.key},
                                    setting{std::string{kind.fallback}, "default"});
        }
    }
    return all;
}

const setting* settings::find(std::string_view key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : &found->second;
}

std::string settings::to_text() const {
    std::string text;
    for (const setting_kind& kind : kinds) {
        const setting* const given = find(kind.key);
        text += given == nullptr ? fmt::format("# {} is not set\n", kind.key)
                                 : as_in_file(kind.key, *given);
    }
    return text;
}

/// What is said of the cluster, and that it belongs together.
result<void> take_cluster(const settings& all, server::daemon_options& into) {
    server::cluster_options& wanted = into.cluster;
    bool trusts = true;
    for (const auto& taken :
         {take(all, "advertise", parse_advertised, wanted.advertised),
          take(all, "primary", parse_switch, wanted.is_alone),
          take(all, "peers", server::parse_peers, wanted.servers),
          take(all, "secret-file", read_secret, wanted.secret),
          take(all, "wait", parse_switch, wanted.waits_for_go),
          take(all, "go-after", parse_go_after, wanted.go_after),
          take(all, "priority", parse_priority, wanted.priority),
          take(all, "confirm", server::parse_confirm, wanted.confirm),
          take(all, "auth", parse_auth, trusts),
          take(all, "wal-segment", parse_segment_size, wanted.segment_size),
          take(all, "batches-in-flight", parse_batches, wanted.batches_in_flight)}) {
        if (!taken) {
            return taken;
        }
    }
    const bool begins = wanted.is_alone || !wanted.servers.empty();
    if (wanted.is_alone && !wanted.servers.empty()) {
        return error{errc::invalid, "--primary begins a cluster of one server, and --peers one of "
                                    "several. Give one of them"};
    }
    if (wanted.waits_for_go && !begins) {
        return error{errc::invalid, "--wait belongs to --primary or --peers"};
    }
    if (wanted.go_after && !wanted.waits_for_go) {
        return error{errc::invalid, "--go-after belongs to --wait"};
    }
    return {};
}

/// The list says where this server is: nobody has to say it twice.
void listen_as_listed(const settings& all, server::daemon_options& into) {
    if (all.find("listen")->origin != "default" || !into.id) {
        return;
    }
    for (const wire::member_address& one : into.cluster.servers) {
        if (one.id == *into.id) {
            if (const auto address = net::parse_host_port(one.addresses.front())) {
                into.listen = *address;
            }
        }
    }
}

result<configuration> understand(const settings& all) {
    configuration understood;
    bool plaintext = false;
    std::optional<std::string> log_file;
    std::uint64_t log_file_size = 0;
    for (const auto& taken :
         {take(all, "data-dir", parse_text, understood.daemon.data_dir),
          take(all, "listen", net::parse_host_port, understood.daemon.listen),
          take(all, "id", parse_server_id, understood.daemon.id),
          take(all, "max-clients", parse_max_clients, understood.daemon.max_clients),
          take(all, "plaintext", parse_switch, plaintext),
          take(all, "log-level", log::parse_level, understood.log.lowest),
          take(all, "log-file", parse_text, log_file),
          take(all, "log-file-size", base::parse_size, log_file_size)}) {
        if (!taken) {
            return taken.error();
        }
    }
    if (auto taken = take_cluster(all, understood.daemon); !taken) {
        return taken.error();
    }
    listen_as_listed(all, understood.daemon);
    if (!plaintext) {
        return error{errc::unsupported, "cannot serve with TLS: this version has none. Add "
                                        "--plaintext; it listens on loopback addresses only"};
    }
    if (log_file) {
        constexpr std::uint64_t smallest_log_file = 64U * 1024;
        if (log_file_size < smallest_log_file) {
            return in_setting("log-file-size", *all.find("log-file-size"),
                              {errc::invalid, "a log file is at least 64KiB"});
        }
        understood.log.file = log::file_options{.path = *log_file, .rotate_at = log_file_size};
    }
    understood.log.console = log::console_style_for_stderr();
    return understood;
}

result<void> check_places(const settings& all, const configuration& understood) {
    const auto endpoints = net::resolve(understood.daemon.listen);
    if (!endpoints) {
        error failure = in_setting("listen", *all.find("listen"), endpoints.error());
        failure.advice = "Write an address, or a name that this machine can look up";
        return failure;
    }
    if (auto loopback = net::require_loopback(*endpoints); !loopback) {
        return in_setting("listen", *all.find("listen"), loopback.error());
    }
    if (const auto& file = understood.log.file;
        file && storage::data_directory::is_own_file(understood.daemon.data_dir, file->path)) {
        return in_setting(
            "log-file", *all.find("log-file"),
            {errc::conflict, fmt::format("'{}' is a file of the data directory itself. Choose "
                                         "another name",
                                         file->path)});
    }
    return {};
}

std::string help_text() {
    static constexpr std::size_t width = 30;
    std::string text = "Example: almenarad --plaintext --primary -d /var/lib/almenara\n"
                       "\n"
                       "The Almenara server: one process per machine.\n"
                       "\n"
                       "Settings, from the first place that has them: option, environment\n"
                       "(ALMENARA_MAX_CLIENTS for --max-clients), configuration file, default.\n"
                       "\n";
    const auto line = [&text](std::string_view option, std::string_view help) {
        text += fmt::format("  {:<{}}{}\n", option, width, help);
    };
    for (const setting_kind& kind : kinds) {
        const std::string short_form =
            kind.short_option.empty() ? "    " : fmt::format("-{}, ", kind.short_option);
        const std::string value =
            kind.value_name.empty() ? std::string{} : fmt::format(" {}", kind.value_name);
        line(fmt::format("{}--{}{}", short_form, kind.key, value), kind.help);
        if (!kind.fallback.empty()) {
            line("", fmt::format("(default {})", kind.fallback));
        }
    }
    line("-c, --config FILE", "read settings from FILE, one 'key = value' a line");
    line("    --make-secret FILE", "make a cluster's secret, and stop");
    line("    --check-config", "say whether this would start, and stop");
    line("    --print-config", "print every setting and where it comes from");
    line("-h, --help", "this text");
    line("    --version", "print the version");
    text +=
        "\n"
        "Signals: SIGTERM and SIGINT hand over, tell the clients and stop, a second one leaves\n"
        "at once;\n"
        "SIGHUP reads max-clients and log-level again; SIGUSR1 writes the state to the log.\n"
        "\n"
        "Exit codes: 0 stopped in good order, 1 failed, 2 wrong option or configuration.\n";
    return text;
}

} // namespace almenara::almenarad
