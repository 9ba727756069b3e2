#include "server/cluster_options.hpp"

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "net/address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

namespace almenara::server {

namespace {

struct named_policy {
    replica::confirm_policy policy;
    std::string_view name;
};
constexpr std::array policies{named_policy{replica::confirm_policy::sync_set, "sync-set"},
                              named_policy{replica::confirm_policy::majority, "majority"},
                              named_policy{replica::confirm_policy::all, "all"}};

constexpr std::string_view confirm_is = "confirm=";

using member_list = std::vector<wire::member_address>;

std::set<server_id> ids_of(const member_list& servers) {
    std::set<server_id> ids;
    for (const wire::member_address& one : servers) {
        ids.insert(one.id);
    }
    return ids;
}

result<wire::member_address> parse_peer(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) {
        return error{errc::invalid, fmt::format("'{}' is not ID=HOST:PORT, as in 1=127.0.0.1:7401",
                                                base::escaped(text))};
    }
    const auto id = base::parse_number(text.substr(0, equals), 1, 65535);
    if (!id) {
        return error{errc::invalid,
                     fmt::format("'{}' is not the number of a server, which is from 1 to 65535",
                                 base::escaped(text.substr(0, equals)))};
    }
    const auto address = net::parse_host_port(text.substr(equals + 1));
    if (!address) {
        return address.error();
    }
    if (address->port == 0) {
        return error{errc::invalid,
                     fmt::format("'{}' has port 0, where nobody can be reached. Write the port "
                                 "that server {} listens on",
                                 base::escaped(text), *id)};
    }
    wire::member_address one;
    one.id = server_id{static_cast<std::uint16_t>(*id)};
    one.addresses.push_back(net::to_string(*address));
    return one;
}

/// The options that all servers of a list must agree on.
std::vector<std::string> options_of(const cluster_options& now) {
    return {fmt::format("{}{}", confirm_is,
                        to_string(now.confirm.value_or(replica::confirm_policy::sync_set))),
            "auth=trust"};
}

/// Whether what is said now differs from what counts. What is not said does not.
bool says_otherwise(const cluster_options& now, const std::vector<std::string>& options) {
    return now.confirm && options != options_of(now);
}

std::string already_goes_by(const std::vector<std::string>& options) {
    return fmt::format("this server belongs to a cluster already, which goes by {}",
                       fmt::join(options, ", "));
}

/// Without a list nothing begins, so `--confirm` says nothing.
void answer_confirm_alone(const cluster_options& now,
                          const storage::cluster_record& record,
                          const founder& who,
                          std::vector<std::string>& warnings) {
    if (!says_otherwise(now, record.options)) {
        return;
    }
    if (who.has_begun) {
        warnings.push_back(already_goes_by(record.options));
    } else if (record.servers.empty()) {
        warnings.emplace_back("--confirm counts when a cluster begins: give it together with "
                              "--peers or --primary");
    } else {
        warnings.push_back(fmt::format("this server goes by {}, as it was told with its list. To "
                                       "change that, give --confirm together with --peers",
                                       fmt::join(record.options, ", ")));
    }
}

error not_listed(server_id self) {
    return {errc::invalid,
            fmt::format("this is server {}, and it is not in the list of --peers. Add it, or give "
                        "the --id of one that is",
                        self)};
}

/// `said` moves those it names. Where the others are stays known: they are members all the same.
member_list moved(const member_list& known, const member_list& said) {
    std::map<server_id, wire::member_address> all;
    for (const auto* const servers : {&known, &said}) {
        for (const wire::member_address& one : *servers) {
            all.insert_or_assign(one.id, one);
        }
    }
    member_list merged;
    for (auto& [id, one] : all) {
        merged.push_back(std::move(one));
    }
    return merged;
}

/// The numbers in one list and not in the other: " 2, 3".
std::string only_in(const member_list& some, const member_list& others) {
    const std::set<server_id> known = ids_of(others);
    std::string numbers;
    for (const wire::member_address& one : some) {
        if (!known.contains(one.id)) {
            numbers += fmt::format("{} {}", numbers.empty() ? "" : ",", one.id);
        }
    }
    return numbers;
}

/// A member was told of other servers than those it knows.
std::string other_servers(const member_list& known, const member_list& said) {
    std::string text = "this server belongs to a cluster already: who else does stands in its "
                       "log, and --peers says only where they are";
    if (const std::string left_out = only_in(known, said); !left_out.empty()) {
        text += fmt::format("; where to find server{} stays as it was", left_out);
    }
    if (const std::string added = only_in(said, known); !added.empty()) {
        text += fmt::format("; nobody named server{} before", added);
    }
    return text;
}

} // namespace

