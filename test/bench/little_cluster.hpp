#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/core.hpp"
#include "wire/frame.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

/// Three cores in one thread that talk in frames, as over sockets that never wait, with disks that
/// are always done.
namespace almenara::bench {

class little_cluster {
  public:
    static constexpr std::size_t size = 3;

    /// Runs until one of them rules and its first entry is confirmed.
    little_cluster();

    void advance(duration by) { now_.monotonic = now_.monotonic + by; }

    /// Hands the primary an update; the batch is cut when it next has its turn.
    void propose(base::byte_vector payload);

    /// Everybody takes turns until nobody has anything to do.
    void settle();

    /// A turn of the primary alone, whose words are lost.
    void primary_speaks_to_nobody();

    /// Everybody looks at the timers once, the primary first.
    void tick_and_settle();

    [[nodiscard]] log_index confirmed_upto() const;
    [[nodiscard]] replica::core_status primary_status() const;
    [[nodiscard]] bool accepts_proposals() const;

    /// Time that the server at that place took since the last call of reset_times.
    [[nodiscard]] std::chrono::nanoseconds primary_time() const;
    [[nodiscard]] std::chrono::nanoseconds backups_time() const;
    void reset_times();

  private:
    struct server {
        std::optional<replica::core> core;
        std::deque<replica::event> inbox;  ///< from disk, state and dialling
        std::vector<std::size_t> readable; ///< places of connections
        std::optional<instant> wake;
        std::chrono::nanoseconds time{0};
    };

    /// What one end of a connection hears. The two ends of one have neighbouring places.
    struct ear {
        std::size_t owner = 0; ///< place of the server
        wire::frame_decoder bytes{wire::largest_bulk_frame};
        bool closed = false; ///< nothing more will come
        bool deaf = false;   ///< its owner has closed the connection
    };

    [[nodiscard]] bool has_work(const server& one) const;
    void take_turn(std::size_t place, bool is_heard = true);
    void step_inbox(server& one);
    void mark_readable(std::size_t end);
    void read_all(server& one);
    void read(server& one, std::size_t end);
    void execute(std::size_t place, replica::output out, bool is_heard);
    void send(const replica::outgoing& what, std::size_t place);
    void dial(const replica::dial_request& what, std::size_t place);
    void close(connection_id connection, std::size_t place);
    [[nodiscard]] std::size_t other_end(connection_id connection, std::size_t place) const;

    replica::moment now_;
    std::vector<server> servers_{size};
    std::deque<ear> ears_;
    std::size_t primary_ = 0;
    std::optional<epoch> office_;
    replica::message_ptr encoded_message_; ///< what `encoded_` is
    epoch encoded_epoch_;
    base::byte_vector encoded_;
};

} // namespace almenara::bench
