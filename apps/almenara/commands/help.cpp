#include "base/text.hpp"
#include "commands/commands.hpp"
#include "runtime.hpp"
#include "text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace almenara::cli {

namespace asio = boost::asio;

namespace {

using line_pair = std::pair<std::string, std::string>;

/// Two columns under a title.
std::string section(std::string_view title, const std::vector<line_pair>& lines) {
    std::size_t width = 0;
    for (const auto& [left, right] : lines) {
        width = std::max(width, width_of(left));
    }
    std::string text = fmt::format("{}:\n", title);
    for (const auto& [left, right] : lines) {
        const std::string gap(width - width_of(left) + 2, ' ');
        text += fmt::format("  {}{}{}\n", left, gap, right);
    }
    return text + '\n';
}

std::string example_section(std::span<const example> examples) {
    std::vector<line_pair> lines;
    for (const example& each : examples) {
        lines.emplace_back(each.line, each.what);
    }
    return section("Examples", lines);
}

std::string option_section(std::string_view title, std::span<const option> options) {
    std::vector<line_pair> lines;
    for (const option& each : options) {
        const std::string letter =
            each.letter == 0 ? std::string{"    "} : fmt::format("-{}, ", each.letter);
        const std::string value =
            each.value_name.empty() ? std::string{} : fmt::format(" {}", each.value_name);
        std::string help{each.help};
        if (!each.fallback.empty()) {
            help += fmt::format(" ({})", each.fallback);
        }
        if (!each.environment.empty()) {
            help += fmt::format("; or {}", each.environment);
        }
        lines.emplace_back(fmt::format("{}--{}{}", letter, each.name, value), std::move(help));
    }
    return section(title, lines);
}

constexpr std::string_view exit_codes =
    "Exit codes: 0 ok, 1 failed, 2 the command line makes no sense, 3 not found, 4 conflict,\n"
    "5 no server could answer within the time, 6 denied, 7 timed out with the outcome unknown,\n"
    "130 interrupted.\n";

struct task {
    std::string_view name;
    std::span<const example> how;
};

constexpr std::array<example, 3> keep{{
    {"kv put colour blue", "keep a value, on a majority's disks"},
    {"kv put picture - < picture.png", "the same from a file, outside of a shell"},
    {"kv rm colour", "and remove it"},
}};
constexpr std::array<example, 3> read{{
    {"kv get colour", "a value as it is"},
    {"kv list user/ --values", "keys that begin so, with their values"},
    {"kv get colour --json", "with its index, for a script"},
}};
constexpr std::array<example, 2> agree{{
    {"kv add visitors 1", "count together"},
    {"kv cas colour blue green", "change it only if it is still blue"},
}};
constexpr std::array<example, 3> look{{
    {"status", "how all servers are, and who is primary"},
    {"status --watch", "the same, again and again, until Ctrl-C"},
    {"ping --count 5", "how fast a server answers"},
}};
constexpr std::array<example, 2> change{{
    {"cluster transfer 2", "make server 2 the primary; administrators only"},
    {"cluster members", "who belongs to the cluster"},
}};
constexpr std::array<example, 2> identity{{
    {"whoami", "as whom the servers know you"},
    {"-u anna whoami", "as somebody else, for one command"},
}};
constexpr std::array<task, 6> tasks{{
    {"Keep a value", keep},
    {"Read it again", read},
    {"Change it together with others", agree},
    {"See how the servers are", look},
    {"Change who does what", change},
    {"Know who you are", identity},
}};

asio::awaitable<exit_code> help(runtime& here, const invocation& asked) {
    if (asked.words.empty()) {
        here.out().print(task_help());
        co_return here.done();
    }
    const std::string& name = asked.words.front();
    const command* about = find_command(asked.words);
    if (about == nullptr && asked.words.size() == 1) {
        about = find_command(name); // 'help "kv put"'
    }
    if (about == nullptr && asked.words.size() == 1 && is_noun(name)) {
        here.out().print(noun_help(name));
        co_return here.done();
    }
    if (about == nullptr) {
        std::vector<std::string_view> names;
        for (const command& each : commands()) {
            names.push_back(each.name);
        }
        std::string next = base::did_you_mean(name, names);
        if (next.empty()) {
            next = "'almenara help' lists the commands.";
        }
        const complaint why = usage_complaint(fmt::format("'{}'", base::escaped(name)),
                                              "there is no such command", std::move(next));
        here.out().complain(why, asked.json);
        co_return why.exit;
    }
    here.out().print(command_help(*about));
    co_return here.done();
}

constexpr std::array<example, 3> examples{{
    {"almenara help", "what can be done, and how"},
    {"almenara help kv", "what can be done with keys"},
    {"almenara help ping", "one of them"},
}};

} // namespace

std::string program_help() {
    std::vector<line_pair> lines;
    for (const command& each : commands()) {
        std::string name{each.name};
        if (!each.words.empty()) {
            name += fmt::format(" {}", each.words);
        }
        lines.emplace_back(std::move(name), each.summary);
    }
    return example_section(program_examples()) +
           "Usage: almenara [OPTIONS] COMMAND [ARGUMENTS]\n"
           "       almenara [OPTIONS]    a shell for the same words, at a terminal or for a "
           "script\n\n" +
           section("Commands", lines) +
           option_section("Options, before or behind the command", global_options()) +
           option_section("Options of the shell", shell_options()) + std::string{exit_codes};
}

std::string task_help() {
    std::size_t width = 0;
    for (const task& each : tasks) {
        for (const example& one : each.how) {
            width = std::max(width, one.line.size());
        }
    }
    std::string text;
    for (const task& each : tasks) {
        std::vector<line_pair> lines;
        for (const example& one : each.how) {
            lines.emplace_back(fmt::format("{:<{}}", one.line, width), one.what);
        }
        text += section(each.name, lines);
    }
    return text + "'help kv' and 'help kv put' say more, and 'almenara --help' everything.\n";
}

std::string help_for(const invocation& asked) {
    if (asked.what != nullptr) {
        return command_help(*asked.what);
    }
    return is_noun(asked.noun) ? noun_help(asked.noun) : program_help();
}

std::string noun_help(std::string_view noun) {
    std::vector<line_pair> lines;
    std::vector<example> first_ones;
    for (const command& each : commands()) {
        if (noun_of(each) == noun) {
            lines.emplace_back(fmt::format("{} {}", each.name, each.words), each.summary);
            first_ones.push_back(each.examples.front());
        }
    }
    return example_section(first_ones) +
           fmt::format("Usage: almenara [OPTIONS] {} VERB [ARGUMENTS]\n\n", noun) +
           section("Verbs", lines) + option_section("Options of every command", global_options());
}

std::string command_help(const command& about) {
    std::string usage = fmt::format("Usage: almenara [OPTIONS] {}", about.name);
    if (!about.words.empty()) {
        usage += fmt::format(" {}", about.words);
    }
    std::string text =
        example_section(about.examples) + usage + "\n\n" + std::string{about.summary} + "\n\n";
    if (!about.options.empty()) {
        text += option_section("Options", about.options);
    }
    return text + option_section("Options of every command", global_options());
}

constinit const command help_command{
    .name = "help",
    .words = "[COMMAND]",
    .most_words = 2,
    .summary = "Show how to use the program or a command.",
    .examples = examples,
    .options = {},
    .run = help,
};

} // namespace almenara::cli
