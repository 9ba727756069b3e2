#pragma once

#include "base/error.hpp"
#include "base/hlc.hpp"
#include "base/ids.hpp"
#include "log/log.hpp"
#include "server/journal_files.hpp"

#include <boost/json/object.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace almenara::server {

/// What a server decided and why, one JSON object a line, for programs: the journals of all servers
/// sort by their stamps into one story. A thread of its own writes it, so that a slow or full disk
/// never stops the reactor.
class journal {
  public:
    /// The fields of a record that would be longer are left out.
    static constexpr std::size_t longest_line = 16U << 10U;

    /// Says in the log if the last line was torn by a crash, and cuts it off.
    [[nodiscard]] static result<std::unique_ptr<journal>> open(const std::string& directory,
                                                               server_id self,
                                                               const journal_bounds& bounds = {});
    /// Writes what waits.
    ~journal();
    journal(const journal&) = delete;
    journal& operator=(const journal&) = delete;

    /// `fields` as wire::to_json makes them. Takes no longer than it takes to put it into a queue.
    void write(hlc_stamp at,
               log::level severity,
               std::string_view event,
               boost::json::object fields);

    /// Records that are not in the files: no room in the queue, or none on the disk.
    [[nodiscard]] std::uint64_t dropped() const;

  private:
    struct record {
        hlc_stamp at;
        log::level severity = log::level::info;
        std::string event;
        boost::json::object fields;
    };
    /// What the writer takes at once.
    struct batch {
        std::vector<record> records;
        std::uint64_t dropped = 0; ///< behind them
        hlc_stamp last_dropped;
    };

    journal(journal_files files, server_id self, std::size_t most_waiting);

    void loop();
    [[nodiscard]] bool wait_for_work(batch& next);
    void write_out(const batch& taken);
    void say_gap(hlc_stamp at);
    void add_line(const record& one);
    void flush_text();

    // Of the writing thread alone.
    journal_files files_;
    server_id self_;
    std::string text_; ///< lines that go out together
    std::uint64_t records_in_text_ = 0;
    bool text_says_gap_ = false;
    std::uint64_t lost_ = 0;       ///< since the last gap was said
    bool trouble_is_said_ = false; ///< style 11: once for each time that the disk fails

    const std::size_t most_waiting_;
    mutable std::mutex mutex_;
    std::condition_variable woken_;
    batch waiting_;
    std::uint64_t dropped_ = 0;
    bool ends_ = false;
    std::thread thread_;
};

} // namespace almenara::server
