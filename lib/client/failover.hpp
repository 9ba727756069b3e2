#pragma once

#include "base/ids.hpp"
#include "base/random.hpp"
#include "base/session_ids.hpp"
#include "base/time.hpp"
#include "client/beacon_ear.hpp"
#include "client/errands.hpp"
#include "client/exchange.hpp"
#include "client/failover_output.hpp"
#include "client/failure.hpp"
#include "client/in_order.hpp"
#include "client/messages.hpp"
#include "client/routes.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

namespace almenara::client {

/// C.1 and C.3 from the client's side: finds the primary and follows it, opens a session by a
/// nonce, and brings what is asked to its end: the same number at each attempt, until the answer or
/// the deadline. It knows no socket and no clock; what it wants is in its output, which is taken
/// after each event and when time has passed.
class failover {
  public:
    failover(failover_options options, instant now);

    // -- The application --

    /// `body` is a message of a service (services/body.hpp). Fail when too much is held already.
    [[nodiscard]] outcome<ticket> write(base::byte_vector body, instant deadline);
    [[nodiscard]] outcome<ticket> read(base::byte_vector body,
                                       wire::read_mode mode,
                                       instant deadline);
    [[nodiscard]] outcome<ticket> administer(wire::admin what, instant deadline);
    /// Ends when the primary knows who asks, and in which session if there is one.
    [[nodiscard]] outcome<ticket> log_in(instant deadline);
    /// C.1: ends when the session is no more; behind everything that was asked before.
    [[nodiscard]] outcome<ticket> close_session(instant deadline);

    /// C.3: nobody waits for it any more, and the client goes on. It ends now, uncertain if it may
    /// have happened, else cancelled; one that has ended stays as it ended.
    void cancel(ticket which);

    /// Says goodbye. What is open ends now: uncertain if it may have happened, else cancelled.
    void leave(instant now);

    [[nodiscard]] std::optional<session_id> session() const { return session_; }
    [[nodiscard]] epoch epoch_seen() const { return epoch_seen_; }
    /// The connection to the server that is believed to be primary, if there is one.
    [[nodiscard]] std::optional<link_id> followed() const {
        return chosen_ ? routes_.at(*chosen_).link : std::nullopt;
    }
    [[nodiscard]] const errands& open() const { return errands_; }
    /// What became of announcements (C.2).
    [[nodiscard]] const hint_counts& hints() const { return hint_counts_; }

    // -- What is kept between runs (failover_resume.cpp) --

    /// What an earlier run has kept of the cluster that was entered.
    void remember(recollection what);
    /// One more session of an earlier run, while there is none. What is left open in it is asked.
    void resume(kept_session what);
    void session_kept(std::optional<failure> trouble = {});
    void operation_kept(sequence which, std::optional<failure> trouble = {});
    void numbers_kept(sequence upto, std::optional<failure> trouble = {});

    // -- Connections --

    void connected(instant now, link_id link);
    void dial_failed(instant now, link_id link, failure why);
    void sign_of_life(instant now, link_id link);
    void heard(instant now, link_id link, from_server&& message);
    /// Its bytes make no sense.
    void broken(instant now, link_id link, std::string why);
    /// Not told of links that were closed here.
    void link_ended(instant now, link_id link, std::error_code why);
    /// C.2: it came from anybody.
    void datagram(instant now, base::byte_view bytes);

    [[nodiscard]] failover_output take_output(instant now);
    /// The same in exchange for one that is used up.
    void take_output(instant now, failover_output& into);
    /// Only what has come of events so far, without a look at what else is due. What is asked
    /// because of it goes out with the next take_output().
    void take_pending(failover_output& into);

  private:
    /// B.13: who is asked and says nothing for so long is as good as dead.
    static constexpr duration longest_silence = std::chrono::seconds{3};
    /// D.1: by then the servers suspect one another too, and may have a new primary.
    static constexpr duration silence_to_doubt = std::chrono::milliseconds{450};

    enum class question : std::uint8_t { whois, login, open_session, attach, stand_by, errand };
    struct asked {
        question what = question::whois;
        client::ticket ticket{};
    };
    /// A connection, or one that is being made.
    struct line {
        route_number route;
        std::optional<exchange> talk; ///< nothing while it is dialled
        server_id server{};
        log_index config{}; ///< what it said of the members, the last time
        std::vector<wire::member_address> members{};
        in_order<request_id, asked> questions;
        instant waiting_since{}; ///< for an answer to any of them; before that: dialled
        bool logged_in = false;
        bool attached = false;
        bool stands_by = false;  ///< C.3: a place is kept there
        bool moved = false;      ///< another server was at the end of the route before
        bool worn_out = false;   ///< no numbers are left for requests
        bool in_cluster = false; ///< it has said to which it belongs
    };
    /// C.2: an announcement that its server has yet to confirm.
    struct hint {
        server_id server;
        route_number route;
        almenara::epoch epoch;
    };
    /// That the newest epoch seen is one, as a server has said; no primary has served in it yet.
    struct claim {
        /// How far it has come. Each step has its time, and only once.
        enum class step : std::uint8_t { said, confirmed, let_in };

