#include "base/text.hpp"
#include "commands/commands.hpp"
#include "runtime.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace almenara::cli {

namespace asio = boost::asio;

namespace {

std::string option_words(std::span<const option> options) {
    std::string words;
    for (const option& each : options) {
        words += fmt::format("{}--{}", words.empty() ? "" : " ", each.name);
        if (each.letter != 0) {
            words += fmt::format(" -{}", each.letter);
        }
    }
    return words;
}

void add_options_with_value(std::span<const option> options, std::set<std::string>& words) {
    for (const option& each : options) {
        if (each.kind == value_kind::none) {
            continue;
        }
        words.insert(fmt::format("--{}", each.name));
        if (each.letter != 0) {
            words.insert(fmt::format("-{}", each.letter));
        }
    }
}

/// A pattern of `case` that matches the options which are followed by a value. Several commands may
/// have the same option; bash needs its word once.
std::string all_options_with_value() {
    std::set<std::string> words;
    add_options_with_value(global_options(), words);
    for (const command& each : commands()) {
        add_options_with_value(each.options, words);
    }
    return fmt::format("{}", fmt::join(words, "|"));
}

/// What may stand first: verbs, and each noun once, in the order of the table.
std::string first_words() {
    std::string words;
    std::set<std::string_view> known;
    for (const command& each : commands()) {
        const std::string_view first = noun_of(each).empty() ? each.name : noun_of(each);
        if (known.insert(first).second) {
            words += fmt::format("{}{}", words.empty() ? "" : " ", first);
        }
    }
    return words;
}

/// What --follow takes.
std::string way_words() {
    std::string words;
    for (const client::source each : client::all_sources) {
        words += fmt::format("{}{}", words.empty() ? "" : " ", client::to_string(each));
    }
    return words;
}

/// The verbs of each noun.
std::map<std::string_view, std::string> verbs_of_nouns() {
    std::map<std::string_view, std::string> verbs;
    for (const command& each : commands()) {
        if (!noun_of(each).empty()) {
            std::string& words = verbs[noun_of(each)];
            words += fmt::format("{}{}", words.empty() ? "" : " ", verb_of(each));
        }
    }
    return verbs;
}

asio::awaitable<exit_code> completion(runtime& here, const invocation& asked) {
    if (asked.words.front() != "bash") {
        const complaint why = usage_complaint(
            "completion", fmt::format("there is none for '{}'", base::escaped(asked.words.front())),
            "Write 'almenara completion bash'.");
        here.out().complain(why, asked.json);
        co_return why.exit;
    }
    here.out().print(bash_completion());
    co_return here.done();
}

constexpr std::array<example, 2> examples{{
    {"source <(almenara completion bash)", "for this shell"},
    {"almenara completion bash > ~/.local/share/bash-completion/completions/almenara",
     "for every shell from now on"},
}};

} // namespace

std::string bash_completion() {
    std::string own_options;
    for (const command& each : commands()) {
        if (!each.options.empty()) {
            own_options += fmt::format("        \"{}\") words+=\" {}\" ;;\n", each.name,
                                       option_words(each.options));
        }
    }
    const auto verbs = verbs_of_nouns();
    std::string own_verbs;
    std::string nouns;
    for (const auto& [noun, words] : verbs) {
        own_verbs += fmt::format("        {}) words+=\" {}\" ;;\n", noun, words);
        nouns += fmt::format("{}{}", nouns.empty() ? "" : "|", noun);
    }
    const std::string with_value = all_options_with_value();
    return fmt::format(R"(# bash completion for almenara
_almenara() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
    local commands="{commands}" words="{globals}" command="" skip="" i
    COMPREPLY=()
    if [[ $before == --follow ]]; then
        local first=""
        if [[ $word == *,* ]]; then first=${{word%,*}},; fi
        mapfile -t COMPREPLY < <(compgen -P "$first" -W "{ways}" -- "${{word##*,}}")
        return
    fi
    case $before in
        {with_value}) return ;;
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ -n $skip ]]; then skip=""; continue; fi
        case ${{COMP_WORDS[i]}} in
            {with_value}) skip=1 ;;
            -*) ;;
            {nouns}) if [[ -z $command ]]; then command=${{COMP_WORDS[i]}}
                else command+=" ${{COMP_WORDS[i]}}"; break; fi ;;
            *) command+="${{command:+ }}${{COMP_WORDS[i]}}"; break ;;
        esac
    done
    case $command in
        "") words+=" $commands" ;;
        help) words+=" $commands" ;;
        completion) words+=" bash" ;;
{own_verbs}    esac
    case $command in
{own_options}    esac
    if [[ $word != -* ]]; then
        local kept="" each
        for each in $words; do [[ $each == -* ]] || kept+=" $each"; done
        words=$kept
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}}
complete -o default -F _almenara almenara
)",
                       fmt::arg("ways", way_words()), fmt::arg("commands", first_words()),
                       fmt::arg("nouns", nouns), fmt::arg("own_verbs", own_verbs),
                       fmt::arg("globals", option_words(global_options())),
                       fmt::arg("with_value", with_value), fmt::arg("own_options", own_options));
}

constinit const command completion_command{
    .name = "completion",
    .words = "bash",
    .fewest_words = 1,
    .most_words = 1,
    .summary = "Print a script that completes this program's words in a shell.",
    .examples = examples,
    .options = {},
    .run = completion,
};

} // namespace almenara::cli
