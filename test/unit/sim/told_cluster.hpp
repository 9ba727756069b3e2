#pragma once

#include "sim/check/findings.hpp"
#include "sim/check/god_view.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace almenara::sim::check {

[[nodiscard]] constexpr server_id id_of(unsigned number) {
    return server_id{static_cast<std::uint16_t>(number)};
}

/// Three servers of which the god's view is told, without any core: what a test says they do is
/// what they do, right or wrong. Each begins with entry 1 on its disk.
class told_cluster {
  public:
    told_cluster();

    [[nodiscard]] const findings& found() const { return found_; }
    [[nodiscard]] god_view& god() { return god_; }
    /// Name of the invariant that was found broken; empty while none was.
    [[nodiscard]] std::string broken() const {
        return found_.first() ? found_.first()->invariant : std::string{};
    }

    struct server {
        replica::start_state start;
        replica::core_status status;
        std::vector<replica::entry_ptr> log; ///< in memory; entry i at i - 1
        std::vector<replica::log_write> syncing;
        replica::persistent disk;
    };
    [[nodiscard]] server& at(unsigned id) { return servers_.at(id_of(id)); }

    /// A turn with this output, and the status as it is.
    void turn(unsigned id, const replica::output& out = {});

    // -- Steps that are right if they come in the right order --

    void claim(unsigned candidate, std::uint64_t of);
    /// It decides: the meta record goes to the disk.
    void decide(unsigned voter, unsigned candidate, std::uint64_t of);
    void sync_meta(unsigned id);
    /// The PROMISE leaves.
    void promise(unsigned voter, unsigned candidate, std::uint64_t of);
    void enter_office(unsigned id, std::uint64_t of);
    /// All of that, with both others as voters.
    void elect(unsigned id, std::uint64_t of);
    void elect_by(const std::vector<unsigned>& voters, unsigned id, std::uint64_t of);
    /// E0: it hears of the primary and follows it.
    void follow(unsigned id, unsigned primary, std::uint64_t of);

    /// A new entry at the end of its log, in that epoch; gives its index.
    std::uint64_t append(unsigned id, std::uint64_t of, std::uint64_t seq = 0);
    /// Its log becomes that of another one up to there, by one write.
    void copy(unsigned to, unsigned from, std::uint64_t upto);
    void truncate(unsigned id, std::uint64_t last);
    void sync_log(unsigned id);
    void ack(unsigned id, unsigned to, std::uint64_t match);
    void commit(unsigned id, std::uint64_t index);
    void confirm(unsigned id, std::uint64_t index);
    void apply(unsigned id, std::uint64_t index);

    /// A new entry on all three disks, committed at the primary.
    std::uint64_t replicate(unsigned primary, std::uint64_t of, std::uint64_t seq = 0);

    /// What is on its disk is found again, up to `last`; nothing is said of damage.
    void restart(unsigned id, std::uint64_t last);
    /// The same, and says so: from there on it cannot be read.
    void restart_damaged(unsigned id, std::uint64_t from, std::optional<replica::log_end> end);
    void write_meta(unsigned id, const replica::persistent& meta);
    /// Something of its log cannot be read while it runs: it says so and writes it down.
    void finds_damage(unsigned id, const replica::damage& what);
    /// The record of damage goes.
    void forgets_damage(unsigned id);

  private:
    void send(unsigned from, unsigned to, std::uint64_t of, replica::message message);
    void write(unsigned id, replica::log_write what);

    findings found_;
    god_view god_{found_};
    replica::cluster_config config_;
    std::map<server_id, server> servers_;
    std::uint64_t batches_ = 0;
    std::uint64_t incarnations_ = 100;
};

} // namespace almenara::sim::check