        route_number by;
        step reached = step::said;             ///< `confirmed`: by the one that is said to rule
        std::optional<instant> waited_since{}; ///< by somebody, for the next step
    };
    /// What a primary has shown by its answers, the last one that did.
    struct served {
        epoch at;
        log_index config;
        std::vector<wire::member_address> members;
    };

    [[nodiscard]] outcome<ticket> add(errand what);
    void finish(ticket which, answer how);
    [[nodiscard]] answer without_answer(const errand& what) const;
    void give_up(ticket which);
    void end_overdue(instant now);
    [[nodiscard]] static bool waiting_may_help(const failure& why);
    void end_hopeless();
    void end_barred(instant now);
    void end_all(const failure& why);
    [[nodiscard]] failure what_is_wrong() const;
    [[nodiscard]] std::string who_answers() const;
    void end_session(instant now, const std::string& why = "the session has expired");
    void fail_all(wire::result_code code, const std::string& why);

    void look_for_primary(instant now, duration pause = {});
    void follow(route_number way, source told_by);
    void follow(const wire::member_address& server, source told_by);
    void leave_for(const wire::member_address& primary,
                   epoch at,
                   source told_by,
                   const line& from,
                   instant now);
    [[nodiscard]] bool is_followed(const line& which) const { return chosen_ == which.route; }
    [[nodiscard]] std::optional<instant> doubted_at() const;
    [[nodiscard]] bool is_doubted(instant now) const;
    [[nodiscard]] bool is_wanted(route_number way, bool doubted) const;

    // failover_ways.cpp
    [[nodiscard]] bool may_use(source way) const;
    [[nodiscard]] bool asks_all() const { return may_use(source::members); }
    [[nodiscard]] bool may_be_found(route_number way) const;
    [[nodiscard]] std::optional<source> told_over(const line& from,
                                                  server_id named,
                                                  epoch at) const;
    [[nodiscard]] bool is_news(epoch at) const;
    bool hear_of(const wire::member_address& primary, epoch at, const line& from, instant now);
    void see(epoch at,
             std::optional<server_id> primary = std::nullopt,
             std::optional<route_number> by = std::nullopt);
    void advance_claim(claim::step to, instant now);
    void doubt_claim(instant now);
    void forget_claim(instant now);
    void believe_served(instant now);
    void turn_from_claim(instant now);
    [[nodiscard]] bool others_may_know_better() const;
    [[nodiscard]] bool tries_others() const;
    [[nodiscard]] bool looks_up_names() const;
    void try_next(instant now);
    [[nodiscard]] bool is_ready(const route& way, instant now) const;
    void leave_doubted(instant now);
    void look_up_anew(link_id link, instant now);
    void keep_standby(instant now);
    [[nodiscard]] std::optional<route_number> a_standby(instant now);
    [[nodiscard]] static bool owes_answer(const line& to);
    void stand_by(line& to, instant now);
    void stands_by(line& to);
    void lose_standby(instant now);
    void give_up_standby(instant now);
    [[nodiscard]] bool is_standby(const line& which) const { return standby_ == which.route; }

    // failover_beacon.cpp
    void judge(const wire::u_coord& what, instant now);
    void take_hint(const hint& what, instant now);
    void refute_hint(route_number way);
    void register_with_servers(instant now);
    [[nodiscard]] bool is_hinted(route_number way) const { return hint_ && hint_->route == way; }
    [[nodiscard]] bool is_one_hint_too_many(instant now);
    void learn(log_index config, const std::vector<wire::member_address>& members, instant now);

    [[nodiscard]] instant earliest_dial(route_number way, const route& to) const;
    void dial(route_number way, route& to, instant now);
    void lose(link_id link, instant now, failure why);
    void drop(link_id link);
    void close_others();
    void close_silent(instant now);
    [[nodiscard]] instant silent_from(const line& which) const;
    void give_up_on(link_id link, instant now);

    void speak(line& to, instant now, bool doubted);
    void ask_who_rules(line& to, instant now);
    void introduce(line& to, instant now);
    void ask_to_log_in(line& to, instant now, question what);
    void ask_to_attach(line& to, instant now, question what);
    void send_errands(line& to, instant now);
    void send(line& to, ticket number, errand& one, instant now);
    void check_service(const line& to, instant now);
    template <class Request>
    bool ask(line& to, instant now, asked what, Request request);
    [[nodiscard]] static bool is_asked(const line& to, question what);
    [[nodiscard]] bool needs_session() const;
    [[nodiscard]] bool must_attach() const;

