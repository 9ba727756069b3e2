#pragma once

#include "shell/history_file.hpp"
#include "shell/key_parser.hpp"
#include "shell/libedit_editor.hpp"
#include "shell/libedit_line.hpp"
#include "shell/order_queue.hpp"
#include "shell/terminal.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace almenara::cli {

/// What happens in the editor's thread, from the first order until the queue is closed. Its voice
/// is heard from there.
class edit_session final : private libedit_line::host {
  public:
    edit_session(order_queue& orders,
                 line_editor::listener& voice,
                 terminal_ends ends,
                 std::optional<std::string> history);
    edit_session(const edit_session&) = delete;
    edit_session& operator=(const edit_session&) = delete;

    void run();

  private:
    /// What libedit is to hear of in its own time, as a key that nobody types.
    enum class errand : std::uint8_t { none, paste, interrupt, quit, close };

    using step = libedit_line::step;

    void edit();
    void tell_trouble(const std::optional<std::string>& what);
    [[nodiscard]] bool edit_once();
    void take_line(std::wstring_view typed);

    // libedit_line::host
    [[nodiscard]] std::optional<wchar_t> next_key() override;
    void write_bytes(std::string_view bytes) override { screen_.write(bytes); }
    [[nodiscard]] step run_errand() override;
    [[nodiscard]] step complete() override;

    void take_event(key_parser::paste& what);
    void take_event(key_parser::notice what);
    [[nodiscard]] bool read_keys();
    [[nodiscard]] int longest_silence_ms() const;
    [[nodiscard]] step paste();
    [[nodiscard]] step interrupt();
    [[nodiscard]] step apply(const completion_offer& offer);
    [[nodiscard]] std::optional<completion_offer> wait_for_offer();

    void obey_all();
    void obey(editor_order& what);
    void obey(print_order& what);
    void obey(progress_order& what);
    void obey(read_order& what);
    void obey(offer_order& what);
    void obey(interrupt_order&);
    void obey(resize_order&);
    void obey(suspend_order&);

    /// While a line is edited, around what is printed.
    void hide_line();
    void take_pastes(bool in_brackets);
    void erase_progress();
    void write(std::string_view text);
    [[nodiscard]] bool is_terminal(line_editor::channel where) const;

    order_queue& orders_;
    line_editor::listener& voice_;
    terminal_ends ends_;
    history_file history_;
    terminal_modes modes_;
    output_channel screen_;
    output_channel data_;
    output_channel talk_;
    key_parser keys_;
    libedit_line line_;
    bool editing_ = false;
    bool wants_line_ = false;
    bool armed_ = false; ///< Ctrl-C leaves
    bool shows_progress_ = false;
    errand errand_ = errand::none;
    std::string pasted_;
    std::optional<line_exit> left_; ///< how the line that is edited was left
    bool begins_anew_ = false;      ///< it was cleared
    completion_number asked_ = 0;
    std::optional<offer_order> offered_;
};

} // namespace almenara::cli
