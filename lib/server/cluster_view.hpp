#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/config.hpp"
#include "replica/core.hpp"
#include "wire/client_messages.hpp"
#include "wire/members.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

/// What the core knows, in the words of clients and operators.
namespace almenara::server {

/// Where servers are, as far as this one was told.
class address_book {
  public:
    void learn(server_id id, std::vector<std::string> addresses);
    [[nodiscard]] wire::member_address find(server_id id) const;

  private:
    std::map<server_id, std::vector<std::string>> addresses_;
};

/// One server, looking around.
struct cluster_view {
    server_id self;
    const replica::core_status& status;
    const replica::cluster_config* config; ///< none: it belongs to no cluster
    const std::vector<server_id>& listed;  ///< who is expected while there is no config
    const address_book& addresses;
    std::uint16_t priority = 0;
    instant now;
    wall_time wall;
};

[[nodiscard]] wire::server_role role_of(const replica::core_status& status);

/// The one that rules, as far as is known; a primary knows itself.
[[nodiscard]] std::optional<server_id> primary_of(const cluster_view& from);

/// All members, and this server if it is none.
[[nodiscard]] std::vector<wire::member_address> members_of(const cluster_view& from);

/// For WELCOME and MEMBERS.
[[nodiscard]] std::vector<wire::member_state> states_of(const cluster_view& from);

/// What a client that was told knows: when it changes, it is told again.
struct cluster_known {
    almenara::epoch epoch;
    replica::role_name role = replica::role_name::boot;
    std::optional<server_id> primary;
    log_index config;
    std::vector<server_id> up; ///< besides this one

    friend bool operator==(const cluster_known&, const cluster_known&) = default;
};
[[nodiscard]] cluster_known known_of(const cluster_view& from);

/// B.10: why this primary cannot hand over now, to that one or to anybody.
[[nodiscard]] std::optional<std::string> why_no_transfer(const cluster_view& from,
                                                         std::optional<server_id> target);

/// All but `request` and the counts of clients.
[[nodiscard]] wire::status_reply status_of(const cluster_view& from);

} // namespace almenara::server
