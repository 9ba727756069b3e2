#pragma once

#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "server/attendance.hpp"
#include "server/client_requests.hpp"
#include "server/cold_queue.hpp"
#include "server/replication.hpp"
#include "server/waiting_room.hpp"
#include "state/desk.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace almenara::server {

/// How long and how many requests are kept without an answer (B.10, B.13, C.3).
struct reception_limits {
    duration whois_hold = std::chrono::seconds{1};
    duration handover_hold = std::chrono::milliseconds{200};
    duration catch_up_hold = std::chrono::seconds{1};
    duration office_hold = std::chrono::seconds{1};
    duration news_hold = std::chrono::milliseconds{100};
    duration rows_hold = std::chrono::seconds{5}; ///< for rows that are not in memory
    /// Of requests that waited and can go on; the others in the next turn.
    std::size_t served_at_once = 64;
    log_share looked_at_once{}; ///< by who enters office
    /// For who is sent away and would be told to come here again.
    std::chrono::milliseconds pause_before_back{100};
    waiting_room::bounds held{};
    waiting_room::bounds probing{.requests = 1U << 16U, .bytes = 64U << 20U};
    duration sweep_every = std::chrono::seconds{1};
    cold_queue::bounds cold{};
};

/// The side of a server that faces clients: what they ask goes to the desk and, if it becomes an
/// entry, on to the log; what the core says becomes answers. It knows no socket and no core: the
/// daemon's driver and the simulator's server both stand between. One per process.
class reception {
  public:
    /// All outlive it.
    reception(state::key_space& base,
              const state::service& services,
              const state::limits& bounds,
              replication& log,
              const reception_limits& limits = {});

    /// C.2: whoever logs in with a device gets what a beacon is known by, and take_attendance() is
    /// called each turn. Without it nobody does, and it need not be.
    void announces_with(const base::key256& key) { announce_key_ = key; }

    // -- Between outputs: these propose --

    void request(connection_id connection, client_request what);
    void connection_ended(connection_id connection);
    /// Once per turn, behind the requests: what was held and can be served now, or was held long
    /// enough; sessions that nobody uses (C.1).
    void tick();
    /// C.1: what nobody uses any more expires. tick() does it now and then.
    void sweep() { sweep({}); }

    /// What replication::fetch() asked for, at any time. Who waited for it is served by tick().
    void fetched(fetch_ticket ticket, state::inputs rows);

    // -- What the core's output says, in its order: these never propose --

    /// B.8: behind an entry that cannot be applied nothing is answered any more, for something is
    /// missing in the state: who asks or waits is sent elsewhere.
    [[nodiscard]] std::optional<state::unusable_entry> committed(const state::log_record& entry);
    void confirmed(const confirmation& what);
    void readable(probe_ticket ticket);
    /// There is no room for another probe.
    void refused_read(probe_ticket ticket);
    /// The own log behind beyond_base() must be looked at first. A share of it is, and if that is
    /// all, this server is in office; else is_entering() says that enter_further() is wanted.
    [[nodiscard]] std::optional<state::unusable_entry> entered_office(log_index first_uncommitted);
    /// Another share, once per turn, when everything that the core's output says was said here.
    [[nodiscard]] std::optional<state::unusable_entry> enter_further();
    void left_office();
    /// Who is primary is known now, and replication::here() says it. Behind the change of office.
    void announced();

    // -- What comes of it --

    /// When tick() is due, at the latest; in the past: now.
    [[nodiscard]] std::optional<instant> wake() const;
    [[nodiscard]] bool has_news() const { return !answers_.empty() || !closing_.empty(); }
    /// What leaves, and who is to be closed behind that, since the last time.
    /// They replace what is in `into`, whose room is used again.
    void take_answers(std::vector<leaving>& into) {
        into.clear();
        into.swap(answers_);
    }
    [[nodiscard]] std::vector<connection_id> take_closing() { return std::exchange(closing_, {}); }

    /// Of the office of now, since the last time: which devices are attached here for service.
    [[nodiscard]] std::vector<attendance::change> take_attendance() {
        return attendance_.take_changes();
    }

