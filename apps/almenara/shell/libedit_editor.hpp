#pragma once

#include "shell/line_editor.hpp"
#include "shell/order_queue.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace almenara::cli {

/// Where a line editor stands.
struct terminal_ends {
    int in = 0;       ///< a terminal
    int out = 1;      ///< what data is printed to
    int err = 2;      ///< what talk is printed to
    int terminal = 1; ///< the one of the two at which the line is edited
};

/// The line editor on top of libedit, in a thread of its own, because libedit waits for keys
/// itself, also in the middle of a search. Everything that it reads and writes passes through here.
class libedit_editor final : public line_editor {
  public:
    libedit_editor(boost::asio::any_io_executor executor,
                   listener& to,
                   terminal_ends ends,
                   std::optional<std::string> history);
    ~libedit_editor() override { stop(); }
    libedit_editor(const libedit_editor&) = delete;
    libedit_editor& operator=(const libedit_editor&) = delete;

    void read_line(bool armed) override { orders_.push(read_order{armed}); }
    void print(channel where, std::string text) override;
    void show_progress(std::string text) override;
    void offer(completion_number which, completion_offer what) override;
    void interrupt() override { orders_.push(interrupt_order{}); }
    void resize() override { orders_.push(resize_order{}); }
    void suspend() override { orders_.push(suspend_order{}); }
    void close() override { stop(); }

  private:
    class post_to_listener;
    void stop();

    std::shared_ptr<post_to_listener> post_;
    order_queue orders_;
    std::thread thread_;
};

} // namespace almenara::cli
