#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "sim/agenda.hpp"
#include "sim/check/client.hpp"
#include "sim/check/findings.hpp"
#include "sim/check/god_view.hpp"
#include "sim/check/history.hpp"
#include "sim/check/ledger.hpp"
#include "sim/check/liveness.hpp"
#include "sim/coverage.hpp"
#include "sim/dice.hpp"
#include "sim/forger.hpp"
#include "sim/nemesis.hpp"
#include "sim/network.hpp"
#include "sim/profile.hpp"
#include "sim/scene.hpp"
#include "sim/server.hpp"
#include "sim/story.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

namespace almenara::sim {

/// What makes a run what it is.
struct run_plan {
    std::uint64_t seed = 1;
    duration length = std::chrono::seconds{60}; ///< with faults; the liveness phase follows
    std::size_t servers = 3;
    std::size_t clients = 4;
    std::uint64_t operations_per_second = 25; ///< of each client
    sim::profile profile;
    std::FILE* trace = nullptr;
};

struct run_report {
    std::optional<check::violation> violation;
    coverage seen;
    duration simulated{0};
    std::uint64_t events = 0;
    std::uint64_t committed = 0; ///< entries
    std::uint64_t confirmed = 0; ///< operations whose result a client heard
    std::uint64_t uncertain = 0; ///< operations that a client gave up
    std::uint64_t digest = 0;    ///< of what was committed and when the run was over
};

/// One run: a cluster, its clients and what goes wrong, in virtual time and in one thread. The
/// same plan gives the same run, to the last message.
class world final : public hosts {
  public:
    explicit world(const run_plan& plan);

    [[nodiscard]] run_report run();

    // -- hosts --
    [[nodiscard]] bool powered(node at) const override;
    [[nodiscard]] bool listens(node at) const override;
    [[nodiscard]] std::uint64_t life(node at) const override;
    void accepted(node at, connection_id connection, line_kind kind) override;
    void dialled(node at, node peer, connection_id connection, line_kind kind) override;
    void dial_failed(node at, node peer, line_kind kind) override;
    void received(node at, connection_id connection, content&& what) override;
    void ended(node at, connection_id connection) override;
    void datagram(node at, node from, base::byte_view bytes) override;

  private:
    /// A client and the machine it is on, which never fails: the world is bad enough.
    struct customer {
        std::unique_ptr<check::kv_client> model;
        instant armed = instant::max();
    };

    void populate();
    void run_until(instant end);
    void dispatch(const appointment& due);
    void serve(std::size_t number);
    void tell_client(node at, base::byte_view bytes);
    void count_follows();
    void count_offices();
    void settle();
    void wait_until_quiet();
    void watch(instant end);
    [[nodiscard]] bool everything_is_well() const;
    void compare_states();
    [[nodiscard]] server& at(node n) { return *servers_[n.value() - 1]; }
    [[nodiscard]] const server& at(node n) const { return *servers_[n.value() - 1]; }
    [[nodiscard]] static std::size_t place(node n) { return n.value() - first_client.value(); }
    [[nodiscard]] run_report report() const;
    [[nodiscard]] std::uint64_t digest() const;

    run_plan plan_;
    habits habits_;
    dice luck_;
    agenda time_;
    story tale_;
    coverage seen_;
    first_promises promises_;
    check::findings found_;
    check::god_view god_;
    check::ledger ledger_;
    check::liveness liveness_;
    check::history history_;
    network net_;
    scene scene_;
    servers servers_;
    std::vector<customer> customers_;
    nemesis nemesis_;
    dice ways_luck_;
    forger forger_;
    bool steals_key_ = false; ///< the forger does
};

} // namespace almenara::sim