    [[nodiscard]] bool in_office() const { return desk_.in_office(); }
    [[nodiscard]] bool is_entering() const { return entering_.has_value(); }
    [[nodiscard]] log_index beyond_base() const { return desk_.log_beyond_base().last(); }
    [[nodiscard]] state::desk& desk() { return desk_; }
    [[nodiscard]] const cold_queue& waiting_for_rows() const { return cold_; }

  private:
    /// A probe round runs for it.
    struct probing {
        enum class purpose : std::uint8_t {
            read,
            refusal, ///< B.5.2: the committed state says why not
            claim,   ///< B.5.1: it says that it has seen a higher epoch
        };
        connection_id connection;
        client_request request;
        purpose why = purpose::read;
    };

    void serve(connection_id from, client_request&& what, progress&& so_far = {});
    void serve(connection_id from, wire::login&& what, progress&& so_far);
    void serve(connection_id from, wire::attach&& what, progress&& so_far);
    void serve(connection_id from, wire::session_close&& what, progress&& so_far);
    void serve(connection_id from, wire::operation&& what, progress&& so_far);
    void serve(connection_id from, wire::read&& what, progress&& so_far);
    void serve(connection_id from, wire::whois&& what, progress&& so_far);
    void serve_stale(connection_id from, wire::read&& what, progress&& so_far);
    /// Of the committed state, as it is now.
    void answer_read(connection_id from,
                     wire::read&& what,
                     std::optional<std::chrono::milliseconds> age,
                     progress&& so_far);
    void sweep(progress&& so_far);

    [[nodiscard]] std::optional<wire::beacon_pass> pass_for(const device_id& device) const;

    /// Nothing: none is accepted now.
    [[nodiscard]] std::optional<state::turn> next_turn();
    void settle(connection_id from,
                client_request&& what,
                state::decision&& decided,
                progress&& so_far);
    /// Until its rows are there, or its turn in its session has come.
    void wait_for_rows(attempt&& who, state::needs_inputs&& missing);
    void wait_in_line(connection_id from, client_request&& what);
    [[nodiscard]] instant rows_by(const client_request& what) const;
    void go_on_with_some();
    void go_on(attempt&& who);
    void ask_for_rows();
    void give_up_waiting();
    void serve_in_order(connection_id from, client_request&& what);
    /// Behind earlier ones of its connection or session, for what they wait for.
    void hold_behind(connection_id from, client_request&& what, held_for reason);
    /// For nobody knows whether it is a repeat, unless it is said here.
    void no_room(connection_id from, const client_request& what, bool is_new = false);
    void probe(probing&& what);
    void explain(connection_id from, client_request&& what, progress&& so_far = {});
    /// B.10: as long as nobody knows who rules next.
    void hold_for_slot(connection_id from, client_request&& what);
    /// Not in office: to whoever is, or held if this server is about to be, or may have missed who
    /// is.
    void not_here(connection_id from, client_request&& what);
    void redirect(connection_id from, request_id request);
    void release(held_request&& what);
    void deliver(const state::delivery& what);
    /// What left no entry.
    void turn_away(connection_id from, const client_request& what, state::reply why);
    void say(connection_id to, client_answer&& what);
    void note(sighting::kind what, connection_id connection, session_id session = {});

    replication& log_;
    state::limits bounds_;
    reception_limits limits_;
    state::desk desk_;
    std::optional<log_index> entering_;  ///< the first uncommitted entry, as the core said
    std::optional<confirmation> newest_; ///< of this term of office: what a repeat carries
    probe_ticket last_ticket_;
    std::map<probe_ticket, probing> probing_;
    std::size_t probing_bytes_ = 0;
    waiting_room held_;
    cold_queue cold_;
    bool sweep_waits_ = false; ///< for rows
    bool is_over_ = false;     ///< an entry could not be applied
    /// What a login is answered when its session is open.
    std::map<std::pair<connection_id, request_id>, wire::login_ok> logins_;
    std::optional<base::key256> announce_key_;
    attendance attendance_;
    log_index caught_up_upto_; ///< for whom that is enough was looked at
    instant next_sweep_;
    std::vector<leaving> answers_;
    std::vector<connection_id> closing_;
};

} // namespace almenara::server
