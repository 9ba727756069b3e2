#pragma once

#include "base/ids.hpp"
#include "replica/entry.hpp"
#include "replica/ids.hpp"
#include "wire/described.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace almenara::replica {

/// A server of the cluster, as a CONFIG entry names it (B.4).
struct member {
    server_id id;
    data_uuid uuid;
    std::vector<std::string> addresses; ///< host:port
    std::uint16_t priority = 0;
    bool voter = true;
    bool witness = false; ///< reserved
};
ALMENARA_DESCRIBE(member, id, uuid, addresses, priority, voter, witness)

/// When an operation counts as done (A.3).
enum class confirm_policy : std::uint8_t { sync_set, majority, all };
ALMENARA_DESCRIBE_ENUM(confirm_policy, sync_set, majority, all)

/// Payload of a CONFIG entry: who belongs to the cluster, and its options.
struct cluster_config {
    std::vector<member> members; ///< sorted by id
    confirm_policy confirm = confirm_policy::sync_set;
};
ALMENARA_DESCRIBE(cluster_config, members, confirm)

[[nodiscard]] const member* find_member(const cluster_config& config, server_id id);
[[nodiscard]] bool is_voter(const cluster_config& config, server_id id);
[[nodiscard]] std::size_t voters(const cluster_config& config);

/// floor(V/2)+1 of the voters (B.1).
[[nodiscard]] std::size_t majority(const cluster_config& config);

/// B.12.3: everything about the first start of a listed cluster follows from its list, so that
/// whoever crashes and whoever repeats INIT, only one content is possible.
[[nodiscard]] cluster_id cluster_of_list(const cluster_config& config);
[[nodiscard]] entry first_entry(const cluster_config& config);

/// Hash of the ids that an operator listed; servers with different lists do not start together.
[[nodiscard]] hash64 list_hash(const std::vector<server_id>& ids);

} // namespace almenara::replica
