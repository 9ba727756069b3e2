#include "command_line.hpp"

#include "base/check.hpp"
#include "base/text.hpp"
#include "wire/user_name.hpp"

#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <utility>

namespace almenara::cli {

namespace po = boost::program_options;

namespace {

using given_options = std::map<std::string, std::string, std::less<>>;

/// What Boost made of the arguments: options by their long name, and the other words.
struct split_line {
    given_options options;
    std::vector<std::string> servers; ///< of the option that may be repeated
    std::vector<std::string> words;
};

const option* find_option(std::span<const option> among, std::string_view name) {
    const auto found = std::find_if(among.begin(), among.end(),
                                    [name](const option& o) { return o.name == name; });
    return found == among.end() ? nullptr : &*found;
}

std::string see_help(const command* about) {
    return about == nullptr ? std::string{"See 'almenara --help'."}
                            : fmt::format("See 'almenara {} --help'.", about->name);
}

std::string_view without_dashes(std::string_view typed) {
    typed.remove_prefix(std::min(typed.find_first_not_of('-'), typed.size()));
    return typed;
}

/// All options of all commands: which of them belong to the command is asked when it is known,
/// so that the answer can name the command they do belong to.
po::options_description everything() {
    po::options_description all;
    std::set<std::string_view> known;
    const auto add = [&](std::span<const option> options) {
        for (const option& each : options) {
            if (!known.insert(each.name).second) {
                continue;
            }
            std::string name{each.name};
            if (each.letter != 0) {
                name += fmt::format(",{}", each.letter);
            }
            const po::value_semantic* semantic =
                each.kind == value_kind::none
                    ? static_cast<const po::value_semantic*>(new po::untyped_value(true))
                    : po::value<std::string>();
            all.add_options()(name.c_str(), semantic); // Boost takes the ownership.
        }
    };
    add(global_options());
    add(shell_options());
    for (const command& each : commands()) {
        add(each.options);
    }
    return all;
}

complaint unknown_option(const std::string& token, const command* about) {
    const std::string typed = token.substr(0, token.find('='));
    const std::string_view letters = without_dashes(typed);
    std::vector<std::string_view> candidates;
    for (const option& each : global_options()) {
        candidates.push_back(each.name);
    }
    if (about == nullptr) {
        for (const option& each : shell_options()) {
            candidates.push_back(each.name);
        }
    }
    for (const command& each : commands()) {
        if (about == nullptr || about == &each) {
            for (const option& own : each.options) {
                candidates.push_back(own.name);
            }
        }
    }
    const auto meant = letters.size() > 1 ? base::nearest(letters, candidates) : std::nullopt;
    return usage_complaint(base::escaped(typed), "there is no such option",
                           meant ? fmt::format("Did you mean '--{}'?", *meant) : see_help(about));
}

/// "Write '--timeout TIME'."
std::string write_with_value(std::string_view name) {
    const auto text = [](const option& found) {
        return fmt::format("Write '--{} {}'.", found.name, found.value_name);
    };
    if (const option* const global = find_option(global_options(), name)) {
        return text(*global);
    }
    for (const command& each : commands()) {
        if (const option* const own = find_option(each.options, name)) {
            return text(*own);
        }
    }
    return see_help(nullptr);
}

complaint bad_syntax(const po::invalid_command_line_syntax& failure) {
    using kinds = po::invalid_syntax;
    const std::string typed = failure.get_option_name(); // "--timeout", also for its letter.
    switch (failure.kind()) {
    case kinds::missing_parameter:
    case kinds::empty_adjacent_parameter:
        return usage_complaint(base::escaped(typed), "its value is missing",
                               write_with_value(without_dashes(typed)));
    case kinds::extra_parameter:
        return usage_complaint(base::escaped(typed), "it is a switch and takes no value",
                               "Leave out the '=' and what stands behind it.");
    default:
        return usage_complaint(base::escaped(typed), "it cannot be understood", see_help(nullptr));
    }
}

/// `-5` is what is added, not an option.
bool is_negative_number(const po::option& which) {
    const std::string_view text =
        which.original_tokens.empty() ? std::string_view{} : which.original_tokens.front();
    return which.unregistered && text.size() > 1 &&
           text.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

outcome<split_line> split(std::span<const std::string> arguments) {
    using style = po::command_line_style::style_t;
    constexpr int exact = style::allow_long | style::long_allow_adjacent | style::long_allow_next |
                          style::allow_short | style::allow_dash_for_short |
                          style::short_allow_adjacent | style::short_allow_next;
    const po::options_description known = everything();
    std::vector<po::option> parsed;
    try {
        const std::vector<std::string> words{arguments.begin(), arguments.end()};
        parsed = po::command_line_parser(words)
                     .options(known)
                     .style(exact)
                     .allow_unregistered()
                     .run()
                     .options;
    } catch (const po::invalid_command_line_syntax& failure) {
        return bad_syntax(failure);
    } catch (const po::error& failure) {
        return usage_complaint("the command line", failure.what(), see_help(nullptr));
    }
    split_line line;
    const command* about = nullptr;
    for (const po::option& each : parsed) {
        if (each.position_key >= 0) {
            line.words.insert(line.words.end(), each.value.begin(), each.value.end());
        } else if (is_negative_number(each)) {
            line.words.push_back(each.original_tokens.front());
        }
    }
    about = find_command(line.words);
    for (const po::option& each : parsed) {
        if (each.position_key >= 0 || is_negative_number(each)) {
            continue;
        }
        if (each.unregistered) {
            return unknown_option(each.original_tokens.front(), about);
        }
        std::string value = each.value.empty() ? std::string{} : each.value.front();
        const option* const known_one = find_option(global_options(), each.string_key);
        if (known_one != nullptr && known_one->repeats) {
            line.servers.push_back(std::move(value));
            continue;
        }
        if (!line.options.emplace(each.string_key, std::move(value)).second) {
            return usage_complaint("--" + each.string_key, "it is given twice",
                                   "Leave one of them out.");
        }
    }
    return line;
}

/// A noun without one of its verbs.
complaint no_such_verb(std::span<const std::string> words) {
    std::vector<std::string_view> verbs;
    for (const command& each : commands()) {
        if (noun_of(each) == words.front()) {
            verbs.push_back(verb_of(each));
        }
    }
    const std::string all = fmt::format("Its verbs are {}.", fmt::join(verbs, ", "));
    if (words.size() < 2) {
        return usage_complaint(words.front(), "the verb is missing", all);
    }
    const std::string meant = base::did_you_mean(words[1], verbs);
    return usage_complaint(fmt::format("'{} {}'", words.front(), base::escaped(words[1])),
                           "there is no such command", meant.empty() ? all : meant);
}

outcome<const command*> command_of(const split_line& line,
                                   std::span<const std::string_view> more_words) {
    if (line.words.empty()) {
        return static_cast<const command*>(nullptr);
    }
    if (const command* const found = find_command(line.words)) {
        return found;
    }
    const std::string& noun = line.words.front();
    if (is_noun(noun) && line.options.contains("help")) {
        return static_cast<const command*>(nullptr);
    }
    if (is_noun(noun)) {
        return no_such_verb(line.words);
    }
    std::vector<std::string_view> names{more_words.begin(), more_words.end()};
    for (const command& each : commands()) {
        names.push_back(noun_of(each).empty() ? each.name : noun_of(each));
    }
    const bool is_in_quotes = find_command(noun) != nullptr;
    std::string next =
        is_in_quotes ? "Write it as two words, without quotes." : base::did_you_mean(noun, names);
    if (next.empty()) {
        next = "'almenara --help' lists the commands.";
    }
    return usage_complaint(fmt::format("'{}'", base::escaped(noun)), "there is no such command",
                           std::move(next));
}

/// Why an option is not one of this command, although the table has it. No command: the shell.
complaint of_another_command(std::string_view name, const command* about) {
    std::string owners;
    if (find_option(shell_options(), name) != nullptr) {
        owners = "the shell";
    }
    for (const command& each : commands()) {
        if (find_option(each.options, name) != nullptr) {
            owners += owners.empty() ? "" : " and ";
            owners += fmt::format("'{}'", each.name);
        }
    }
    return usage_complaint(
        fmt::format("--{}", name),
        about == nullptr
            ? fmt::format("it belongs to {}, and there is no command", owners)
            : fmt::format("it belongs to {}, and '{}' does not take it", owners, about->name),
        see_help(about));
}

outcome<void> check_value(const option& which, const std::string& value, std::string origin) {
    std::optional<error> wrong;
    switch (which.kind) {
    case value_kind::none:
        break;
    case value_kind::user:
        if (!wire::is_user_name(value)) {
            wrong = error{errc::invalid, std::string{wire::user_name_rule}};
        }
        break;
    case value_kind::count:
        if (const auto read = base::parse_number(value, 1, which.most); !read) {
            wrong = read.error();
        }
        break;
    case value_kind::length_of_time:
        if (const auto read = parse_duration(value); !read) {
            wrong = read.error();
        } else if (*read <= duration::zero()) {
            wrong = error{errc::invalid, "it must be longer than nothing; write for example 5s"};
        } else if (*read > std::chrono::hours{24 * 365}) {
            wrong = error{errc::invalid, "it must not be longer than a year; write for example 5s"};
        }
        break;
    case value_kind::server:
        if (const auto read = client::parse_server_address(value); !read) {
            wrong = read.error();
        }
        break;
    case value_kind::directory:
        if (value.empty()) {
            wrong = error{errc::invalid, "a directory has a name"};
        }
        break;
    case value_kind::ways:
        if (const auto read = client::parse_ways(value); !read) {
            wrong = read.error();
        }
        break;
    }
    if (wrong) {
        return usage_complaint(std::move(origin), wrong->message(), {});
    }
    return {};
}

/// Whether a variable switches something on.
outcome<bool> read_switch(std::string_view variable, std::string_view value) {
    constexpr std::array<std::string_view, 4> on{"1", "true", "yes", "on"};
    constexpr std::array<std::string_view, 5> off{"", "0", "false", "no", "off"};
    if (std::find(on.begin(), on.end(), value) != on.end()) {
        return true;
    }
    if (std::find(off.begin(), off.end(), value) != off.end()) {
        return false;
    }
    return usage_complaint(std::string{variable},
                           fmt::format("'{}' is neither yes nor no", base::escaped(value)),
                           "Set it to 1 or to 0.");
}

/// Adds what the environment and the table say about options that the command line does not name.
outcome<void> complete_globals(given_options& given, const environment& find) {
    for (const option& each : global_options()) {
        if (each.repeats) {
            continue;
        }
        const auto typed = given.find(each.name);
        if (typed != given.end()) {
            if (auto good = check_value(each, typed->second, fmt::format("--{}", each.name));
                !good) {
                return good;
            }
            continue;
        }
        const char* const variable =
            each.environment.empty() ? nullptr : find(std::string{each.environment}.c_str());
        if (variable != nullptr && each.kind == value_kind::none) {
            const auto on = read_switch(each.environment, variable);
            if (!on) {
                return on.error();
            }
            if (*on) {
                given.emplace(each.name, "");
            }
        } else if (variable != nullptr && *variable != '\0') {
            if (auto good = check_value(each, variable, std::string{each.environment}); !good) {
                return good;
            }
            given.emplace(each.name, variable);
        } else if (!each.fallback.empty()) {
            given.emplace(each.name, each.fallback);
        }
    }
    return {};
}

/// The same for a line of a shell.
outcome<void> complete_globals(given_options& given, const invocation& start) {
    for (const option& each : global_options()) {
        const auto typed = given.find(each.name);
        if (typed == given.end()) {
            if (const auto around = start.globals.find(each.name); around != start.globals.end()) {
                given.insert(*around);
            }
        } else if (auto good = check_value(each, typed->second, fmt::format("--{}", each.name));
                   !good) {
            return good;
        }
    }
    return {};
}

/// Where to begin: the environment may name several with commas between.
outcome<std::vector<client::server_address>> servers_of(const split_line& line,
                                                        const environment& find) {
    const option& which = *find_option(global_options(), "server");
    std::vector<std::string> given = line.servers;
    std::string origin = "--server";
    const char* const variable = find(std::string{which.environment}.c_str());
    if (given.empty() && variable != nullptr && *variable != '\0') {
        origin = which.environment;
        std::string_view rest = variable;
        while (!rest.empty()) {
            const std::size_t comma = std::min(rest.find(','), rest.size());
            given.emplace_back(rest.substr(0, comma));
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
    }
    if (given.empty()) {
        given.emplace_back(which.fallback);
    }
    std::vector<client::server_address> servers;
    for (const std::string& each : given) {
        if (auto good = check_value(which, each, origin); !good) {
            return good.error();
        }
        servers.push_back(client::parse_server_address(each).value());
    }
    return servers;
}

/// Who asks: as said, or as the system knows the person.
std::string user_of(const split_line& line, const environment& find) {
    const auto given = line.options.find("user");
    if (given != line.options.end()) {
        return given->second;
    }
    const char* const known = find("USER");
    return known == nullptr || *known == '\0' ? std::string{"somebody"} : std::string{known};
}

/// The shell has no words; it is what runs when no command is named.
outcome<void> take_shell_options(const split_line& line, invocation& asked) {
    for (const auto& [name, value] : line.options) {
        if (find_option(global_options(), name) != nullptr) {
            continue;
        }
        if (find_option(shell_options(), name) == nullptr) {
            return of_another_command(name, nullptr);
        }
        asked.options.emplace(name, value);
    }
    return {};
}

/// Where a variable of the environment names a place for the state, or the home directory does.
std::string state_directory_of(const environment& find) {
    const auto path_in = [&find](const char* name) {
        const char* const path = find(name);
        return std::string_view{path == nullptr ? "" : path};
    };
    if (const auto own = path_in("ALMENARA_STATE_DIRECTORY"); !own.empty()) {
        return std::string{own};
    }
    // A relative one is to be ignored, says the specification of these directories.
    if (const auto state = path_in("XDG_STATE_HOME"); state.starts_with('/')) {
        return fmt::format("{}/almenara", state);
    }
    const auto home = path_in("HOME");
    return home.starts_with('/') ? fmt::format("{}/.local/state/almenara", home) : std::string{};
}

/// The options of the command and the words behind it.
outcome<void> take_own(const command& about, split_line& line, invocation& asked) {
    for (const auto& [name, value] : line.options) {
        if (find_option(global_options(), name) != nullptr) {
            continue;
        }
        const option* const own = find_option(about.options, name);
        if (own == nullptr) {
            return of_another_command(name, &about);
        }
        if (auto good = check_value(*own, value, fmt::format("--{}", name)); !good) {
            return good;
        }
        asked.options.emplace(name, value);
    }
    const int own_words = noun_of(about).empty() ? 1 : 2;
    asked.words.assign(line.words.begin() + own_words, line.words.end());
    if (asked.words.size() > about.most_words) {
        return usage_complaint(
            std::string{about.name},
            fmt::format("'{}' is a word too many", base::escaped(asked.words[about.most_words])),
            see_help(&about));
    }
    if (asked.words.size() < about.fewest_words && !asked.help) {
        return usage_complaint(std::string{about.name}, fmt::format("{} is missing", about.words),
                               see_help(&about));
    }
    return {};
}

} // namespace

std::optional<std::uint64_t> invocation::count(std::string_view option) const {
    const auto found = options.find(option);
    if (found == options.end()) {
        return std::nullopt;
    }
    return base::parse_number(found->second, 1, std::numeric_limits<std::uint64_t>::max()).value();
}

std::optional<duration> invocation::length_of_time(std::string_view option) const {
    const auto found = options.find(option);
    if (found == options.end()) {
        return std::nullopt;
    }
    return parse_duration(found->second).value();
}

namespace {

/// What the line says, whose global options are complete.
outcome<invocation> understand(split_line& line, const command* what) {
    invocation asked;
    asked.what = what;
    asked.help = line.options.contains("help");
    asked.version = line.options.contains("version");
    asked.json = line.options.contains("json");
    asked.plaintext = line.options.contains("plaintext");
    asked.servers_are_typed = !line.servers.empty();
    asked.verbose = line.options.contains("verbose");
    asked.colours = !line.options.contains("no-color");
    asked.timeout = parse_duration(line.options["timeout"]).value();
    if (line.options.contains("follow")) {
        asked.follow = client::parse_ways(line.options["follow"]).value();
    }
    for (const auto& [name, value] : line.options) {
        if (find_option(global_options(), name) != nullptr && name != "help" && name != "version") {
            asked.globals.emplace(name, value);
        }
    }
    if (what == nullptr) {
        asked.noun = line.words.empty() ? std::string{} : line.words.front();
    }
    auto taken = what == nullptr ? take_shell_options(line, asked) : take_own(*what, line, asked);
    if (!taken) {
        return taken.error();
    }
    return asked;
}

} // namespace

outcome<invocation> parse_command_line(std::span<const std::string> arguments,
                                       const environment& find) {
    auto line = split(arguments);
    if (!line) {
        return line.error();
    }
    const auto what = command_of(*line, {});
    if (!what) {
        return what.error();
    }
    if (auto complete = complete_globals(line->options, find); !complete) {
        return complete.error();
    }
    auto servers = servers_of(*line, find);
    if (!servers) {
        return servers.error();
    }
    auto asked = understand(*line, *what);
    if (asked) {
        asked->user = user_of(*line, find);
        asked->colours = asked->colours && find("NO_COLOR") == nullptr;
        asked->servers = *std::move(servers);
        if (!asked->globals.contains("no-state")) {
            asked->state_directory = state_directory_of(find);
            const char* const named = find("ALMENARA_STATE_DIRECTORY");
            asked->state_is_chosen = named != nullptr && *named != '\0';
        }
    }
    return asked;
}

outcome<invocation> parse_command_line(std::span<const std::string> arguments,
                                       const shell_words& around) {
    auto line = split(arguments);
    if (!line) {
        return line.error();
    }
    const auto what = command_of(*line, around.more);
    if (!what) {
        return what.error();
    }
    if (auto complete = complete_globals(line->options, around.start); !complete) {
        return complete.error();
    }
    const environment nothing = [](const char*) -> const char* { return nullptr; };
    auto servers = servers_of(*line, nothing);
    if (!servers) {
        return servers.error();
    }
    auto asked = understand(*line, *what);
    if (asked) {
        const auto user = line->options.find("user");
        asked->user = user == line->options.end() ? around.start.user : user->second;
        asked->colours = asked->colours && around.start.colours;
        asked->servers = line->servers.empty() ? around.start.servers : *std::move(servers);
        if (!asked->globals.contains("no-state")) {
            asked->state_directory = around.start.state_directory;
            asked->state_is_chosen = around.start.state_is_chosen;
        }
    }
    return asked;
}

bool wants_json(std::span<const std::string> arguments, const environment& find) {
    const auto end = std::find(arguments.begin(), arguments.end(), "--");
    if (std::find(arguments.begin(), end, "--json") != end) {
        return true;
    }
    const char* const variable = find("ALMENARA_JSON");
    if (variable == nullptr) {
        return false;
    }
    const auto on = read_switch("ALMENARA_JSON", variable);
    return on && *on;
}

} // namespace almenara::cli
