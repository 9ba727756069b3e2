#include "command_table.hpp"

#include "commands/commands.hpp"

#include <algorithm>
#include <array>

namespace almenara::cli {

namespace {

constexpr std::array<option, 6> globals{{
    {"server", 's', value_kind::server, "HOST:PORT|unix:PATH", "the server to ask",
     "ALMENARA_SERVER", "127.0.0.1:7400"},
    {"plaintext", 0, value_kind::none, "", "no TLS; for loopback addresses only",
     "ALMENARA_PLAINTEXT", ""},
    {"timeout", 0, value_kind::length_of_time, "TIME", "how long the command may take",
     "ALMENARA_TIMEOUT", "30s"},
    {"json", 0, value_kind::none, "", "one JSON object per line, for scripts", "ALMENARA_JSON", ""},
    {"help", 'h', value_kind::none, "", "show this help, or that of the command", "", ""},
    {"version", 0, value_kind::none, "", "show the version", "", ""},
}};

constexpr std::array<example, 3> examples{{
    {"almenara --plaintext status", "how the servers are"},
    {"almenara --plaintext -s 127.0.0.1:7401 ping --count 5", "how fast one of them answers"},
    {"almenara -s unix:/var/lib/almenara/admin.sock status --json", "the same, for a script"},
}};

} // namespace

std::span<const option> global_options() {
    return globals;
}

std::span<const example> program_examples() {
    return examples;
}

std::span<const command> commands() {
    static const std::array<command, 4> all{
        {ping_command, status_command, help_command, completion_command}};
    return all;
}

const command* find_command(std::string_view name) {
    const auto all = commands();
    const auto found =
        std::find_if(all.begin(), all.end(), [name](const command& c) { return c.name == name; });
    return found == all.end() ? nullptr : &*found;
}

} // namespace almenara::cli