    /// C.3: what is kept of the session between runs.
    struct keeping {
        kept_state session = kept_state::no;
        sequence numbers_upto; ///< may be used without another order
        bool numbers_asked = false;
        /// Of an earlier run, and not attached yet: no number from there on was used.
        std::optional<sequence> resting_at;
        /// Neither this run nor an earlier one has sent a number from there on.
        sequence unused_from{1};
    };
    /// What was last ordered to be kept of the cluster.
    struct noted {
        epoch seen;
        log_index config;
        std::size_t names = 0;
    };
    [[nodiscard]] bool admits(const wire::welcome& welcome, link_id link, instant now);
    void note_name(const route& way);
    void enter(cluster_id cluster, std::string by, instant now);
    void turn_away(link_id link, const wire::welcome& welcome, instant now);
    void use_hint(instant now);
    void greet_anew(instant now);
    void forget_routes(const std::vector<route>& gone, instant now);
    [[nodiscard]] bool waits_for_memory() const { return options_.keeps_state && !remembered_; }
    [[nodiscard]] bool waits_for_resumed(const line& to) const;
    [[nodiscard]] bool is_kept(errand& one);
    [[nodiscard]] bool has_numbers(sequence wanted);
    void keep_new_session();
    void note_end(const errand& what);
    void leave_resumed();
    void refuse_writes_from(sequence first, const failure& why);
    void refuse(ticket which, const failure& why);
    void note_cluster();
    [[nodiscard]] bool is_older_than(const wire::attached& told) const;

    void drain(link_id link, instant now);
    void drain_all(instant now);
    [[nodiscard]] line* find(link_id link);

    /// Who answers what, and when.
    struct answering {
        link_id link;
        asked to;
        instant now;
    };
    void on_event(opened&& what, link_id link, instant now);
    void on_event(answered&& what, link_id link, instant now);
    void on_event(failed&& what, link_id link, instant now);
    void on_event(told&& what, link_id link, instant now);
    void on_event(ended&& what, link_id link, instant now);
    [[nodiscard]] std::optional<asked> answered_question(link_id link, request_id request);
    void hear(wire::primary_is&& told, const answering& from);
    void hear(wire::redirect&& told, const answering& from);
    void hear(wire::login_ok&& told, const answering& from);
    void hear(wire::attached&& told, const answering& from);
    void hear(wire::operation_result&& told, const answering& from);
    void hear(wire::read_result&& told, const answering& from);
    void hear(wire::session_closed&& told, const answering& from);
    void hear(wire::admin_result&& told, const answering& from);
    /// What nobody here asks for.
    void hear(wire::pong&&, const answering&) {}
    void hear(wire::status_reply&&, const answering&) {}
    void refused(const failure& why, const answering& from);
    void refused_errand(const failure& why, const answering& from);
    [[nodiscard]] bool serves_as_of(epoch its_own, const answering& from);
    void rules(epoch its_own, const answering& from);
    [[nodiscard]] bool is_one_redirect_too_many(instant now);

    [[nodiscard]] instant next_wake(instant now) const;
    [[nodiscard]] duration a_pause();
    [[nodiscard]] duration pause_after(std::chrono::milliseconds asked_for);

    failover_options options_;
    base::generator random_;
    routes routes_;
    errands errands_;
    std::map<link_id, line> lines_;
    link_id last_link_;

    std::optional<route_number> chosen_; ///< believed to be primary; none: looking for it
    source told_by_ = source::members;
    bool guessing_ = false;                   ///< ... only tried, and may send this client on
    bool serving_ = false;                    ///< the chosen one takes what is asked
    std::optional<instant> lost_at_;          ///< when the last one that served was lost
    std::vector<instant> redirects_;          ///< C.3: of the last second
    std::optional<route_number> served_last_; ///< nothing: no primary has served yet
    std::optional<route_number> tried_last_;
    std::optional<route_number> standby_;
    instant standby_at_{};           ///< no other one is taken before
    bool found_somebody_ = false;    ///< a server let this client in, or may do so yet
    std::optional<failure> trouble_; ///< the newest reason why nobody serves
    bool login_refused_ = false;
    bool left_ = false;

    open_nonce nonce_;
    std::optional<session_id> session_;
    std::uint32_t window_ = 0;
    bool wants_session_ = false;
    epoch epoch_seen_;               ///< said by any server, or served in
    std::optional<server_id> ruler_; ///< of that epoch, if it was said
    served last_served_;
    std::optional<claim> claim_;
    std::set<route_number> misled_; ///< whose claim came to nothing, since somebody served
    log_index last_seen_;

    beacon_ear ear_;
    std::optional<hint> hint_;
    std::vector<instant> hinted_; ///< C.2: of the last second
    hint_counts hint_counts_;
    std::optional<cluster_id> cluster_; ///< of the first server that was admitted
    std::string entered_by_;            ///< its address
    std::vector<std::string> names_;    ///< of those that were named, whoever belongs to it
    instant hint_at_;                   ///< then the hint is followed
    bool hint_used_ = false;
    bool remembered_ = false;
    device_nonce device_;
    std::optional<failure> unkept_; ///< why nothing can be kept
    keeping keeping_;
    noted noted_;

    failover_output out_;
    exchange_output drained_; ///< used up; its memory serves the next one
};

} // namespace almenara::client
