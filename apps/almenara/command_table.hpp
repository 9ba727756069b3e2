#pragma once

#include "exit_code.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// The one table of everything that can be typed. Parsing, --help, completion and suggestions all
/// come from it.
namespace almenara::cli {

class runtime;
struct invocation;

/// What the value of an option must look like.
enum class value_kind : std::uint8_t {
    none, ///< a switch
    count,
    length_of_time,
    server,
    user,
    directory,
    ways, ///< to a new primary
};

struct option {
    std::string_view name; ///< without the dashes
    char letter = 0;       ///< 0: none
    value_kind kind = value_kind::none;
    std::string_view value_name;
    std::string_view help;
    std::string_view environment;       ///< the variable that gives it too; empty: none
    std::string_view fallback;          ///< empty: none
    bool repeats = false;               ///< may be given several times
    std::uint64_t most = 1'000'000'000; ///< of a count
};

struct example {
    std::string_view line;
    std::string_view what;
};

struct command {
    std::string_view name;  ///< a verb, or a noun and a verb: `kv put`
    std::string_view words; ///< `[COMMAND]`
    std::size_t fewest_words = 0;
    std::size_t most_words = 0;
    std::string_view summary;
    std::span<const example> examples;
    std::span<const option> options;
    boost::asio::awaitable<exit_code> (*run)(runtime& here, const invocation& asked);
    bool is_shell = false; ///< it reads commands itself, and hears Ctrl-C itself
};

/// Options that every command takes.
[[nodiscard]] std::span<const option> global_options();
/// Options of the shell, which has no name.
[[nodiscard]] std::span<const option> shell_options();
[[nodiscard]] std::span<const command> commands();
[[nodiscard]] std::span<const example> program_examples();

/// Nothing if there is no such command.
[[nodiscard]] const command* find_command(std::string_view name);
/// The one that these words begin with, a noun and its verb or a verb alone.
[[nodiscard]] const command* find_command(std::span<const std::string> words);

[[nodiscard]] std::string_view noun_of(const command& which);
[[nodiscard]] std::string_view verb_of(const command& which);
/// Whether any command has this noun.
[[nodiscard]] bool is_noun(std::string_view word);

} // namespace almenara::cli
