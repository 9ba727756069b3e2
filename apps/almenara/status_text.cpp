#include "status_text.hpp"

#include "text_table.hpp"
#include "wire/json.hpp"
#include "wire/print.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <optional>
#include <utility>

namespace almenara::cli {

namespace {

constexpr std::size_t address_column = 1;

/// What nobody knows is a dash.
template <class T>
std::string cell(const std::optional<T>& value) {
    if constexpr (std::same_as<T, wall_time>) {
        return value ? to_string(*value) : "-";
    } else {
        return value ? fmt::format("{}", *value) : "-";
    }
}

std::string headline(const wire::status_reply& status) {
    if (!status.cluster) {
        return "no cluster yet\n";
    }
    const std::string primary = status.primary ? fmt::format("server {}", *status.primary) : "none";
    std::string quorum = "unknown";
    if (status.quorum) {
        quorum = *status.quorum ? "yes" : "NO";
    }
    std::string line = fmt::format("cluster {}  epoch {}  primary {}  quorum {}", *status.cluster,
                                   status.epoch, primary, quorum);
    if (status.tolerates) {
        line += fmt::format("  {} more may die", *status.tolerates);
    }
    return line + '\n';
}

tone tone_of(const wire::server_status& server) {
    if (server.state == wire::server_state::down) {
        return tone::bad;
    }
    return server.role == wire::server_role::primary ? tone::strong : tone::plain;
}

} // namespace

std::string status_text(const wire::status_reply& status, const table_look& look) {
    text_table table{
        {"SERVER", "ADDRESS", "ROLE", "STATE", "MATCH", "LAG", "PRIO", "VERSION", "HEARD"},
        address_column};
    for (const wire::server_status& server : status.servers) {
        table.add({fmt::format("{}", server.id), server.address, cell(server.role),
                   cell(server.state), cell(server.match), cell(server.lag), cell(server.priority),
                   cell(server.version), cell(server.last_heard)},
                  tone_of(server));
    }
    const std::string room = status.max_clients == 0
                                 ? std::string{}
                                 : fmt::format(": {} of {} places for clients taken",
                                               status.clients, status.max_clients);
    return headline(status) + table.text(look) +
           fmt::format("answered by server {}{}\n", status.answered_by, room);
}

std::string status_json(const wire::status_reply& status) {
    boost::json::value whole = wire::to_json(status);
    whole.as_object().stable_erase("request"); // It says something about the connection only.
    return boost::json::serialize(whole) + '\n';
}

std::string members_text(const wire::status_reply& status, const table_look& look) {
    text_table table{{"SERVER", "ADDRESS", "ROLE", "STATE"}, address_column};
    for (const wire::server_status& server : status.servers) {
        table.add(
            {fmt::format("{}", server.id), server.address, cell(server.role), cell(server.state)},
            tone_of(server));
    }
    return table.text(look);
}

std::string members_json(const wire::status_reply& status) {
    boost::json::object whole;
    whole["config_index"] = wire::to_json(status.config_index);
    boost::json::array servers;
    for (const wire::server_status& server : status.servers) {
        boost::json::object one;
        one["id"] = server.id.value();
        one["address"] = wire::json_text(server.address);
        one["role"] = wire::to_json(server.role);
        one["state"] = wire::to_json(server.state);
        servers.push_back(std::move(one));
    }
    whole["members"] = std::move(servers);
    return boost::json::serialize(whole) + '\n';
}

} // namespace almenara::cli
