#pragma once

#include "base/ids.hpp"
#include "demo/background_load.hpp"
#include "demo/local_servers.hpp"
#include "shell/extra_commands.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almenara::cli {

/// `kill primary`, `pause 2`, ...: what the shell of a demo can do to the demo's own servers.
class demo_commands final : public extra_commands {
  public:
    demo_commands(boost::asio::any_io_executor executor,
                  local_servers& servers,
                  background_load& load);

    [[nodiscard]] std::span<const entry> list() const override;
    [[nodiscard]] std::vector<std::string> complete(
        std::span<const std::string> words) const override;
    [[nodiscard]] boost::asio::awaitable<exit_code> run(std::vector<std::string> words,
                                                        console& out,
                                                        bool json) override;
    void interrupt() override;

  private:
    /// What is told, for people and for scripts. It has a constructor because it passes through
    /// coroutines (docs/style.md, trap 1).
    struct told {
        explicit told(std::string for_people) : text(std::move(for_people)) {}
        std::string text;                         ///< whole lines
        std::vector<boost::json::object> lines{}; ///< the same with --json
    };

    [[nodiscard]] boost::asio::awaitable<outcome<server_id>> server_named(std::string word);
    [[nodiscard]] boost::asio::awaitable<std::optional<server_id>> primary();
    [[nodiscard]] boost::asio::awaitable<outcome<told>> do_it(std::vector<std::string> words);
    [[nodiscard]] boost::asio::awaitable<outcome<told>> act_on_server(
        std::vector<std::string> words);
    [[nodiscard]] boost::asio::awaitable<outcome<told>> switch_load(std::vector<std::string> words);
    [[nodiscard]] boost::asio::awaitable<outcome<told>> let_pass(std::vector<std::string> words);
    [[nodiscard]] told list_servers() const;
    [[nodiscard]] told about(server_id which, std::string_view what_now) const;
    [[nodiscard]] std::optional<complaint> why_not(const std::string& verb, server_id which) const;

    boost::asio::any_io_executor executor_;
    local_servers& servers_;
    background_load& load_;
    boost::asio::steady_timer pause_;
};

} // namespace almenara::cli
