#include "client/routes.hpp"

#include <algorithm>
#include <utility>

namespace almenara::client {

namespace {

bool leads_to_one_of(const route& way, const std::vector<std::string>& addresses) {
    return std::any_of(addresses.begin(), addresses.end(), [&](const std::string& address) {
        return std::find(way.addresses.begin(), way.addresses.end(), address) !=
               way.addresses.end();
    });
}

/// What worked stays in front.
void add_addresses(route& way, const std::vector<std::string>& addresses) {
    constexpr std::size_t enough = 8;
    for (const std::string& address : addresses) {
        const bool known =
            std::find(way.addresses.begin(), way.addresses.end(), address) != way.addresses.end();
        if (!known && way.addresses.size() < enough) {
            way.addresses.push_back(address);
        }
    }
}

} // namespace

routes::routes(const std::vector<std::string>& named) {
    for (const std::string& address : named) {
        add({.addresses = {address}, .named = true});
    }
}

route_number routes::add(route way) {
    last_ = last_.next();
    all_.emplace(last_, std::move(way));
    return last_;
}

bool routes::name(route_number which, server_id server) {
    route& way = all_.at(which);
    const bool was_another = way.server && way.server != server;
    if (was_another && way.named) {
        way.addresses.resize(1); // The other ones are those of the server that was there.
    }
    way.server = server;
    return was_another;
}

std::optional<route_number> routes::find(server_id server) const {
    const auto found = std::find_if(all_.begin(), all_.end(),
                                    [&](const auto& each) { return each.second.server == server; });
    return found == all_.end() ? std::nullopt : std::optional{found->first};
}

std::optional<route_number> routes::way_to(const wire::member_address& server) {
    const auto is_it = [&](const auto& each) { return each.second.server == server.id; };
    const auto may_be_it = [&](const auto& each) {
        return !each.second.server && leads_to_one_of(each.second, server.addresses);
    };
    auto found = std::find_if(all_.begin(), all_.end(), is_it);
    if (found == all_.end()) {
        found = std::find_if(all_.begin(), all_.end(), may_be_it);
    }
    if (found != all_.end()) {
        found->second.server = server.id;
        add_addresses(found->second, server.addresses);
        return found->first;
    }
    if (all_.size() >= most || server.addresses.empty()) {
        return std::nullopt;
    }
    route way{.server = server.id};
    add_addresses(way, server.addresses);
    return add(std::move(way));
}

std::vector<route> routes::learn(log_index config,
                                 const std::vector<wire::member_address>& members) {
    if (members.empty() || config < config_) {
        return {};
    }
    config_ = config;
    members_ = members;
    for (const wire::member_address& member : members) {
        static_cast<void>(way_to(member));
    }
    return remove_others();
}

std::vector<route> routes::believe(log_index config,
                                   const std::vector<wire::member_address>& members) {
    config_ = {};
    auto gone = learn(config, members);
    config_ = config;
    return gone;
}

std::vector<route> routes::unlearn() {
    config_ = {};
    members_.clear();
    return remove_others();
}

/// Who is neither a member nor named.
std::vector<route> routes::remove_others() {
    std::vector<route> gone;
    for (auto place = all_.begin(); place != all_.end();) {
        const route& way = place->second;
        const bool is_member =
            std::any_of(members_.begin(), members_.end(),
                        [&](const auto& member) { return way.server == member.id; });
        if (is_member || way.named) {
            ++place;
        } else {
            gone.push_back(std::move(place->second));
            place = all_.erase(place);
        }
    }
    return gone;
}

} // namespace almenara::client
