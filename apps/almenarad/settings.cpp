#include "settings.hpp"

#include "base/config_text.hpp"
#include "base/text.hpp"
#include "net/address.hpp"
#include "setting_values.hpp"
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
#include <unistd.h>

namespace almenara::almenarad {

namespace options = boost::program_options;

namespace {

constexpr std::size_t largest_config_file = 1024 * 1024;
constexpr std::string_view switch_on = "true";
constexpr std::string_view see_help = "See 'almenarad --help'";

const setting_kind* kind_of(std::string_view key) {
    const auto kinds = setting_kinds();
    const auto found = std::find_if(kinds.begin(), kinds.end(),
                                    [key](const setting_kind& kind) { return kind.key == key; });
    return found == kinds.end() ? nullptr : &*found;
}

std::vector<std::string_view> all_keys() {
    std::vector<std::string_view> keys;
    for (const setting_kind& kind : setting_kinds()) {
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
    for (const setting_kind& kind : setting_kinds()) {
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
    for (const setting_kind& kind : setting_kinds()) {
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
    for (const setting_kind& kind : setting_kinds()) {
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
    for (const setting_kind& kind : setting_kinds()) {
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
    for (const setting_kind& kind : setting_kinds()) {
        const setting* const given = find(kind.key);
        text += given == nullptr ? fmt::format("# {} is not set\n", kind.key)
                                 : as_in_file(kind.key, *given);
    }
    return text;
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
          take(all, "on-primary-change", parse_text, understood.daemon.on_primary_change),
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

namespace {

/// What will be run when a primary is lost is tried before.
result<void> check_script(const settings& all, const std::optional<std::string>& script) {
    if (!script) {
        return {};
    }
    struct stat facts{};
    error failure{errc::invalid, fmt::format("'{}' cannot be run", *script)};
    if (::stat(script->c_str(), &facts) != 0) {
        failure = last_system_error(failure.doing);
        failure.advice = "Give the path of a script";
    } else if (!S_ISREG(facts.st_mode)) {
        failure.advice = "It is not a file: give the path of a script";
    } else if (::access(script->c_str(), X_OK) != 0) {
        failure = last_system_error(failure.doing);
        failure.advice = fmt::format("Say 'chmod +x {}'", *script);
    } else {
        return {};
    }
    return in_setting("on-primary-change", *all.find("on-primary-change"), failure);
}

} // namespace

result<void> check_places(const settings& all, const configuration& understood) {
    if (auto checked = check_addresses(all, understood.daemon); !checked) {
        return checked;
    }
    if (const auto& file = understood.log.file;
        file && storage::data_directory::is_own_file(understood.daemon.data_dir, file->path)) {
        return in_setting(
            "log-file", *all.find("log-file"),
            {errc::conflict, fmt::format("'{}' is a file of the data directory itself. Choose "
                                         "another name",
                                         file->path)});
    }
    return check_script(all, understood.daemon.on_primary_change);
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
        text += fmt::format("  {:<{}} {}\n", option, width, help);
    };
    for (const setting_kind& kind : setting_kinds()) {
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
        "SIGHUP reads max-clients, log-level and on-primary-change again; SIGUSR1 writes the\n"
        "state to the log.\n"
        "\n"
        "Exit codes: 0 stopped in good order, 1 failed, 2 wrong option or configuration.\n";
    return text;
}

} // namespace almenara::almenarad
