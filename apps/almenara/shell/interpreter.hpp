#pragma once

#include "base/time.hpp"
#include "client/api.hpp"
#include "command_line.hpp"
#include "console.hpp"
#include "exit_code.hpp"
#include "runtime.hpp"
#include "shell/extra_commands.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::cli {

/// What a shell is begun with.
struct shell_settings {
    const invocation& start;         ///< its options hold for each line that names no others
    extra_commands* extra = nullptr; ///< it outlives the shell
    /// It logs in before the first line, and so hears what becomes of the primary from then on.
    bool comes_in_at_once = false;
};

/// Runs lines, one behind the other, with one client of the cluster for all of them.
class interpreter {
  public:
    interpreter(boost::asio::any_io_executor executor, console& out, const shell_settings& how);
    ~interpreter();
    interpreter(const interpreter&) = delete;
    interpreter& operator=(const interpreter&) = delete;

    /// To be called once, before the first line. Where nobody is there it is no use, and no harm.
    [[nodiscard]] boost::asio::awaitable<void> come_in();

    /// Runs what a line says and tells why it fails, if so. An empty line is good.
    [[nodiscard]] boost::asio::awaitable<exit_code> run(std::string line);

    /// Ends what runs: what it asked says whether it may have happened.
    void interrupt();

    /// Whether `exit` was said.
    [[nodiscard]] bool is_left() const { return left_; }

    /// Whether the command that runs waits for somebody, and since when.
    [[nodiscard]] std::optional<instant> waits_since() const;
    [[nodiscard]] bool has_primary() const { return has_primary_; }

    [[nodiscard]] client::api& cluster() { return cluster_; }
    [[nodiscard]] const shell_settings& settings() const { return how_; }
    /// The words that are commands only in this shell.
    [[nodiscard]] const std::vector<std::string_view>& own_words() const { return own_words_; }

    /// Says goodbye to the servers.
    [[nodiscard]] boost::asio::awaitable<void> close() { return cluster_.close(); }

  private:
    void tell(const client::news& what);
    [[nodiscard]] boost::asio::awaitable<exit_code> run_words(std::vector<std::string> words);
    [[nodiscard]] boost::asio::awaitable<exit_code> run_command(const invocation& asked);
    [[nodiscard]] boost::asio::awaitable<exit_code> run_extra(std::vector<std::string> words);
    /// Of the words that were brought along, if it is one of them.
    [[nodiscard]] const extra_commands::entry* find_extra(std::string_view word) const;
    /// The one whose help is asked for: `help kill`, `kill --help`.
    [[nodiscard]] const extra_commands::entry* explained_extra(
        std::span<const std::string> words) const;
    [[nodiscard]] bool asks_as_shell(const invocation& asked) const;
    exit_code refuse(const complaint& why, std::span<const std::string> words);
    exit_code leave(std::span<const std::string> words);
    exit_code help_here();

    boost::asio::any_io_executor executor_;
    console& out_;
    shell_settings how_;
    std::vector<std::string_view> own_words_;
    client::api cluster_;
    runtime* running_ = nullptr;
    bool runs_extra_ = false;
    bool has_primary_ = true; ///< it was not lost
    bool left_ = false;
};

} // namespace almenara::cli
