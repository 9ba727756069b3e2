#pragma once

#include "base/time.hpp"
#include "client/server_address.hpp"
#include "client/ways.hpp"
#include "command_table.hpp"
#include "complaint.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::cli {

/// A command line that was understood; every value in it is good.
struct invocation {
    const command* what = nullptr; ///< nothing: the shell, or --help or --version alone
    std::string noun;              ///< whose verbs are to be listed; with --help
    bool help = false;
    bool version = false;
    bool json = false;
    bool plaintext = false;
    bool verbose = false;
    bool colours = true; ///< where there is a terminal that has them
    std::vector<client::server_address> servers;
    bool servers_are_typed = false; ///< -s stands on the line
    std::string user;
    duration timeout{};
    /// As they were typed or found, for the commands of a shell that was begun with them.
    std::map<std::string, std::string, std::less<>> globals;
    std::optional<client::ways> follow{}; ///< nothing: as suits the command
    /// Where the client keeps its state; nothing: it shall keep none. Empty: no place is known.
    std::optional<std::string> state_directory;
    bool state_is_chosen = false;                            ///< somebody named that place
    std::map<std::string, std::string, std::less<>> options; ///< those of the command
    std::vector<std::string> words;                          ///< behind the command

    [[nodiscard]] bool has(std::string_view option) const { return options.contains(option); }
    [[nodiscard]] std::optional<std::uint64_t> count(std::string_view option) const;
    [[nodiscard]] std::optional<duration> length_of_time(std::string_view option) const;
};

/// Finds a variable of the environment, as std::getenv does.
using environment = std::function<const char*(const char* name)>;

/// The command line decides, then the environment, then the table's fallback.
[[nodiscard]] outcome<invocation> parse_command_line(std::span<const std::string> arguments,
                                                     const environment& find);

/// The command line of a shell, whose own options count where the line says nothing.
struct shell_words {
    const invocation& start;
    std::span<const std::string_view> more{}; ///< words that are commands only there
};
[[nodiscard]] outcome<invocation> parse_command_line(std::span<const std::string> arguments,
                                                     const shell_words& around);

/// Whether failures are to be told in JSON, also of a command line that cannot be understood.
[[nodiscard]] bool wants_json(std::span<const std::string> arguments, const environment& find);

} // namespace almenara::cli
