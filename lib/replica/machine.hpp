#pragma once

#include "base/random.hpp"
#include "replica/ballot.hpp"
#include "replica/core.hpp"
#include "replica/gate.hpp"
#include "replica/links.hpp"
#include "replica/log_view.hpp"
#include "replica/log_writer.hpp"
#include "replica/outbox.hpp"
#include "replica/roles.hpp"
#include "replica/settings.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace almenara::replica {

/// What is behind the gate. One object, one thread of thought per source file:
///
///     core.cpp         what a driver may ask, and the class in front of this one
///     machine.cpp      events to handlers, output, deadlines
///     standing.cpp     what everybody asks, and how a message leaves
///     links.cpp        connections, HELLO, link sessions, CLOSED           B.2
///     roles.cpp        who is what: the become_ functions, E0              B.1, B.3
///     election.cpp     asking whether to run, answering those who ask      B.6
///     claims.cpp       CLAIM and PROMISE, taking and leaving office        B.6
///     pull.cpp         adopting the best log before a claim                E6
///     primary.cpp      proposals, acks, commit, confirm, heartbeats        B.5
///     backup.cpp       APPEND and what follows from it                     B.5
///     catch_up.cpp     what goes to a peer that lacks entries              B.8
///     reads.cpp        probe rounds                                        B.9
///     handover.cpp     a planned change of primary                         B.10
///     damage.cpp       a log that cannot all be read                       B.5, B.8
///     bootstrap.cpp    the first start of a list                           B.12.3
class machine {
  public:
    machine(start_state start, settings chosen, moment now);

    void step(moment now, event what);
    [[nodiscard]] output take_output(moment now, bool cut);
    [[nodiscard]] std::optional<slot> next_slot(moment now) const;
    [[nodiscard]] std::vector<entry_ptr> entries_from(log_index first,
                                                      const entry_bounds& most) const;
    [[nodiscard]] log_index confirmed_upto() const;
    [[nodiscard]] core_status status() const;
    [[nodiscard]] log_index commit() const { return commit_; }
    [[nodiscard]] const cluster_config* config() const { return log_.config(); }
    [[nodiscard]] std::optional<log_point> position(log_index i) const { return log_.at(i); }

  private:
    /// A frame and what is known about whom it came from.
    struct sender {
        server_id id;
        connection_id connection;
        almenara::epoch epoch; ///< of the frame's header
        hlc_stamp hlc;
    };

    // machine.cpp
    void on(const tick& t);
    void on(frame_received& f);
    void on(const log_synced& e);
    void on(const meta_synced& e);
    void on(const applied& e);
    void on(const recycled& e);
    void on(const disk_report& e);
    void on(log_read& e);
    void on(proposal& p);
    void on(const go& e);
    void on(const terminate& e);
    [[nodiscard]] bool implausible(almenara::epoch e) const;
    [[nodiscard]] bool incredible(almenara::epoch e) const;
    [[nodiscard]] bool leaps(almenara::epoch e, std::uint64_t most) const;
    void on_control(const sender& from, message& m);
    void on_member(const sender& from, message& m);
    void on_bulk(const sender& from, message& m);
    void write_log(bool cut);
    void hand_out_committed();
    [[nodiscard]] log_index may_hand_out() const;
    [[nodiscard]] instant next_deadline() const;
    [[nodiscard]] instant role_deadline() const;
    void note_that(note_kind kind, std::string text);
    void die(ending how, std::string text);

    // standing.cpp
    [[nodiscard]] bool is_primary() const { return std::holds_alternative<primary>(role_); }
    [[nodiscard]] bool is_boot() const { return std::holds_alternative<boot>(role_); }
    [[nodiscard]] role_name role_of() const;
    [[nodiscard]] almenara::epoch epoch() const { return ballot_.word().epoch; }
    [[nodiscard]] bool voter(server_id id) const;
    [[nodiscard]] std::size_t voter_count() const;
    [[nodiscard]] std::size_t quorum() const;
    [[nodiscard]] std::uint8_t eligible() const;
    [[nodiscard]] std::uint8_t reach() const;
    [[nodiscard]] bool may_run() const;
    [[nodiscard]] rank own_rank() const;
    [[nodiscard]] log_end own_end() const;
    [[nodiscard]] bool damaged() const;
    [[nodiscard]] bool abstains() const;
    [[nodiscard]] bool no_space() const { return has_little_room_; }
    [[nodiscard]] bool may_grow() const;
    [[nodiscard]] bool live_primary() const;
    [[nodiscard]] bool live_quorum() const;
    [[nodiscard]] instant quorum_deadline() const;
    [[nodiscard]] std::uint32_t disk_lag_ms() const;
    [[nodiscard]] duration random_between(duration least, duration most);

