#pragma once

#include "shell/line_editor.hpp"

#include <atomic>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <variant>

namespace almenara::cli {

struct print_order {
    line_editor::channel where;
    std::string text;
};
struct progress_order {
    std::string text;
};
struct read_order {
    bool armed = false;
};
struct offer_order {
    completion_number number = 0;
    completion_offer offer;
};
struct interrupt_order {};
struct resize_order {};
struct suspend_order {};
using editor_order = std::variant<print_order,
                                  progress_order,
                                  read_order,
                                  offer_order,
                                  interrupt_order,
                                  resize_order,
                                  suspend_order>;

/// What the reactor wants of the editor's thread, in order. Style 11: what is to be printed is
/// bounded; what is too much is left out, and a line says how much that was.
class order_queue {
  public:
    static constexpr std::size_t most_waiting_bytes = std::size_t{8} << 20U;

    order_queue();
    ~order_queue();
    order_queue(const order_queue&) = delete;
    order_queue& operator=(const order_queue&) = delete;

    // -- The reactor's --

    void push(editor_order what);
    /// Nothing is taken any more.
    void close();

    // -- The thread's --

    [[nodiscard]] std::deque<editor_order> take_all();
    [[nodiscard]] bool is_closed() const { return closed_; }
    /// Readable when there is something new, until it is taken.
    [[nodiscard]] int wake() const { return wake_; }
    /// Readable once it is closed.
    [[nodiscard]] int closing() const { return closing_; }
    void wait() const;

  private:
    void leave_out(const std::string& text);
    void tell_left_out();

    std::mutex mutex_;
    std::deque<editor_order> orders_;
    std::size_t bytes_ = 0;
    std::size_t left_out_ = 0; ///< lines
    std::atomic<bool> closed_ = false;
    int wake_;
    int closing_;
};

} // namespace almenara::cli
