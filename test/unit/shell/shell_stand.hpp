#pragma once

#include "command_line.hpp"
#include "console.hpp"
#include "shell/extra_commands.hpp"
#include "support/lines.hpp"
#include "unit/client/little_primary.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_all.hpp>

#include <array>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace almenara::test {

/// A shell's surroundings: a little primary, and what is printed.
class shell_stand {
  public:
    explicit shell_stand(std::vector<std::string> options = {}) {
        stage.server.behave = primary.manners(server_id{1}, stage.server.address());
        options.insert(options.begin(),
                       {"--plaintext", "--no-state", "-u", "anna", "-s", stage.server.address()});
        const auto asked =
            cli::parse_command_line(options, [](const char*) -> const char* { return nullptr; });
        REQUIRE(asked.has_value());
        start = *asked;
    }

    void keep(const std::string& key, std::string_view value) {
        const auto bytes = base::as_bytes(value);
        primary.keys[key] = {.version = log_index{5}, .bytes = {bytes.begin(), bytes.end()}};
    }
    [[nodiscard]] std::string value(const std::string& key) const {
        return std::string{base::as_text(primary.keys.at(key).bytes)};
    }

    [[nodiscard]] bool is_asked_for_an_operation() {
        if (stage.server.visits() == 0 || stage.server.last_visitor().heard().empty()) {
            return false;
        }
        return std::holds_alternative<wire::operation>(stage.server.last_visitor().heard().back());
    }

    /// Lets the others run until it is so.
    static boost::asio::awaitable<void> until(std::function<bool()> it_is_so) {
        while (!it_is_so()) {
            co_await boost::asio::post(boost::asio::use_awaitable);
        }
    }

    test::stage stage;
    little_primary primary;
    cli::invocation start;
    std::ostringstream printed;
    std::ostringstream said;
    cli::console out{printed, said, false};
};

/// Words of a shell that was opened by somebody else.
class little_extra final : public cli::extra_commands {
  public:
    [[nodiscard]] std::span<const entry> list() const override {
        static constexpr std::array<entry, 2> all{{
            {"kill", "SERVER", "kill a server"},
            {"pause", "SERVER", "let it stand still"},
        }};
        return all;
    }
    [[nodiscard]] std::vector<std::string> complete(std::span<const std::string>) const override {
        return {"1", "2", "primary"};
    }
    [[nodiscard]] boost::asio::awaitable<cli::exit_code> run(std::vector<std::string> words,
                                                             cli::console& out,
                                                             bool json) override {
        ran.push_back(std::move(words));
        as_json.push_back(json);
        while (stands_still && !interrupted) {
            co_await boost::asio::post(boost::asio::use_awaitable);
        }
        out.print("done\n");
        co_return interrupted ? cli::exit_code::interrupted : cli::exit_code::ok;
    }
    void interrupt() override { interrupted = true; }

    std::vector<std::vector<std::string>> ran;
    std::vector<bool> as_json;
    bool stands_still = false;
    bool interrupted = false;
};

} // namespace almenara::test
