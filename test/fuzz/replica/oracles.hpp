#pragma once

#include "base/ids.hpp"
#include "replica/core.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace almenara::fuzz {

struct server;

/// Says what was broken and how, and ends the process.
[[noreturn]] void broken(std::string_view invariant, std::string_view how);

/// Sees everything and ends the process when an invariant of B.14 is broken: I1 to I11, I25, I26.
class oracles {
  public:
    explicit oracles(const std::vector<server>& servers) : servers_(servers) {}

    /// Before an output is executed.
    void will_write(std::size_t place, const replica::output& out);
    void will_send(std::size_t place, const replica::outgoing& what);
    void will_apply(std::size_t place, const replica::output& out);
    void took_office(std::size_t place, almenara::epoch epoch);
    void left_office(std::size_t place);

    void started(std::size_t place);
    void ended(std::size_t place);
    /// After each step.
    void stepped(std::size_t place);

  private:
    /// What was seen of one process.
    struct process {
        log_index commit;
        log_index applied;
        bool rules = false;
    };

    void check_meta(std::size_t place, const replica::persistent& next) const;
    void check_damage(std::size_t place, const replica::persistent& next) const;
    void check_log_write(std::size_t place, const replica::log_write& write, bool leaves_office);
    void check_promise(std::size_t place, const replica::promise& said, server_id to);
    void check_durable(std::size_t place, log_index match, std::string_view what) const;
    void check_committed(std::size_t place, log_index commit);
    void check_majority(log_index index, replica::hash64 hash, std::string_view what) const;
    void remember(log_index index, replica::hash64 hash);
    [[nodiscard]] std::size_t copies(log_index index, replica::hash64 hash) const;

    const std::vector<server>& servers_;
    std::map<std::size_t, process> processes_;
    std::map<log_index, replica::hash64> committed_;
    std::map<std::pair<log_index, almenara::epoch>, replica::hash64> written_;
    /// Whose epoch it was: server and start of its process.
    std::map<almenara::epoch, std::pair<std::size_t, replica::incarnation>> offices_;
    /// To whom, by disk and epoch.
    std::map<std::pair<data_uuid, almenara::epoch>, std::pair<server_id, replica::incarnation>>
        promises_;
};

} // namespace almenara::fuzz