    // Sending: epoch and sync are decided by which of these is called.
    void send_now(server_id to, message m);
    void send_reply(server_id to, message m);
    void send_when(server_id to, message m, until when);
    void send_office(server_id to, const message_ptr& m);
    void send_on(connection_id c, server_id to, almenara::epoch e, message_ptr m, until when);
    void to_other_voters(const message& m);

    // links.cpp
    void on(const connection_opened& e);
    void on(const connection_closed& e);
    void on(const dial_failed& e);
    void on_hello(connection_id id, const hello& h);
    void on_hello_ok(connection_id id, hello_ok& h);
    void on_reject(connection_id id, const link_reject& r);
    [[nodiscard]] std::optional<link_reject> refuse(const greeting& g) const;
    [[nodiscard]] std::optional<link_reject> refuse_stranger(const greeting& g) const;
    [[nodiscard]] std::optional<link_reject> refuse_secret(const greeting& g) const;
    [[nodiscard]] std::optional<link_reject> refuse_founding(const greeting& g) const;
    [[nodiscard]] link_reject other_options(const greeting& g) const;
    [[nodiscard]] bool known_to_config(const greeting& g) const;
    void replace_bulk(link& l);
    void accept_bulk(connection_id id, const greeting& g);
    void establish(connection_id id, const greeting& g, link_session session);
    void replace_control(link& l, bool restarted);
    void close_silent();
    [[nodiscard]] bool loses_to_current(const link& l, connection_id id) const;
    void link_up(server_id peer);
    void link_down(server_id peer, bool closed);
    void close_connection(connection_id id);
    void drop_bulk(link& l);
    void dial_due();
    void dial_later(dialling& d, bool failed);
    [[nodiscard]] greeting own_greeting(connection_kind kind, link_session session) const;
    void pass_on_go(server_id peer);
    [[nodiscard]] bool somebody_waits() const;
    [[nodiscard]] std::vector<server_id> known_peers() const;
    [[nodiscard]] instant links_deadline() const;
    void ping_due();

    // roles.cpp
    void become_backup(instant election_at, election_reason reason);
    void become_prospect(election_reason reason);
    void become_candidate(almenara::epoch claim_epoch, std::optional<permit> with);
    [[nodiscard]] primary new_office() const;
    void become_primary();
    void leave_office(resign_reason why, std::optional<server_id> successor);
    void adopt_epoch(almenara::epoch e, std::optional<promised> to);
    [[nodiscard]] bool accept_primary(const sender& from, bool can_be_answered);
    void primary_known(server_id id);
    void forget_primary();
    void step_down(resign_reason why, almenara::epoch seen);

    // election.cpp
    void suspect(election_reason why);
    void start_round();
    void note_round(std::string text);
    void round_due();
    void decide();
    [[nodiscard]] bool all_connected_answered() const;
    [[nodiscard]] std::optional<server_id> whom_to_defer_to() const;
    [[nodiscard]] std::size_t grants() const;
    [[nodiscard]] const answer* refusal() const;
    void refused_by(const answer& a);
    void back_off();
    void on_election(const sender& from, const election& m);
    void answer_election(server_id to, const election& m);
    void send_answer(server_id to, const election& m, answer_kind kind);
    void take_back_refusals();
    void on_answer(const sender& from, const answer& m);
    void backup_due();
    void whois_due();

    // claims.cpp
    void claim_now(std::optional<permit> with);
    void send_claim();
    void check_office();
    void candidate_due();
    void claim_failed(bool timed_out);
    void on_claim(const sender& from, const claim& m);
    void answer_claim(const sender& from, const claim& m);
    [[nodiscard]] bool permit_valid(const sender& from, const claim& m) const;
    [[nodiscard]] denial judge_claim(const sender& from, const claim& m) const;
    void grant_promise(const sender& from, const promised& to, bool repeated);
    void deny_promise(const sender& from, denial why);
    void on_promise(const sender& from, const promise& m);
    void answer_held_claims();

