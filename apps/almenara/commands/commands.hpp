#pragma once

#include "command_table.hpp"
#include "text_table.hpp"
#include "wire/client_messages.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>

namespace almenara::cli {

extern const command login_command;
extern const command logout_command;
extern const command whoami_command;
extern const command ping_command;
extern const command status_command;
extern const command cluster_members_command;
extern const command cluster_transfer_command;
extern const command cluster_go_command;
extern const command kv_put_command;
extern const command kv_get_command;
extern const command kv_cas_command;
extern const command kv_add_command;
extern const command kv_remove_command;
extern const command kv_list_command;
extern const command help_command;
extern const command completion_command;
extern const command demo_command;

/// Asks a server how all of them are and prints the answer.
using status_printer = std::string (*)(const wire::status_reply& status,
                                       bool json,
                                       const table_look& look);
[[nodiscard]] boost::asio::awaitable<exit_code> show_status(runtime& here, status_printer print);

/// The help of the whole program, which begins with examples.
[[nodiscard]] std::string program_help();
[[nodiscard]] std::string command_help(const command& about);
/// The verbs of a noun.
[[nodiscard]] std::string noun_help(std::string_view noun);
/// What people want to do, and how it is typed.
[[nodiscard]] std::string task_help();
/// What --help shows behind these words.
[[nodiscard]] std::string help_for(const invocation& asked);

/// The script for bash, made from the table.
[[nodiscard]] std::string bash_completion();

} // namespace almenara::cli
