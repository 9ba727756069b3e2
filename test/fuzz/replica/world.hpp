#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "fuzz/replica/disk.hpp"
#include "fuzz/replica/oracles.hpp"
#include "replica/core.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

/// A few real cores, their disks and what is between them. Everything happens when it is said.
namespace almenara::fuzz {

/// What the fuzzer's input says of all servers.
struct world_options {
    bool empty_disks = false;
    bool lying = false;
    bool small = false;
    replica::confirm_policy confirm = replica::confirm_policy::sync_set;
};

struct frame_on_its_way {
    almenara::epoch epoch;
    hlc_stamp hlc;
    replica::message_ptr message;
};

/// One direction of a connection.
struct way {
    std::size_t from = 0; ///< place of a server
    std::size_t to = 0;
    std::uint64_t to_start = 0; ///< which process there; a later one knows nothing of it
    std::deque<frame_on_its_way> frames;
    bool ended = false;                      ///< a FIN comes behind the frames
    bool dead = false;                       ///< nothing of it arrives any more
    std::optional<instant> unanswered_since; ///< the kernel gives up after a while
};

/// Number of a connection, and 0 for what the dialler says, 1 for the reverse.
using way_id = std::pair<std::uint64_t, unsigned>;

/// A process ends while it executes an output.
struct crash_plan {
    std::size_t fields_left = 0;      ///< those that it still executes
    std::size_t jobs_that_arrive = 0; ///< what the disk was handed is begun at once, or never
    std::uint8_t bits = 0;            ///< see crash_bits
};

/// A machine: its disk and, while it runs, its process.
struct server {
    server_id id;
    data_uuid uuid;
    fuzz::disk disk;
    log_index state; ///< as flushed to the disk
    std::uint64_t starts = 0;
    bool was_wiped = false;
    std::map<log_index, replica::hash64> held_at_wipe; ///< of the disk that was lost

    std::optional<replica::core> core;
    replica::incarnation incarnation;
    std::optional<instant> wake;
    std::deque<replica::dial_request> dials;
    std::deque<replica::log_read> reads;
    std::optional<log_index> to_apply; ///< newest that the state was given
    bool next_sync_fails = false;
    bool may_die = false; ///< its disk failed, or it was told to stop
    std::optional<crash_plan> crashes;
};

class world {
  public:
    static constexpr std::size_t nobody = 99; ///< place of somebody who is no member

    explicit world(std::size_t size, world_options chosen);

    [[nodiscard]] std::size_t size() const { return servers_.size(); }
    [[nodiscard]] const server& at(std::size_t place) const { return servers_[place]; }
    [[nodiscard]] const replica::moment& now() const { return now_; }
    [[nodiscard]] bool runs(std::size_t place) const { return servers_[place].core.has_value(); }
    [[nodiscard]] std::size_t primaries() const;
    [[nodiscard]] bool disks_were_empty() const { return chosen_.empty_disks; }

    // Time.
    void wait(duration length);
    void tick(std::size_t place, duration gap);
    /// Frames arrive, disks are done and timers are met for so long.
    void run(duration length);

    // A server and what it asked for.
    void propose(std::size_t place, std::size_t count, bool cut);
    void read(std::size_t place);
    void tell(std::size_t place, replica::event what);
    void sync_log(std::size_t place);
    void sync_meta(std::size_t place);
    void answer(std::size_t place);
    void dial(std::size_t place, bool accepted);

    // The network.
    [[nodiscard]] std::vector<way_id> ways_with_news() const;
    [[nodiscard]] std::vector<std::uint64_t> connections() const;
    [[nodiscard]] way& way_at(way_id id) { return ways_.at(id); }
    void deliver(way_id id, std::size_t count);
    void hand_over(std::uint64_t connection, std::size_t place, const frame_on_its_way& frame);
    void reset(std::uint64_t connection, std::uint8_t bits);
    void hold(std::size_t from, std::size_t to);
    void release_all() { held_.clear(); }
    /// Somebody who is no member dials; gives the connection.
    [[nodiscard]] std::uint64_t strange_connection(std::size_t place);
    /// Somebody who is no member took the oldest call.
    [[nodiscard]] std::optional<std::uint64_t> strange_answer(std::size_t place);
    void hang_up(std::uint64_t connection);

    // Faults.
    void crash(std::size_t place, std::size_t jobs_that_arrive, std::uint8_t bits);
    void crash_later(std::size_t place, crash_plan plan);
    void restart(std::size_t place, std::uint8_t bits);
    void rot(std::size_t place, std::uint8_t index, bool end_is_known);
    void wipe(std::size_t place);
    void fail_sync(std::size_t place);
    void terminate(std::size_t place);

    /// The last message of a member, for forgers.
    [[nodiscard]] const frame_on_its_way& last_said() const { return last_said_; }

  private:
    void start(std::size_t place, std::uint8_t bits);
    void step(std::size_t place, replica::event what);
    void turn(std::size_t place, bool cut = true);
    void execute(std::size_t place, replica::output out);
    [[nodiscard]] bool survives_field(std::size_t place);
    void execute_writes(server& one, replica::output& out);
    void execute_reads(server& one, const replica::output& out);
    void execute_rest(std::size_t place, replica::output& out);
    void send(std::size_t place, const replica::outgoing& what);
    void close(std::size_t place, connection_id connection);
    void die(std::size_t place, const replica::fatal& why);
    [[nodiscard]] bool somebody_lost_something() const;
    [[nodiscard]] bool deliver_one(way_id id);
    [[nodiscard]] bool run_network();
    [[nodiscard]] bool run_disks();
    void run_kernel_timers();
    void run_timers();
    void open(std::size_t dialler, std::size_t acceptor, const replica::dial_request& what);
    void add_way(way_id id, std::size_t from, std::size_t to);
    void give_up(way_id id);

    world_options chosen_;
    replica::moment now_;
    replica::settings settings_;
    replica::cluster_config config_;
    std::vector<server> servers_;
    std::map<way_id, way> ways_;
    std::set<std::pair<std::size_t, std::size_t>> held_; ///< from, to
    std::uint64_t next_connection_ = 1;
    std::uint64_t next_ticket_ = 1;
    std::uint64_t next_value_ = 1;
    frame_on_its_way last_said_;
    fuzz::oracles oracles_;
};

} // namespace almenara::fuzz
