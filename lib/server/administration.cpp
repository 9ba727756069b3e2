#include "server/administration.hpp"

#include "server/cluster_view.hpp"
#include "server/driver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace almenara::server {

namespace {

client_answer begun(const wire::admin& what, std::string text) {
    return wire::admin_result{.request = what.request, .text = std::move(text)};
}

client_answer refused(const wire::admin& what, wire::result_code code, std::string text) {
    return wire::error_reply{.request = what.request, .code = code, .text = std::move(text)};
}

client_answer transfer(driver& server, const wire::admin& what) {
    const cluster_view view = server.view();
    const auto primary = primary_of(view);
    if (!primary) {
        return refused(what, wire::result_code::retry_elsewhere,
                       "no server is primary now: there is nothing to hand over");
    }
    if (primary != view.self) {
        return wire::redirect{.request = what.request,
                              .epoch = view.status.epoch,
                              .primary = view.addresses.find(*primary)};
    }
    if (!what.target) {
        if (const auto why = why_no_transfer(view, {})) {
            return refused(what, wire::result_code::conflict, *why);
        }
        server.transfer({});
        return begun(what, fmt::format("server {} hands over to whoever is best", view.self));
    }
    const auto members = members_of(view);
    const bool is_member =
        std::any_of(members.begin(), members.end(),
                    [&what](const wire::member_address& one) { return one.id == what.target; });
    if (!is_member) {
        return refused(what, wire::result_code::not_found,
                       fmt::format("server {} does not belong to this cluster", *what.target));
    }
    if (what.target == view.self) {
        return begun(what, fmt::format("server {} is primary already", view.self));
    }
    if (const auto why = why_no_transfer(view, what.target)) {
        return refused(what, wire::result_code::conflict, *why);
    }
    server.transfer(what.target);
    return begun(what, fmt::format("server {} hands over to server {}", view.self, *what.target));
}

client_answer go(driver& server, const wire::admin& what) {
    if (server.go()) {
        return begun(what, "the servers begin when all of the list are here");
    }
    return refused(what, wire::result_code::conflict,
                   server.status().durable.cluster
                       ? "this server belongs to a cluster already"
                       : "this server was told of no list of servers that could begin");
}

} // namespace

client_answer administer(driver& server, const wire::admin& what) {
    switch (what.verb) {
    case wire::admin_verb::transfer:
        return transfer(server, what);
    case wire::admin_verb::go:
        return go(server, what);
    }
    return refused(what, wire::result_code::unsupported, "this version does not know that wish");
}

} // namespace almenara::server
