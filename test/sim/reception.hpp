#pragma once

#include "base/ids.hpp"
#include "replica/core.hpp"
#include "replica/gate.hpp"
#include "services/kv/service.hpp"
#include "sim/check/session_watch.hpp"
#include "sim/client_link.hpp"
#include "sim/dice.hpp"
#include "sim/scene.hpp"
#include "state/desk.hpp"
#include "state/memory_key_space.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace almenara::sim {

/// What a server believes of the world when a request arrives.
struct standing {
    server_id self;
    almenara::epoch epoch;
    std::optional<server_id> primary; ///< the one it knows, itself included
    log_index commit;
};

/// The side of a server that faces clients: what they ask goes to the desk and, if it becomes an
/// entry, on to the core; what the core says becomes answers. One per process.
class reception {
  public:
    /// `rests_on`: the newest entry that the answer shows; `session`: of a result.
    struct leaving {
        connection_id connection;
        server_answer answer;
        log_index rests_on;
        state::session_id session;
    };

    reception(state::memory_key_space base, dice luck, scene& around);

    void request(replica::core& core,
                 const replica::moment& now,
                 const standing& here,
                 connection_id connection,
                 const client_request& what);
    void connection_ended(connection_id connection);
    /// C.1: what nobody uses any more expires.
    void sweep(replica::core& core, const replica::moment& now, const standing& here);

    // -- What the core's output says, in its order --
    [[nodiscard]] std::optional<state::unusable_entry> committed(const replica::entry& entry);
    void apply_to_base(log_index upto);
    void confirmed(const standing& here, const replica::confirmation& what);
    /// Not `may_propose`: the office changes in the same output, and what the desk and the core
    /// say of it differs until then.
    void readable(replica::core& core,
                  const replica::moment& now,
                  const standing& here,
                  replica::read_ticket ticket,
                  bool may_propose);
    [[nodiscard]] std::optional<state::unusable_entry> entered_office(
        const replica::core& core, const replica::entered_office& what);
    void left_office(const standing& here);
    void announced(const standing& here);

    /// WHOIS that were held long enough.
    void release_held(instant now, const standing& here);
    [[nodiscard]] std::optional<instant> next_release() const;

    [[nodiscard]] bool in_office() const { return desk_.in_office(); }
    [[nodiscard]] log_index last_proposed() const { return last_proposed_; }
    [[nodiscard]] const state::memory_key_space& base() const { return base_; }

    /// What is to be sent and closed since the last time.
    [[nodiscard]] std::vector<leaving> take_answers() { return std::exchange(answers_, {}); }
    [[nodiscard]] std::vector<connection_id> take_closing() { return std::exchange(closing_, {}); }

  private:
    /// A probe round runs for it.
    struct waiting_read {
        connection_id connection;
        request_id request;
        base::byte_vector body;
    };
    struct waiting_refusal {
        connection_id connection;
        request_id request;
        state::session_id session;
        std::optional<state::sequence> seq;
    };
    /// It claims to have seen a higher epoch (B.5.1).
    struct waiting_claim {
        connection_id connection;
        client_request request;
    };
    using waiting = std::variant<waiting_read, waiting_refusal, waiting_claim>;

    struct held_whois {
        instant until;
        connection_id connection;
        request_id request;
    };

    struct asking {
        replica::core& core;
        const replica::moment& now;
        const standing& here;
        connection_id connection;
        request_id request;
    };

    void serve(const asking& who, const client_request& what);
    void serve(const asking& who, const ask_session& what);
    void serve(const asking& who, const ask_attach& what);
    void serve(const asking& who, const ask_operation& what);
    void serve(const asking& who, const ask_read& what);
    void serve(const asking& who, const ask_whois& what);
    void settle(const asking& who,
                state::decision&& what,
                state::session_id session,
                state::sequence seq);
    void watch_expiry(const standing& here, const state::proposed& what);
    void propose(const asking& who, state::proposed&& what);
    void probe(const asking& who, waiting what);
    void redirect(const asking& who);
    void deliver(const standing& here,
                 const state::delivery& what,
                 const replica::confirmation* confirmed);
    void say(connection_id connection, request_id request, decltype(server_answer::what) what);
    [[nodiscard]] std::optional<state::turn> next_turn(const asking& who);

    services::kv::service kv_;
    state::memory_key_space base_;
    state::desk desk_;
    dice luck_;
    coverage& seen_;
    check::session_watch uses_;
    log_index last_proposed_;
    std::optional<replica::confirmation> newest_; ///< of this term of office: what a repeat carries
    replica::read_ticket last_ticket_;
    std::map<replica::read_ticket, waiting> waiting_;
    std::vector<held_whois> held_;
    std::vector<leaving> answers_;
    std::vector<connection_id> closing_;
};

} // namespace almenara::sim
