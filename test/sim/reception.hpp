#pragma once

#include "base/ids.hpp"
#include "replica/core.hpp"
#include "replica/gate.hpp"
#include "server/reception.hpp"
#include "services/kv/service.hpp"
#include "sim/check/session_watch.hpp"
#include "sim/dice.hpp"
#include "sim/scene.hpp"
#include "state/memory_key_space.hpp"
#include "support/cold_key_space.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace almenara::sim {

using almenara::server::leaving;
using almenara::server::standing;

/// The server's own reception between the simulated network and a core, and what the checks see of
/// it. One per process.
class reception final : private almenara::server::replication {
  public:
    reception(replica::core& core, state::memory_key_space base, dice luck, scene& around);

    /// What is so from now on, until it is said again: before any of the others is called.
    void look(const replica::moment& now, standing&& here);

    // -- Between outputs --
    void request(connection_id connection, client_request what);
    void connection_ended(connection_id connection);
    /// Whether the core or a client has something to hear of it.
    [[nodiscard]] bool tick();
    /// C.1: what nobody uses any more expires.
    void sweep() { hall_.sweep(); }

    // -- Rows that are not in memory, by their number: some process asked for them --
    void read_rows(std::uint64_t number);
    /// Whether it was this one.
    [[nodiscard]] bool tell_rows(std::uint64_t number);

    // -- What the core's output says, in its order --
    [[nodiscard]] std::optional<state::unusable_entry> committed(const replica::entry& entry);
    void apply_to_base(log_index upto) { hall_.desk().apply_to_base(upto); }
    void confirmed(const replica::confirmation& what);
    void readable(replica::read_ticket ticket);
    void refused_read(replica::read_ticket ticket);
    [[nodiscard]] std::optional<state::unusable_entry> entered_office(
        const replica::entered_office& what);
    [[nodiscard]] std::optional<state::unusable_entry> enter_further();
    void left_office();
    void announced() { hall_.announced(); }

    [[nodiscard]] std::optional<instant> wake() const { return hall_.wake(); }
    [[nodiscard]] bool in_office() const { return hall_.in_office(); }
    [[nodiscard]] bool is_entering() const { return hall_.is_entering(); }
    [[nodiscard]] log_index last_proposed() const { return last_proposed_; }
    [[nodiscard]] const state::memory_key_space& base() const { return base_.rows(); }

    /// What is to be sent and closed since the last time.
    [[nodiscard]] std::vector<leaving> take_answers() {
        std::vector<leaving> answers;
        hall_.take_answers(answers);
        return answers;
    }
    [[nodiscard]] std::vector<connection_id> take_closing() { return hall_.take_closing(); }
    [[nodiscard]] std::vector<almenara::server::attendance::change> take_attendance() {
        return hall_.take_attendance();
    }

  private:
    /// Rows on their way.
    struct fetching {
        almenara::server::fetch_ticket ticket;
        state::needs wanted;
        state::inputs found{};
    };

    [[nodiscard]] instant now() const override { return now_.monotonic; }
    [[nodiscard]] const standing& here() const override { return here_; }
    [[nodiscard]] std::optional<state::slot> next_slot() const override;
    [[nodiscard]] log_index confirmed_upto() const override { return core_.confirmed_upto(); }
    [[nodiscard]] state::random_bytes random() override;
    [[nodiscard]] almenara::server::log_piece own_log(
        log_index from, const almenara::server::log_share& most) const override;
    void propose(state::proposed&& entry) override;
    void probe(almenara::server::probe_ticket ticket, almenara::epoch seen) override;
    void fetch(almenara::server::fetch_ticket ticket, state::needs wanted) override;
    void saw(const almenara::server::sighting& what) override;

    void watch_expiry(const state::proposed& what);

    replica::core& core_;
    services::kv::service kv_;
    scene& around_;
    dice cold_luck_; ///< of the rows: others do not depend on how often they are looked at
    test::cold_key_space base_;
    dice luck_;
    coverage& seen_;
    check::session_watch uses_;
    replica::moment now_{};
    standing here_;
    log_index last_proposed_;
    bool has_stepped_ = false;
    std::map<std::uint64_t, fetching> fetching_;
    std::uint64_t last_told_ = 0;
    almenara::server::reception hall_;
};

} // namespace almenara::sim