std::string_view to_string(replica::confirm_policy policy) {
    const auto found = std::find_if(policies.begin(), policies.end(),
                                    [policy](const auto& one) { return one.policy == policy; });
    return found == policies.end() ? std::string_view{} : found->name;
}

result<replica::confirm_policy> parse_confirm(std::string_view text) {
    const auto found = std::find_if(policies.begin(), policies.end(),
                                    [text](const auto& one) { return one.name == text; });
    if (found == policies.end()) {
        return error{errc::invalid, fmt::format("'{}' is none of sync-set, majority and all",
                                                base::escaped(text))};
    }
    return found->policy;
}

result<replica::confirm_policy> confirm_in(const std::vector<std::string>& options) {
    for (const std::string_view option : options) {
        if (option.starts_with(confirm_is)) {
            return parse_confirm(option.substr(confirm_is.size()));
        }
    }
    return replica::confirm_policy::sync_set;
}

result<std::vector<wire::member_address>> parse_peers(std::string_view text) {
    std::vector<wire::member_address> servers;
    std::set<std::string> addresses;
    while (true) {
        const std::size_t comma = text.find(',');
        auto one = parse_peer(base::trimmed(text.substr(0, comma)));
        if (!one) {
            return one.error();
        }
        if (!addresses.insert(one->addresses.front()).second) {
            return error{errc::invalid,
                         fmt::format("{} stands there twice", one->addresses.front())};
        }
        servers.push_back(std::move(*one));
        if (comma == std::string_view::npos) {
            break;
        }
        text.remove_prefix(comma + 1);
    }
    if (ids_of(servers).size() < servers.size()) {
        return error{errc::invalid, "a server stands there twice"};
    }
    std::sort(servers.begin(), servers.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    return servers;
}

result<base::key256> parse_secret(std::string_view text) {
    constexpr std::size_t key_size = 32;
    const auto bytes = base::from_hex(base::trimmed(text));
    if (!bytes || bytes->size() != key_size) {
        return error{errc::invalid, "a cluster secret is 64 hex digits. Make one with "
                                    "'almenarad --make-secret FILE'"};
    }
    std::array<std::byte, key_size> key{};
    std::copy(bytes->begin(), bytes->end(), key.begin());
    return base::key256{key};
}

result<storage::cluster_record> agree(const std::optional<storage::cluster_record>& before,
                                      const cluster_options& now,
                                      const founder& who,
                                      std::vector<std::string>& warnings) {
    storage::cluster_record record = before.value_or(storage::cluster_record{});
    std::vector<wire::member_address> said = now.servers;
    if (now.is_alone && said.empty()) {
        wire::member_address self;
        self.id = who.self;
        self.addresses.push_back(who.address);
        said.push_back(std::move(self));
    }
    if (!said.empty() && !ids_of(said).contains(who.self)) {
        return not_listed(who.self);
    }
    if (said.size() > 1 && !now.secret && !record.secret) {
        return error{errc::invalid, "a cluster of several servers has a secret. Make one with "
                                    "'almenarad --make-secret FILE', and give it to all of them "
                                    "with --secret-file"};
    }
    if (who.has_begun && now.secret && now.secret != record.secret) {
        return error{errc::invalid, "the cluster of this server has another secret. Give the file "
                                    "that it began with, or none"};
    }
    if (now.secret) {
        record.secret = now.secret;
    }
    if (said.empty()) {
        answer_confirm_alone(now, record, who, warnings);
        return record;
    }
    // Where the others are may change at any time; who they are stands in the log.
    if (who.has_begun && !record.servers.empty() && ids_of(said) != ids_of(record.servers)) {
        warnings.push_back(other_servers(record.servers, said));
        if (now.is_alone) {
            return record;
        }
    }
    record.servers = who.has_begun ? moved(record.servers, said) : std::move(said);
    if (!who.has_begun) {
        record.options = options_of(now);
    } else if (says_otherwise(now, record.options)) {
        warnings.push_back(already_goes_by(record.options));
    }
    return record;
}

} // namespace almenara::server
