#pragma once

#include "replica/core.hpp"
#include "replica/gate.hpp"
#include "sim/check/ballot_box.hpp"
#include "sim/check/committed_log.hpp"
#include "sim/check/findings.hpp"
#include "sim/check/known_entries.hpp"
#include "sim/check/log_image.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace almenara::sim::check {

/// Everything known of one server. What is on its disk outlives its processes.
struct server_record {
    /// B.11: it has another disk than the one that was founded with the cluster. Whatever is on
    /// that one is no voter's.
    bool replaced = false;
    // The disk: what a sync returned for.
    log_image durable;
    /// What it held before it was damaged or wiped. Acks of that may still be on their way, and
    /// were true when they were given.
    log_image once_durable;
    replica::persistent meta;
    // The process.
    bool running = false;
    replica::incarnation incarnation;
    log_image memory; ///< its log as handed to the disk so far, synced or not
    /// Truncations that are handed to the disk and not synced yet: which index becomes the last.
    std::map<replica::batch_number, log_index> cuts_under_way;
    epoch epoch_at_start; ///< B.8: the newest of `meta` and the log
    log_index applied_at_start;
    epoch epoch_of_log; ///< of the last entry that its start found: B.8 begins with it
    log_index handed_to_base;
    /// What it told the primary of this epoch to have.
    replica::log_end acked;
    std::optional<epoch> office;
    bool damage_unrecorded = false;              ///< found at this start, not in a synced meta yet
    std::optional<replica::damage> noted_damage; ///< as its newest meta record says
    bool cut_announced = false; ///< it said that it cannot read what it has; good for one cut
    /// What was committed when it began without all of its log: of that it must have again
    /// whatever it had, before it may forget its damage.
    log_index owed_upto;
    replica::core_status status;
    bool seen = false; ///< `status` is of this process

    /// What is about to be lost was once there.
    void remember_durable();
};

/// `after` is less damage than `before`: less must be known of to vote, or a vote is allowed that
/// was not.
[[nodiscard]] bool is_less(const replica::damage& before, const replica::damage& after);

/// I1 to I11, I17, I18, I20, I25 and I26, and of I13 what the log alone shows, over all servers at
/// once. I12, I14 and the rest of I13 are the ledger's. The world tells it of every turn, sync,
/// start and end; nothing here costs more than what is new since the last.
///
/// Each finding names the invariant and shows the numbers that contradict it.
class god_view {
  public:
    explicit god_view(findings& found);

    /// A process begins with what storage found. `start.meta` was rewritten and synced, and so were
    /// the entries that the scan found.
    void started(const replica::start_state& start);

    /// It is killed, or ended by itself. Its disk stays what it is; what the disk still syncs of
    /// it afterwards is told as usual.
    void ended(server_id server);

    /// Another disk, with nothing on it: what is there from now on is another server (B.11).
    void disk_replaced(server_id server);

    /// Directly behind take_output, before any field is executed.
    void took(server_id server,
              const replica::output& out,
              const replica::core_status& status,
              const replica::cluster_config* config);

    /// The same with the status and config that the core has now.
    void took(server_id server, const replica::output& out, const replica::core& core);

    /// A sync returned, before the core hears of it.
    void meta_durable(server_id server, const replica::persistent& meta);
    void log_durable(server_id server, const replica::log_write& write);

    /// I9: what a server's state is when it holds exactly the entries up to `applied`, rows of the
    /// services, of sessions and of results alike. True if there was one to compare it with.
    bool state_digest(server_id server, log_index applied, std::uint64_t digest);

    /// I10: a result or a read's answer leaves for a client; it rests on entry `index`.
    void answered(server_id server, log_index index);

    [[nodiscard]] const committed_log& committed() const { return committed_; }
    [[nodiscard]] const server_record* find(server_id server) const;

  private:
    struct term {
        replica::promised primary;
        log_index checked_upto;               ///< compared with what was committed at that time
        std::vector<replica::log_point> tail; ///< the rest of its log when it took office
    };

    server_record& record(server_id server) { return servers_[server]; }

    void check_disk_kept(const replica::start_state& start, const log_image& scanned);
    void take_log(server_id server, const replica::output& out, const replica::core_status& status);
    void check_write(server_id server, const replica::log_write& write, bool in_office);
    void check_still_has_acked(server_id server,
                               const replica::log_write& write,
                               const replica::core_status& status);
    void take_meta(server_id server, const replica::persistent& meta);
    void check_damage(server_id server, const replica::persistent& next);
    void check_repaired(server_id server, epoch in);
    void take_notes(server_id server,
                    const replica::output& out,
                    const replica::core_status& status);
    void take_status(server_id server, const replica::core_status& status);
    void check_own_sync(server_id server, log_index durable_upto);
    void take_commit(server_id server, log_index commit);
    void extend_committed(server_id server, log_index commit);
    void check_later_terms(const known_entry& entry, epoch committed_in);
    void take_apply(server_id server, const std::vector<replica::entry_ptr>& entries);

    void take_offices(server_id server,
                      const replica::output& out,
                      const replica::core_status& before);
    void enter_office(server_id server, epoch of, const replica::core_status& before);
    void check_own_promise(server_id server, epoch of, const replica::core_status& before);
    void check_completeness(server_id server, epoch of);
    void check_role(server_id server);
    void check_confirmed(server_id server,
                         const replica::confirmation& confirmed,
                         const replica::core_status& before);
    void check_credit(server_id server);
    void check_credit_of(server_id server, const replica::peer_status& credited);

    void check_sent(server_id server, const replica::outgoing& sent);
    template <class Message>
    void check_content(server_id, const replica::outgoing&, const Message&) {}
    void check_content(server_id server,
                       const replica::outgoing& sent,
                       const replica::claim& claim);
    void check_content(server_id server,
                       const replica::outgoing& sent,
                       const replica::promise& promise);
    void check_content(server_id server,
                       const replica::outgoing& sent,
                       const replica::append_ack& ack);
    void check_content(server_id server,
                       const replica::outgoing& sent,
                       const replica::heartbeat_ack& ack);
    void check_content(server_id server,
                       const replica::outgoing& sent,
                       const replica::append& append);
    void check_content(server_id server,
                       const replica::outgoing& sent,
                       const replica::heartbeat& heartbeat);
    void check_content(server_id server,
                       const replica::outgoing& sent,
                       const replica::coordinator& said);
    void check_content(server_id server,
                       const replica::outgoing& sent,
                       const replica::log_chunk& chunk);
    void check_announced(server_id server, const replica::announcement& said);
    void check_ack(server_id server, replica::log_end match);
    void check_office_of(server_id server, server_id named, epoch of);

    findings& found_;
    known_entries known_;
    committed_log committed_;
    ballot_box ballots_;
    std::map<server_id, server_record> servers_;
    std::map<epoch, term> terms_;
    std::map<log_index, std::uint64_t> digests_;
    std::optional<replica::cluster_config> config_;
};

} // namespace almenara::sim::check
