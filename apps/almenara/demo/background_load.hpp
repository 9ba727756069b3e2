#pragma once

#include "base/time.hpp"
#include "client/api.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace almenara::cli {

/// Somebody who counts while servers die: adds 1 to a key, again and again, and knows what the sum
/// must be. Coroutines that are under way keep nothing alive: stop() is waited for.
class background_load {
  public:
    static constexpr const char* key = "demo/counter";

    background_load(boost::asio::any_io_executor executor, client::api& cluster);
    background_load(const background_load&) = delete;
    background_load& operator=(const background_load&) = delete;

    void start();
    /// Returns when the last one is answered, or at once when it is interrupted.
    [[nodiscard]] boost::asio::awaitable<void> stop();
    void interrupt();

    [[nodiscard]] bool is_running() const { return runs_; }
    /// What became of them: counted, lost, done twice, and the longest time without an answer.
    [[nodiscard]] std::string report() const;
    [[nodiscard]] boost::json::object report_json() const;

  private:
    [[nodiscard]] static boost::asio::awaitable<void> count(background_load& self);
    void answered(const client::answer& how);

    boost::asio::any_io_executor executor_;
    client::api& cluster_;
    boost::asio::steady_timer pause_;
    boost::asio::steady_timer over_;
    bool runs_ = false;
    bool is_to_stop_ = false;
    bool is_waited_for_ = false; ///< by stop()

    std::optional<std::int64_t> sum_; ///< after the newest answer
    std::uint64_t confirmed_ = 0;
    std::uint64_t unknown_ = 0;     ///< nobody can say whether they were done
    std::uint64_t wrong_sums_ = 0;  ///< something was lost, or done twice
    std::uint64_t may_be_more_ = 0; ///< of the unknown ones since the newest answer
    duration longest_gap_{};
    std::optional<instant> answered_at_;
};

} // namespace almenara::cli
