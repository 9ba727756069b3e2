#pragma once

#include "base/time.hpp"
#include "client/ways.hpp"
#include "support/check/history.hpp"
#include "support/check/kv_model.hpp"
#include "support/instead_of.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace almenara::test {

/// How often a new primary was found by each of the ways.
using told_by_counts = std::map<client::source, std::uint64_t>;

/// What the clients of a test do all the time.
struct load_habits {
    std::size_t writers = 16;
    std::size_t readers = 4;
    duration pause = std::chrono::milliseconds{10}; ///< between two operations of a client
    duration deadline = std::chrono::seconds{30};   ///< of one operation
    std::string prefix = "run/";                    ///< of all keys, so that runs do not meet
    std::uint64_t seed = 1;
    std::size_t filler = 0;         ///< bytes more in each value that is put under an own key
    std::optional<int> network{};   ///< an open namespace to be in; needs root
    shown_instead instead_of{};     ///< files that they see in the place of others; needs root
    std::uint32_t first_client = 1; ///< number, so that two loads can be judged as one
    client::ways follow = client::all_ways;
};

/// Clients in a thread of their own: each is the client library, asks one thing after the other and
/// notes what it hears. Writers put values that are never written twice under keys of their own,
/// count on shared counters and fight for a few shared keys; readers look at those.
class load {
  public:
    load(std::vector<std::string> servers, load_habits habits);
    ~load();
    load(const load&) = delete;
    load& operator=(const load&) = delete;

    /// Writes that were confirmed so far.
    [[nodiscard]] std::uint64_t confirmed() const;
    /// Waits until there are so many more.
    void goes_on(std::uint64_t writes = 200) const;

    /// Nothing new is begun; returns when everything is answered or its deadline has passed.
    void finish();

    // -- After finish() --

    [[nodiscard]] const check::history& heard() const;
    [[nodiscard]] const told_by_counts& told_by() const;
    [[nodiscard]] instant begun() const { return begun_; }
    [[nodiscard]] instant ended() const { return ended_; }

  private:
    class crew;
    std::unique_ptr<crew> crew_;
    instant begun_;
    instant ended_;
};

/// Everything that the cluster holds under a prefix, and the index that the answers rest on.
struct all_rows {
    check::key_values rows;
    log_index index;
    epoch in;
    instant asked;
    instant answered;
};
[[nodiscard]] all_rows read_all(const std::vector<std::string>& servers, const std::string& prefix);

} // namespace almenara::test
