#pragma once

#include "base/time.hpp"
#include "server/loop_lag.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <functional>
#include <optional>

namespace almenara::server {

/// The one thread that does everything, and its turn: wait for something, run until nothing more is
/// ready, then flush. What many connections caused is answered together (decision 004).
class reactor {
  public:
    reactor();

    [[nodiscard]] boost::asio::io_context& context() { return context_; }
    [[nodiscard]] boost::asio::any_io_executor executor() { return context_.get_executor(); }

    /// When this turn began: everything in a turn happens at one moment.
    [[nodiscard]] instant now();

    /// Called at the end of each turn.
    void at_end_of_turn(std::function<void()> flush) { flush_ = std::move(flush); }

    /// Until there is nothing left to wait for. What a coroutine threw comes out here.
    void run();

    /// The next turn ends by then, whether anything has come or not, and until then it is asked for
    /// without sleeping. For one turn; moments only (decision 004). Of several the earliest counts.
    void look_again_until(instant latest) {
        look_until_ = look_until_ ? std::min(*look_until_, latest) : latest;
    }

    /// How long the turn before this one took: nobody looked at anything meanwhile.
    [[nodiscard]] duration last_turn() const { return last_turn_; }

    /// Whether nothing more was ready when this turn ended. If not another turn follows at once.
    [[nodiscard]] bool is_dry() const { return is_dry_; }

    [[nodiscard]] const loop_lag& lag() const { return lag_; }
    /// The same in processor time of this thread: what the turns themselves took, and the wait
    /// before them.
    [[nodiscard]] const loop_lag& work() const { return work_; }

  private:
    [[nodiscard]] bool wait();
    void poll_until_dry(instant latest);

    boost::asio::io_context context_;
    std::function<void()> flush_;
    std::optional<instant> turn_began_;
    std::optional<instant> look_until_;
    duration last_turn_{0};
    bool is_dry_ = false;
    loop_lag lag_;
    loop_lag work_;
};

} // namespace almenara::server
