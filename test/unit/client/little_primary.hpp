#pragma once

#include "services/kv/bodies.hpp"
#include "unit/client/little_server.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace almenara::test {

/// What a good primary says to clients, with keys and values in a map. One for all visitors of all
/// little servers of a test: `manners()` of each is a copy that shares it.
class little_primary {
  public:
    /// Of a server at this address; the others say who is primary.
    [[nodiscard]] visitor::manners manners(server_id self, std::string address);

    [[nodiscard]] std::size_t sessions() const { return opened_; }
    [[nodiscard]] std::size_t closed() const { return closed_; }
    [[nodiscard]] std::size_t operations() const { return operations_; }

    server_id primary{1};
    almenara::epoch epoch{3};
    std::optional<cluster_id> cluster; ///< who keeps state, or hears datagrams, wants to know
    std::map<server_id, std::string> addresses;
    std::map<std::string, services::kv::value> keys;
    /// Operations are refused so, without an entry, as long as it is not ok.
    wire::result_code refuses = wire::result_code::ok;
    bool answers = true; ///< operations
    /// Given at the login; then the door says who is a member.
    std::optional<wire::beacon_pass> beacon;
    std::size_t page = 1000;

  private:
    struct place {
        visitor& client;
        bool is_primary;
    };
    void hear(place at, const client_message& message, server_id self);
    void serve(place at, const wire::c_hello& what, server_id self);
    void serve(place at, const wire::login& what);
    void serve(place at, const wire::attach& what);
    void serve(place at, const wire::operation& what);
    void serve(place at, const wire::read& what);
    void serve(place at, const wire::session_close& what);
    void serve(place at, const wire::whois& what);
    void serve(place at, const wire::admin& what);
    [[nodiscard]] bool redirected(place at, request_id request);
    [[nodiscard]] wire::member_address where_primary_is() const;
    void perform(const wire::operation& what, wire::operation_result& done);

    log_index last_{7};
    std::size_t opened_ = 0;
    std::size_t closed_ = 0;
    std::size_t operations_ = 0;
};

} // namespace almenara::test
