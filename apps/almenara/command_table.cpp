#include "command_table.hpp"

#include "commands/commands.hpp"

#include <algorithm>
#include <array>

namespace almenara::cli {

namespace {

constexpr std::array<option, 11> globals{{
    {"server", 's', value_kind::server, "HOST:PORT|unix:PATH", "a server; several -s",
     "ALMENARA_SERVER", "127.0.0.1:7400", true},
    {"user", 'u', value_kind::user, "USER", "who asks", "ALMENARA_USER", ""},
    {"plaintext", 0, value_kind::none, "", "no TLS; for loopback addresses only",
     "ALMENARA_PLAINTEXT", ""},
    {"timeout", 0, value_kind::length_of_time, "TIME", "how long the command may take",
     "ALMENARA_TIMEOUT", "30s"},
    {"follow", 0, value_kind::ways, "WAY,...", "how a new primary may be found (all ways)",
     "ALMENARA_FOLLOW", ""},
    {"json", 0, value_kind::none, "", "one JSON object per line, for scripts", "ALMENARA_JSON", ""},
    {"verbose", 'v', value_kind::none, "", "say when the primary is lost and found",
     "ALMENARA_VERBOSE", ""},
    {"no-state", 0, value_kind::none, "", "keep nothing for the next run", "ALMENARA_NO_STATE", ""},
    // NO_COLOR counts with any value, so it is none of the variables that are on or off.
    {"no-color", 0, value_kind::none, "", "no colours on a terminal; or NO_COLOR", "", ""},
    {"help", 'h', value_kind::none, "", "show this help, or that of the command", "", ""},
    {"version", 0, value_kind::none, "", "show the version", "", ""},
}};

constexpr std::array<option, 1> options_of_shell{{
    {"keep-going", 0, value_kind::none, "",
     "go on behind a command that failed, when commands come from a file or a pipe", "", ""},
}};

constexpr std::array<example, 5> examples{{
    {"almenara --plaintext", "a shell for the same words"},
    {"almenara --plaintext status", "how the servers are"},
    {"almenara --plaintext -s 127.0.0.1:7401 ping --count 5", "how fast one of them answers"},
    {"almenara --plaintext -u anna kv put colour blue", "keep something, on a majority's disks"},
    {"almenara -s unix:/var/lib/almenara/admin.sock status --json", "for a script"},
}};

} // namespace

std::span<const option> global_options() {
    return globals;
}

std::span<const option> shell_options() {
    return options_of_shell;
}

std::span<const example> program_examples() {
    return examples;
}

std::span<const command> commands() {
    static const std::array<command, 17> all{
        {login_command, logout_command, whoami_command, ping_command, status_command,
         cluster_members_command, cluster_transfer_command, cluster_go_command, kv_put_command,
         kv_get_command, kv_cas_command, kv_add_command, kv_remove_command, kv_list_command,
         help_command, completion_command, demo_command}};
    return all;
}

const command* find_command(std::string_view name) {
    const auto all = commands();
    const auto found =
        std::find_if(all.begin(), all.end(), [name](const command& c) { return c.name == name; });
    return found == all.end() ? nullptr : &*found;
}

const command* find_command(std::span<const std::string> words) {
    if (words.size() >= 2) {
        if (const command* const found = find_command(words[0] + ' ' + words[1])) {
            return found;
        }
    }
    const command* const found = words.empty() ? nullptr : find_command(words.front());
    const bool is_one_word = found != nullptr && noun_of(*found).empty();
    return is_one_word ? found : nullptr; // "kv put" in quotes is none.
}

std::string_view noun_of(const command& which) {
    const std::size_t space = which.name.find(' ');
    return space == std::string_view::npos ? std::string_view{} : which.name.substr(0, space);
}

std::string_view verb_of(const command& which) {
    const std::size_t space = which.name.find(' ');
    return space == std::string_view::npos ? which.name : which.name.substr(space + 1);
}

bool is_noun(std::string_view word) {
    const auto all = commands();
    return !word.empty() && std::any_of(all.begin(), all.end(),
                                        [word](const command& c) { return noun_of(c) == word; });
}

} // namespace almenara::cli