    // pull.cpp
    [[nodiscard]] bool start_pull();
    void send_fetch();
    void end_pull(const std::string& why, bool bad_source);
    void on_fetch(const sender& from, const fetch& m);
    void answer_fetches();
    void look_up(const sender& from, const fetch& m);
    void answer_fetch(server_id to, const fetch& m, std::vector<entry_ptr> entries, bool hole);
    void on_pull_chunk(const sender& from, log_chunk& m);
    [[nodiscard]] bool pull_may_use(const sender& from, const log_chunk& m) const;
    void pull_failed(const std::string& why);
    void pull_from_before(log_index hint);
    [[nodiscard]] bool take_pulled(log_chunk& m);
    void pull_complete();
    void pull_synced();

    // primary.cpp
    void append_own(entry_type type, const proposal& p);
    void on_ack(const sender& from, log_index match, probe_number probe, std::uint32_t disk_lag_ms);
    void on(const sender& from, const heartbeat_ack& m);
    void on_nack(const sender& from, const append_nack& m);
    void out_of_reach(server_id peer, progress& p);
    void leave_to_who_reaches(const progress& lost);
    void own_log_synced();
    void advance_commit();
    void advance_confirmed();
    [[nodiscard]] log_index own_match() const;
    [[nodiscard]] log_index majority_match() const;
    void observe_sync_set();
    void primary_due(const tick& t);
    void leave_a_bad_disk();
    void heartbeat_due();
    [[nodiscard]] message_ptr build_heartbeat() const;
    [[nodiscard]] log_index floor() const;
    [[nodiscard]] bool fit(server_id id, const progress& p) const;
    void reset_progress(server_id peer);
    void probe_from(progress& p, log_index next);

    // catch_up.cpp
    void send_entries();
    void send_entries_to(server_id peer, progress& p, std::map<log_index, message_ptr>& built);
    [[nodiscard]] bool window_open(const progress& p) const;
    [[nodiscard]] std::size_t most_at_once() const;
    [[nodiscard]] log_index cut_upto() const;
    void send_append(server_id peer, progress& p, std::map<log_index, message_ptr>& built);
    [[nodiscard]] message_ptr build_append(log_index from, bool verified) const;
    void sent(progress& p, progress::flight what);
    void send_chunks(server_id peer, progress& p);
    void send_chunk(server_id peer, progress& p, const std::vector<entry_ptr>& entries);
    void on_catch_up_read(server_id peer, progress& p, log_read& r);
    [[nodiscard]] std::uint64_t request_read(read_purpose why, log_index from, log_index to);

    // backup.cpp
    void on_append(const sender& from, append& m);
    void on_catch_up_chunk(const sender& from, log_chunk& m);
    struct taken {
        bool ok = false;
        log_index match;
    };
    [[nodiscard]] taken take_entries(const sender& from,
                                     const log_point& previous,
                                     std::vector<entry>& entries,
                                     bool verified);
    [[nodiscard]] bool refuse_previous(const sender& from, const log_point& previous);
    [[nodiscard]] bool make_room(const entry& e);
    void on_heartbeat(const sender& from, const heartbeat& m);
    void primary_commit(log_index commit, almenara::epoch commit_epoch);
    void see_if_caught_up();
    void append_taken(entry_ptr e);
    void set_commit(log_index commit);
    void acknowledge(server_id to, log_index match, probe_number probe);

    // reads.cpp
    void on(const read_request& r);
    void ask_for_client(almenara::epoch seen);
    void send_probe();
    void answer_reads();
    [[nodiscard]] probe_number majority_probe() const;

    // handover.cpp
    void on(const transfer& t);
    void start_handover(resign_reason why, std::optional<server_id> wanted);
    void handover_due();
    void ask_successor(server_id target);
    [[nodiscard]] bool can_succeed(server_id id, const progress& p) const;
    [[nodiscard]] std::optional<server_id> best_successor(resign_reason why) const;
    [[nodiscard]] bool has_better_disk(resign_reason why, const progress& p) const;
    void give_up_handover();
    void on_handover(const sender& from, const handover& m);
    void end_if_done();
    [[nodiscard]] bool others_could_rule() const;
    [[nodiscard]] instant handover_deadline() const;

