#pragma once

#include "base/ids.hpp"
#include "replica/core.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace almenara::fuzz {

struct server;

/// An invariant of B.14 (or another rule, by its section) that did not hold.
class violation : public std::runtime_error {
  public:
    violation(std::string_view invariant, std::string_view how);
    [[nodiscard]] const std::string& invariant() const { return invariant_; }

  private:
    std::string invariant_;
};

/// Says what was broken and how: throws a violation.
[[noreturn]] void broken(std::string_view invariant, std::string_view how);

/// Sees everything and throws when an invariant of B.14 is broken: I1 to I11, I25, I26. I9 is seen
/// by entries alone: whoever applies committed entries in their order, each once and none left out,
/// has the state of everybody else; what a state makes of its entries is tested in other rooms.
///
/// What a server owes to its own disk and its own past no lie of another excuses. What follows from
/// the others keeping the protocol too is asked only while they do: that is `everybody_honest`.
class oracles {
  public:
    explicit oracles(const std::vector<server>& servers, bool everybody_honest = true)
        : servers_(servers), everybody_honest_(everybody_honest) {}

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
        log_index commit_at_last_output; ///< one step may cut, append and learn of a commit
        log_index applied;
        bool rules = false;
    };

    void check_meta(std::size_t place, const replica::persistent& next) const;
    void check_damage(std::size_t place, const replica::persistent& next) const;
    void check_log_write(std::size_t place, const replica::log_write& write, bool leaves_office);
    void check_cut(std::size_t place, log_index keep) const;
    void check_promise(std::size_t place, const replica::promise& said, server_id to);
    void check_durable(std::size_t place, log_index match, std::string_view what) const;
    void check_office(std::size_t place, almenara::epoch epoch);
    void check_commit(std::size_t place, log_index commit);
    void check_new_commit(std::size_t place, log_index before, log_index commit);
    void check_applied(std::size_t place, const replica::entry& what) const;
    void check_confirmed(std::size_t place, const replica::confirmation& what) const;
    void check_majority(std::size_t place,
                        const replica::log_point& at,
                        std::string_view what) const;
    void remember(const replica::log_point& at);
    [[nodiscard]] bool is_committed(log_index index, replica::hash64 hash) const;

    const std::vector<server>& servers_;
    bool everybody_honest_;
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
