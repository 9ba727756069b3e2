#pragma once

#include "base/hlc.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/core.hpp"
#include "sim/beacon.hpp"
#include "sim/check/endings.hpp"
#include "sim/dice.hpp"
#include "sim/disk.hpp"
#include "sim/network.hpp"
#include "sim/reception.hpp"
#include "sim/scene.hpp"
#include "state/memory_key_space.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace almenara::sim {

/// What can rot.
enum class rot_place : std::uint8_t { batch, header, slot };

/// A machine with a disk, and from time to time a process on it that drives one core: it is handed
/// what the network brings, decides when a turn is, and executes outputs in the order of their
/// fields, until something ends it, which may be between any two things of one output.
class server {
  public:
    server(server_id self, std::vector<server_id> listed, scene& around, dice luck);

    // -- From outside --

    /// The process starts, with what the disk has.
    void start();
    /// kill -9, or the plug.
    void die(death how);
    /// The same, but in the middle of the output that comes next.
    void die_inside_output(death how);
    /// The loop does not run; the kernel goes on taking what comes.
    void pause(duration length);
    /// It goes on, and nothing that was planned for it happens.
    void recover();
    void jump_wall_clock(std::chrono::milliseconds by);
    void fail_next_sync();
    void terminate();
    /// An operator wishes another primary; nobody in particular: whoever is best.
    void transfer(std::optional<server_id> target);
    /// What of its log goes bad, and where: false if that cannot be (sim/disk.hpp).
    bool rot(rot_place what, log_index at);
    void misdirect_next_write() { disk_.misdirect_next(); }
    /// Another disk, empty; another data directory. It never comes back as a voter.
    void lose_disk();
    void set_disk_habits(const disk_habits& chosen) { disk_habits_ = chosen; }

    // -- What happens to it --

    void accepted(connection_id connection, line_kind kind);
    void dialled(server_id peer, connection_id connection, line_kind kind);
    void dial_failed(server_id peer, line_kind kind);
    void received(connection_id connection, content&& what);
    void ended(connection_id connection);
    void datagram(node from, base::byte_view bytes);
    void on(const appointment& due);

    // -- What is so --

    [[nodiscard]] server_id id() const { return self_; }
    [[nodiscard]] bool runs() const { return process_.has_value(); }
    [[nodiscard]] bool powered() const { return powered_; }
    [[nodiscard]] std::uint64_t life() const { return life_; }
    /// Its log is not whole, or was not when it last could say so.
    [[nodiscard]] bool impaired() const;
    [[nodiscard]] bool lost() const { return lost_; }
    /// The flushed state: where it can always start, whatever happens to its log (B.8).
    [[nodiscard]] log_index flushed() const { return kept_state_.applied().index; }
    [[nodiscard]] const sim::disk& disk() const { return disk_; }
    [[nodiscard]] const replica::core_status* status() const {
        return process_ ? &process_->status : nullptr;
    }
    [[nodiscard]] const state::memory_key_space* state() const {
        return process_ ? &process_->clients.base() : nullptr;
    }

    /// It will start after so long.
    void start_in(duration delay);

  private:
    /// What a client said, until the next turn; nothing: its connection has ended.
    struct heard_client {
        connection_id connection;
        std::optional<client_request> request;
    };

    /// What a process is made of, and what ends with it.
    struct process {
        process(replica::start_state start,
                const replica::moment& now,
                state::memory_key_space state,
                dice luck,
                scene& around);

        replica::core core;
        reception clients;
        beacon mouth;
        hybrid_clock stamps{};
        replica::core_status status{};
        std::vector<replica::event> inbox{};
        std::vector<heard_client> asked{};
        std::set<connection_id> client_lines{};
        instant born{};
        std::int64_t rate = 1000; ///< of its monotonic clock, in thousandths
        duration offset{};
        std::size_t depth = 1; ///< batches in flight
        std::vector<log_index> uncommitted_cuts{};
        log_index cut_upto{};
        log_index applied_handed{}; ///< the flush of the state is under way up to here
        std::optional<instant> due_since{};
        instant wake = instant::max(); ///< of the core, by its own clock
        std::set<std::pair<server_id, replica::generation>> refusals{}; ///< that were sent
        bool promise_came_late = false;
        check::reasons_to_end to_end{};
        bool flushing = false;
    };

    [[nodiscard]] instant now() const { return around_.time.now(); }
    [[nodiscard]] replica::moment moment() const;
    [[nodiscard]] instant when(instant local) const;
    [[nodiscard]] standing here() const;
    [[nodiscard]] std::optional<storage::core::started_log> open_log();
    [[nodiscard]] replica::start_state begin_with(storage::core::started_log&& found);
    [[nodiscard]] storage::core::state_row flushed_row() const;

    void arrives(replica::event what);
    void asks(heard_client what);
    void want_turn();
    void arm(instant at);
    void turn();
    void step_arrivals();
    [[nodiscard]] bool step_clients();
    [[nodiscard]] bool flush();
    [[nodiscard]] bool may_cut();
    void look_around();

    // One output, field by field; false when the process ended in it.
    [[nodiscard]] bool execute(replica::output& out);
    [[nodiscard]] bool persist(replica::output& out);
    [[nodiscard]] bool send(replica::output& out);
    [[nodiscard]] bool read_log(const replica::output& out);
    [[nodiscard]] bool apply(const replica::output& out);
    [[nodiscard]] bool answer(const replica::output& out);
    [[nodiscard]] bool change_office(const replica::output& out);
    [[nodiscard]] bool enter_further();
    void announce_office();
    [[nodiscard]] bool connect(const replica::output& out);
    [[nodiscard]] bool finish(const replica::output& out);
    [[nodiscard]] bool say_answers();
    void work_beacon();
    /// Every single thing of an output passes here: false if the process ends before it.
    [[nodiscard]] bool survives();

    void note_heard(const link_frame& what);
    void note_sent(const replica::outgoing& what);
    void ambush(const replica::outgoing& what);
    void note_result(const leaving& what);
    void work_disk();
    void disk_done();
    void seal_if_quiet();
    void note_disk_events();
    [[nodiscard]] log_index floor() const;
    void state_damaged(const state::unusable_entry& what);
    void state_flushed();
    /// I9: its state, and what others were at the same index.
    void compare_state();
    void keep_state();
    void process_ends(death how, const std::string& why);

    server_id self_;
    std::vector<server_id> listed_;
    scene& around_;
    dice luck_;
    sim::disk disk_;
    disk_habits disk_habits_;
    data_uuid uuid_;
    std::uint16_t priority_ = 0;
    state::memory_key_space kept_state_; ///< as the disk has it: behind by some entries
    std::optional<process> process_;
    std::uint64_t life_ = 0;
    bool powered_ = true;
    bool lost_ = false;
    std::uint64_t disk_life_ = 0;
    instant disk_quiet_since_;
    bool seal_armed_ = false;
    instant busy_until_;
    instant armed_ = instant::max();
    std::chrono::milliseconds wall_offset_{0};
    std::optional<std::pair<std::uint64_t, death>> fuse_; ///< things until the end
    std::optional<std::pair<death, std::string>> ending_;
    log_index keep_state_at_;
};

} // namespace almenara::sim