    // damage.cpp
    void on(const state_damaged& e);
    void find_damaged(log_index from, std::optional<log_end> end, const std::string& why);
    void corrupt_found(const sender& from, const entry& e, bool verified);
    void corrupt_came(const sender& from, const entry& e);
    void on_corrupt(const sender& from, const append_nack& m);
    void on_corrupt_read(server_id who, log_index index, log_read& r);
    void repaired_if_caught_up();
    void cut_damaged_log();
    void cut_behind(log_index keep);
    void cut_synced(batch_number batch);
    [[nodiscard]] bool cut_pending() const { return cut_after_meta_ || cut_batch_; }
    void forget_verified();

    // bootstrap.cpp
    void boot_due();
    [[nodiscard]] std::optional<cluster_config> list_in_view() const;
    void lead_init();
    void go_if_all_have_it();
    void on_init(const sender& from, const init& m);
    void on_init_ack(const sender& from, const init_ack& m);
    void on_init_go(const sender& from, const init_go& m);
    void take_first_entry(const entry& first);
    void refuse_first_entry(const entry& first, std::string why);
    [[nodiscard]] bool held_by_other_options();
    [[nodiscard]] std::optional<entry> own_first_entry() const;
    void offer_first_entry(server_id to);
    void leave_boot(bool at_once);

    // -- What this server is -------------------------------------------------------------------
    server_id self_;
    data_uuid uuid_;
    replica::incarnation incarnation_;
    std::vector<std::string> addresses_;
    std::uint16_t own_priority_;
    std::vector<server_id> listed_;
    confirm_policy listed_confirm_;
    std::vector<std::string> options_;
    std::optional<base::key256> secret_;
    bool waits_ = false;    ///< for GO
    bool released_ = false; ///< GO was said here: who comes later hears of it
    settings settings_;
    base::generator random_;

    // -- What it holds -------------------------------------------------------------------------
    moment now_;
    log_view log_;
    log_writer writer_;
    ballot ballot_;
    outbox outbox_;
    log_index commit_;
    log_index handed_out_; ///< given to `apply`
    log_index applied_;
    std::map<connection_id, connection> connections_;
    std::map<server_id, link> links_;
    std::uint64_t link_counter_ = 0;
    replica::role role_;

    // -- The primary as seen from here ---------------------------------------------------------
    std::optional<server_id> known_primary_;
    instant primary_heard_;
    bool rearmed_ = false; ///< since then: silence was excused once (D.3)
    /// Whose frames were taken in this epoch: there is at most one primary in it (I1).
    std::optional<std::pair<almenara::epoch, server_id>> primary_of_epoch_;
    log_index verified_; ///< matches the primary's log, in its epoch and this link session
    std::pair<almenara::epoch, link_session> verified_in_;
    log_index named_commit_; ///< by it, in its own epoch
    log_index named_floor_;  ///< by it, as it said last
    bool caught_up_ = false; ///< since verified_in_ began
    bool unclean_;
    bool has_little_room_ = false; ///< as the last disk_report told

    // -- Elections, over all roles: there is one object per server (redpanda#21345) -------------
    replica::generation generation_;
    unsigned attempts_ = 0;
    std::uint64_t rounds_ = 0; ///< since there was a primary
    std::array<server_id, 2> deferred_to_{};
    std::map<server_id, unsigned> bad_sources_; ///< rounds without a pull from it
    almenara::epoch remembered_;                ///< the highest seen anywhere, not persisted
    duration refuse_pause_;
    duration promise_wait_;
    std::optional<instant> promised_at_;
    std::optional<claimed> claimed_;
    std::map<server_id, std::pair<sender, claim>> held_claims_; ///< while `meta` is synced
    struct refused_election {
        election asked;
        instant at;
    };
    std::map<server_id, refused_election> refusals_;
    instant whois_at_;
    instant ask_for_client_at_; ///< not before

    // -- Requests that are out -----------------------------------------------------------------
    std::uint64_t request_ = 0;
    std::map<std::uint64_t, server_id> catch_up_reads_;
    std::map<std::uint64_t, std::pair<server_id, fetch>> fetch_reads_; ///< one per peer
    std::map<server_id, std::pair<sender, fetch>> next_fetch_;         ///< not looked up yet

    // -- Ends ----------------------------------------------------------------------------------
    bool terminating_ = false;
    std::optional<instant> end_by_;
    bool force_cut_ = false; ///< EPOCH_START and CONFIG do not wait for the driver's batch
    std::optional<log_index> cut_after_meta_; ///< what is kept; damage found while running
    std::optional<batch_number> cut_batch_;   ///< that cut, on its way to the disk

    output out_; ///< what piles up until take_output
};

} // namespace almenara::replica
