#include "shell/libedit_editor.hpp"

#include "shell/edit_session.hpp"

#include <boost/asio/post.hpp>

#include <csignal>
#include <utility>

namespace almenara::cli {

namespace asio = boost::asio;

/// Carries what the thread tells to the reactor. What is under way when the editor goes is told to
/// nobody.
class libedit_editor::post_to_listener final
    : public listener,
      public std::enable_shared_from_this<post_to_listener> {
  public:
    post_to_listener(asio::any_io_executor executor, listener& to)
        : executor_(std::move(executor)), to_(&to) {}

    /// The reactor's.
    void forget_listener() { to_ = nullptr; }

    void line_typed(std::string lines) override {
        post([lines = std::move(lines)](listener& to) mutable { to.line_typed(std::move(lines)); });
    }
    void line_left(line_exit how) override {
        post([how](listener& to) { to.line_left(how); });
    }
    void completion_wanted(completion_number which, std::string before_cursor) override {
        post([which, before = std::move(before_cursor)](listener& to) mutable {
            to.completion_wanted(which, std::move(before));
        });
    }

  private:
    template <class Tell>
    void post(Tell tell) {
        asio::post(executor_, [self = shared_from_this(), tell = std::move(tell)]() mutable {
            if (self->to_ != nullptr) {
                tell(*self->to_);
            }
        });
    }

    asio::any_io_executor executor_;
    listener* to_;
};

namespace {

/// Signals are the reactor's: this thread would be interrupted by them, and a terminal that it
/// restores in the background would stop it.
class signals_blocked {
  public:
    signals_blocked() {
        ::sigset_t all{};
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    signals_blocked(const signals_blocked&) = delete;
    signals_blocked& operator=(const signals_blocked&) = delete;

  private:
    ::sigset_t before_{};
};

} // namespace

libedit_editor::libedit_editor(asio::any_io_executor executor,
                               listener& to,
                               terminal_ends ends,
                               std::optional<std::string> history)
    : post_(std::make_shared<post_to_listener>(std::move(executor), to)) {
    const signals_blocked here;
    thread_ = std::thread{[this, ends, history = std::move(history)]() mutable {
        edit_session session{orders_, *post_, ends, std::move(history)};
        session.run();
    }};
}

void libedit_editor::print(channel where, std::string text) {
    if (!text.empty()) {
        orders_.push(print_order{where, std::move(text)});
    }
}

void libedit_editor::show_progress(std::string text) {
    orders_.push(progress_order{std::move(text)});
}

void libedit_editor::offer(completion_number which, completion_offer what) {
    orders_.push(offer_order{which, std::move(what)});
}

void libedit_editor::stop() {
    post_->forget_listener();
    orders_.close();
    if (thread_.joinable()) {
        thread_.join();
    }
}

} // namespace almenara::cli
