#pragma once

#include "base/time.hpp"
#include "client/api.hpp"
#include "client/bell.hpp"
#include "report.hpp"
#include "settings.hpp"
#include "workload.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace almenara::bench {

/// Many clients on one thread, what they ask and when.
class load {
  public:
    load(boost::asio::any_io_executor executor, const settings& asked);
    ~load();
    load(const load&) = delete;
    load& operator=(const load&) = delete;

    /// From the logins to the goodbyes. An answer that is not ok: no client could begin.
    [[nodiscard]] boost::asio::awaitable<client::answer> run();
    /// Ends it early: begins nothing more, and does not wait long for what is open.
    void interrupt();

    [[nodiscard]] const report& result() const { return report_; }
    /// Whether everything could be written to the history.
    [[nodiscard]] bool history_is_whole() const;

  private:
    class player;

    [[nodiscard]] boost::asio::awaitable<client::answer> log_in();
    [[nodiscard]] boost::asio::awaitable<client::answer> fill();
    [[nodiscard]] bool takes_key() const;
    void filled();
    [[nodiscard]] boost::asio::awaitable<void> play();
    [[nodiscard]] boost::asio::awaitable<void> keep_rate();
    [[nodiscard]] boost::asio::awaitable<void> leave();
    [[nodiscard]] bool is_over(instant now) const;
    void stop();
    void give_up();
    void ended();

    boost::asio::any_io_executor executor_;
    const settings& asked_;
    report report_;
    std::optional<std::ofstream> history_;
    std::vector<std::unique_ptr<player>> players_;
    boost::asio::steady_timer timer_;
    boost::asio::steady_timer patience_; ///< with what is open, once it was interrupted
    client::bell all_filled_;
    client::bell all_ended_;
    client::answer how_filled_; ///< ok, or of a key that could not be written
    std::size_t keys_taken_ = 0;
    instant begin_;
    instant end_;
    std::size_t open_ = 0; ///< operations of all clients
    bool stopped_ = false;
};

} // namespace almenara::bench
