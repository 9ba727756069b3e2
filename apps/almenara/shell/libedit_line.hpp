#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct editline;
struct historyW;

namespace almenara::cli {

/// A line that is edited by libedit. What libedit wants to read and to write it gets from its host.
/// As long as this lives the terminal neither shows what is typed nor holds it back.
class libedit_line {
  public:
    static constexpr std::wstring_view prompt = L"almenara> ";

    /// A key that nobody types: libedit runs the host's errand for it, and ends a search before.
    static constexpr wchar_t errand_key = L'\x1f';

    /// What comes behind what the host did for a key.
    enum class step : std::uint8_t { go_on, redraw, beep, leave };

    class host {
      public:
        /// Nothing: the terminal is gone.
        [[nodiscard]] virtual std::optional<wchar_t> next_key() = 0;
        virtual void write_bytes(std::string_view bytes) = 0;
        [[nodiscard]] virtual step run_errand() = 0;
        [[nodiscard]] virtual step complete() = 0;

      protected:
        ~host() = default;
    };

    libedit_line(host& of, int in, int terminal);
    ~libedit_line();
    libedit_line(const libedit_line&) = delete;
    libedit_line& operator=(const libedit_line&) = delete;

    /// Prompts, until Enter: the line, which may have line ends in it. Nothing: it was left, or the
    /// host is gone.
    [[nodiscard]] std::optional<std::wstring> edit();

    /// Whether the terminal lets the cursor be moved.
    [[nodiscard]] bool can_move() const { return can_move_; }

    /// Why the person's own settings are not heard, if so; told once.
    [[nodiscard]] std::optional<std::string> take_trouble();

    /// What Up and Ctrl-R find, oldest first.
    void recall(const std::vector<std::string>& lines);

    // -- While it is edited --

    [[nodiscard]] std::wstring_view before_cursor() const;
    [[nodiscard]] bool is_empty() const;
    /// False: there is nothing to insert, or no room.
    bool insert(const std::wstring& text);
    void erase_before_cursor(std::size_t letters);
    void go_to_end();
    /// The cursor is where the prompt is to begin.
    void redraw();
    /// The terminal has another size.
    void resize();

  private:
    struct hooks;
    struct close_stream {
        void operator()(std::FILE* stream) const { std::fclose(stream); }
    };
    void bind_keys();
    void obey_editrc();
    void look_at_terminal();

    host& host_;
    std::unique_ptr<std::FILE, close_stream> to_host_;
    std::unique_ptr<std::FILE, close_stream> to_nobody_;
    editline* libedit_ = nullptr;
    historyW* recalled_ = nullptr;
    bool can_move_ = false;
    std::optional<std::string> trouble_;
};

} // namespace almenara::cli
