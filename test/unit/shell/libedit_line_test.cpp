#include "shell/libedit_line.hpp"

#include <catch2/catch_all.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include <poll.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

using namespace almenara::cli;

namespace {

/// A terminal, and somebody who hands on what is typed there.
class pty_host final : public libedit_line::host {
  public:
    pty_host() { REQUIRE(::openpty(&keyboard_, &terminal_, nullptr, nullptr, nullptr) == 0); }
    ~pty_host() {
        ::close(keyboard_);
        ::close(terminal_);
    }
    pty_host(const pty_host&) = delete;
    pty_host& operator=(const pty_host&) = delete;

    [[nodiscard]] int terminal() const { return terminal_; }
    [[nodiscard]] const std::string& heard() const { return heard_; }

    void type(std::string_view keys) const {
        REQUIRE(::write(keyboard_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
    }
    /// Whether the system edits and shows lines.
    [[nodiscard]] bool is_cooked() const {
        ::termios now{};
        REQUIRE(::tcgetattr(terminal_, &now) == 0);
        return (now.c_lflag & (ICANON | ECHO)) != 0;
    }

    std::optional<wchar_t> next_key() override {
        constexpr int deadline_ms = 5000;
        ::pollfd typed{terminal_, POLLIN, 0};
        char key = '\0';
        if (::poll(&typed, 1, deadline_ms) != 1 || ::read(terminal_, &key, 1) != 1) {
            return std::nullopt;
        }
        heard_ += key;
        return static_cast<wchar_t>(key);
    }
    void write_bytes(std::string_view) override {}
    libedit_line::step run_errand() override { return libedit_line::step::leave; }
    libedit_line::step complete() override { return libedit_line::step::beep; }

  private:
    int keyboard_ = -1;
    int terminal_ = -1;
    std::string heard_;
};

} // namespace

TEST_CASE("a Ctrl-D that comes between two lines is a key of the next one") {
    pty_host here;
    libedit_line line{here, here.terminal(), here.terminal()};
    here.type("a\r");
    CHECK(line.edit() == L"a\n");
    here.type("\x04");
    CHECK_FALSE(line.edit().has_value());
    CHECK(here.heard().substr(2) == "\x04"); // Behind the letter and Enter.
}

TEST_CASE("what is typed before a line is edited is neither shown nor held back") {
    pty_host here;
    REQUIRE(here.is_cooked());
    {
        libedit_line line{here, here.terminal(), here.terminal()};
        CHECK_FALSE(here.is_cooked());
        here.type("\r");
        CHECK(line.edit() == L"\n");
        CHECK_FALSE(here.is_cooked());
    }
    CHECK(here.is_cooked());
}
