#pragma once

#include "base/ids.hpp"
#include "base/strong.hpp"
#include "base/time.hpp"
#include "client/failure.hpp"
#include "wire/client_messages.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace almenara::client {

/// One dial and the connection that comes of it. Never used again.
using link_id = base::strong<struct link_id_tag, std::uint64_t>;

using route_number = base::strong<struct route_number_tag, std::uint32_t>;

/// The way to one server.
struct route {
    std::optional<server_id> server;    ///< known once it has said so, or another one has
    std::vector<std::string> addresses; ///< tried one by one
    bool named = false;                 ///< by whoever started the client: never forgotten
    instant dial_at{};                  ///< not before
    /// Nor before this, as it wished or as others have their turn, unless it is said to be primary.
    instant wished_at{};
    instant whois_at{}; ///< not before
    std::optional<link_id> link{};
    std::optional<failure> trouble{}; ///< why the newest attempt came to nothing

    /// It may not be dialled, now or later.
    [[nodiscard]] bool is_barred() const {
        return trouble && trouble->kind == failure_kind::not_allowed;
    }
};

/// All servers that a client has heard of.
class routes {
  public:
    /// Bounds what servers may make it remember.
    static constexpr std::size_t most = 64;

    explicit routes(const std::vector<std::string>& named);

    [[nodiscard]] std::map<route_number, route>& all() { return all_; }
    [[nodiscard]] const std::map<route_number, route>& all() const { return all_; }
    [[nodiscard]] route& at(route_number which) { return all_.at(which); }
    [[nodiscard]] const route& at(route_number which) const { return all_.at(which); }

    /// The server at the end of this route has said who it is. True: another one was there before.
    bool name(route_number which, server_id server);
    [[nodiscard]] std::optional<route_number> find(server_id server) const;
    /// The way to that server; a new one if need be, and if there is room.
    [[nodiscard]] std::optional<route_number> way_to(const wire::member_address& server);

    [[nodiscard]] log_index config() const { return config_; }
    /// What was learned was about others. Returns as learn() does.
    [[nodiscard]] std::vector<route> unlearn();
    /// These are the members, whatever was learned, and what is said counts from there on; without
    /// any nobody is forgotten. Returns as learn() does.
    [[nodiscard]] std::vector<route> believe(log_index config,
                                             const std::vector<wire::member_address>& members);
    /// C.3: the members as of that configuration; older news changes nothing. Returns the routes
    /// that lead to nobody any more; their links are the caller's matter.
    [[nodiscard]] std::vector<route> learn(log_index config,
                                           const std::vector<wire::member_address>& members);

  private:
    route_number add(route way);
    [[nodiscard]] std::vector<route> remove_others();

    std::map<route_number, route> all_;
    route_number last_;
    log_index config_;
    std::vector<wire::member_address> members_;
};

} // namespace almenara::client
