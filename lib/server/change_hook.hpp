#pragma once

#include "server/hook_output.hpp"
#include "server/hook_process.hpp"
#include "server/hook_schedule.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace almenara::server {

/// The script of --on-primary-change. The server waits for nothing that it does: its end and what
/// it writes are events like others.
class change_hook {
  public:
    change_hook(boost::asio::any_io_executor executor,
                std::optional<std::string> script,
                hook_limits limits = {});
    /// A script that still runs is killed: nobody would see its end.
    ~change_hook();
    change_hook(const change_hook&) = delete;
    change_hook& operator=(const change_hook&) = delete;

    /// From the next change on; nothing: none.
    void use(std::optional<std::string> script) { script_ = std::move(script); }

    void learned(const primary_change& what);

    /// The server stops: no script is begun any more, and the one that runs has until then. When it
    /// has ended nothing is waited for.
    void stop(instant latest);

    [[nodiscard]] bool is_running() const { return running_.has_value(); }

  private:
    void start_next();
    [[nodiscard]] bool begin(const primary_change& what);
    void wait_for_end();
    void see_if_ended();
    void read();
    [[nodiscard]] ssize_t read_some();
    void tell(const std::vector<std::string>& lines) const;
    void tell_end(const process_end& how) const;
    void let_go();
    void set_timer();
    /// For what is heard of a script: nothing is, once another one runs.
    template <class Then>
    [[nodiscard]] auto while_it_runs(Then then);

    std::optional<std::string> script_;
    hook_schedule schedule_;
    std::optional<hook_process> running_;
    primary_change told_; ///< to the one that runs
    instant began_;
    std::uint64_t run_ = 0; ///< which one runs, or did last
    hook_output written_;
    std::array<char, 16384> buffer_{};
    // They wait for the descriptors of the one that runs, which are its own.
    boost::asio::posix::stream_descriptor end_;
    boost::asio::posix::stream_descriptor output_;
    boost::asio::steady_timer limit_;
    boost::asio::steady_timer next_read_;
};

} // namespace almenara::server
