#pragma once

#include "replica/gate.hpp"
#include "scripts/server.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace almenara::scripts {

/// What must hold in every script, whatever it tells (B.14). It sees all servers at once and
/// remembers what was true before.
class watch {
  public:
    using servers = std::map<server_id, server>;

    explicit watch(const servers& all) : all_(all) {}

    /// A process started anew: what it holds only in memory begins again.
    void started(const server& s);
    /// Another disk: what was promised and acked is forgotten, and so must be the server.
    void wiped(const server& s);
    void sent(const server& s, const replica::outgoing& what);
    void entered_office(const server& s, const replica::entered_office& term);
    void confirmed(const server& s, const replica::confirmation& what);
    void applied(const server& s, const replica::entry& what);
    /// After each turn of a server.
    void turned(const server& s);

    /// What was broken, the first of all.
    [[nodiscard]] const std::optional<std::string>& broken() const { return broken_; }
    /// Highest position that anybody committed, and what stands there.
    [[nodiscard]] const std::map<log_index, replica::hash64>& committed() const {
        return committed_;
    }
    /// Everything that was confirmed to clients.
    [[nodiscard]] const std::map<log_index, replica::hash64>& all_confirmed() const {
        return confirmed_;
    }
    [[nodiscard]] unsigned terms_of_office() const { return terms_; }

  private:
    /// What one server said and knew.
    struct memory {
        log_index commit;
        log_index acked; ///< by this process
        epoch durable_epoch;
        epoch office; ///< the newest that it took
        std::optional<replica::damage> damaged;
    };

    void breaks(std::string what);
    void check_promise(const server& s, const replica::outgoing& what, const replica::promise& p);
    void check_match(const server& s, log_index match);
    void check_commit(const server& s, const replica::core_status& now, memory& before);
    void check_later_terms(const server& s, epoch of, log_index index, replica::hash64 hash);
    void check_sync_set(const server& s, const replica::confirmation& what);
    [[nodiscard]] epoch office_of(const server& s, const replica::core_status& now) const;
    void check_truncation(const server& s);
    [[nodiscard]] static bool is_damaged_at(const server& s, log_index index);
    void check_credit(const server& s, const replica::core_status& now);
    void check_meta(const server& s, memory& before);
    [[nodiscard]] const server* find(server_id id) const;

    const servers& all_;
    std::map<server_id, memory> memories_;
    std::map<epoch, server_id> primaries_;
    /// Each primary's log when it took office; entry i stands at i - 1.
    std::map<epoch, std::vector<replica::hash64>> began_with_;
    std::map<std::pair<server_id, epoch>, std::pair<server_id, replica::incarnation>> promises_;
    std::map<log_index, replica::hash64> committed_;
    std::map<log_index, replica::hash64> confirmed_;
    unsigned terms_ = 0;
    std::optional<std::string> broken_;
};

} // namespace almenara::scripts
