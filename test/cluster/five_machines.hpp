#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "cluster/cluster.hpp"
#include "cluster/load.hpp"
#include "cluster/network.hpp"
#include "cluster/row.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace almenara::test {

/// How the stage differs from the plain one.
struct five_machines_settings {
    load_habits habits{.writers = 8, .readers = 2}; ///< of both clients
    std::vector<std::string> arguments{};           ///< for each server
    std::optional<std::string> known{};             ///< what clients are told: not a server's
};

/// S24: two clients and three servers on five machines. S19: each client is told one address, the
/// first one the primary's and the second one a backup's.
class five_machines {
  public:
    static constexpr machine first_client{4};
    static constexpr machine second_client{5};

    five_machines(unsigned number,
                  const std::string& scenario,
                  five_machines_settings settings = {});

    void begin();
    /// One that begins now, and knows this server.
    load& add_client(machine where, server_id known);
    /// Everything is well again: the clients end, and what they saw is judged as one.
    void end();

    void all_go_on() const;
    /// Who is primary after the fault, and not the one before.
    cluster::office wait_for_another();
    /// The fault has lasted so long, and this client is served all the same.
    void until_fault_lasted(duration length, const load& served) const;
    /// The fault has lasted so long, whoever is served.
    void until_fault_lasted(duration length) const;
    [[nodiscard]] duration since_fault() const;

    [[nodiscard]] server_id a_backup() const;
    [[nodiscard]] std::vector<machine> all_but(const std::vector<machine>& these) const;
    [[nodiscard]] static machine machine_of(server_id which) { return machine{which.value()}; }

    row table;
    network wires{5};
    cluster servers;
    cluster::office office;
    load* first = nullptr;
    load* second = nullptr;
    instant fault_at;

  private:
    static constexpr std::uint64_t few_writes = 100;

    [[nodiscard]] std::string prefix() const;

    five_machines_settings settings_;
    std::vector<std::unique_ptr<load>> clients_; ///< of this run
    unsigned run_ = 0;
    epoch counted_upto_; ///< elections
};

/// While both clients write. The old one is started again when there is a new one.
void kill_the_primary(five_machines& s);

/// Answers that this client got then, once it has ended.
[[nodiscard]] std::size_t answers_between(const load& client, instant from, instant until);

} // namespace almenara::test
