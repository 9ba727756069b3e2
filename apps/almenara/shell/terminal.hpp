#pragma once

#include "shell/key_parser.hpp"
#include "shell/order_queue.hpp"
#include "text_table.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

#include <termios.h>

namespace almenara::cli {

/// Writes to a descriptor whose other end may take nothing for long: until it does, or the queue is
/// closed. The flags of the descriptor stay as they are, because others may have it too.
class output_channel {
  public:
    output_channel(int descriptor, const order_queue& orders);
    ~output_channel();
    output_channel(const output_channel&) = delete;
    output_channel& operator=(const output_channel&) = delete;

    void write(std::string_view bytes);

  private:
    [[nodiscard]] bool wait_for_room() const;

    int descriptor_;
    int own_ = -1; ///< a terminal that was opened again, for flags of its own
    const order_queue& orders_;
    bool is_broken_ = false;
};

/// The modes of a terminal, which are put back when this goes.
class terminal_modes {
  public:
    explicit terminal_modes(int descriptor);
    ~terminal_modes() { restore(); }
    terminal_modes(const terminal_modes&) = delete;
    terminal_modes& operator=(const terminal_modes&) = delete;

    /// Those that make signals.
    [[nodiscard]] key_parser::signal_keys signal_keys() const;

    void restore() const;
    /// Puts them back, stops this process until somebody lets it go on, and undoes it.
    void stop_with_them() const;

  private:
    int descriptor_;
    std::optional<::termios> before_;
};

/// How wide the window is now.
[[nodiscard]] std::size_t columns_of(int terminal);

/// How tables are to look on it.
[[nodiscard]] table_look look_of(int terminal);

} // namespace almenara::cli
