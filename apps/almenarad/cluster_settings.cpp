#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "net/address.hpp"
#include "server/cluster_options.hpp"
#include "setting_values.hpp"
#include "storage/file.hpp"

#include <fmt/format.h>

#include <cstdint>

#include <sys/stat.h>

/// What is said of a cluster.
namespace almenara::almenarad {

namespace {

result<std::uint16_t> parse_priority(std::string_view text) {
    constexpr std::uint64_t largest = 65535;
    const auto number = base::parse_number(text, 0, largest);
    if (!number) {
        return number.error();
    }
    return static_cast<std::uint16_t>(*number);
}

result<std::size_t> parse_batches(std::string_view text) {
    constexpr std::uint64_t most = 8;
    const auto number = base::parse_number(text, 1, most);
    if (!number) {
        return number.error();
    }
    return static_cast<std::size_t>(*number);
}

result<std::uint64_t> parse_segment_size(std::string_view text) {
    constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;
    const auto size = base::parse_size(text);
    if (!size) {
        return size.error();
    }
    if (*size < 4 * mebibyte || *size > 64 * mebibyte || *size % 4096 != 0) {
        return error{errc::invalid, "a file of the log has 4MiB to 64MiB, in steps of 4KiB"};
    }
    return *size;
}

/// B.8. Less than the smallest file would not be less.
result<std::uint64_t> parse_kept_log(std::string_view text) {
    constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;
    const auto size = base::parse_size(text);
    if (!size) {
        return size.error();
    }
    if (*size < 4 * mebibyte || *size > mebibyte * mebibyte) {
        return error{errc::invalid, "4MiB to 1TiB of the log are kept"};
    }
    return *size;
}

result<std::optional<replica::confirm_policy>> parse_confirm(std::string_view text) {
    const auto policy = server::parse_confirm(text);
    if (!policy) {
        return policy.error();
    }
    return std::optional<replica::confirm_policy>{*policy};
}

/// There is no other way yet, and a cluster that asked for one must not go without.
result<bool> parse_auth(std::string_view text) {
    if (text != "trust") {
        return error{errc::unsupported, fmt::format("'{}' is not in this version: only trust is",
                                                    base::escaped(text))};
    }
    return true;
}

result<std::optional<duration>> parse_go_after(std::string_view text) {
    const auto length = parse_duration(text);
    if (!length) {
        return length.error();
    }
    return std::optional<duration>{*length};
}

result<std::optional<std::string>> parse_advertised(std::string_view text) {
    const auto address = net::parse_host_port(text);
    if (!address) {
        return address.error();
    }
    if (address->port == 0) {
        return error{errc::invalid, fmt::format("'{}' has port 0, where nobody can be reached. "
                                                "Write a port, or leave it out",
                                                base::escaped(text))};
    }
    return std::optional<std::string>{net::to_string(*address)};
}

/// F: a secret that others can read is none.
result<std::optional<base::key256>> read_secret(std::string_view path) {
    constexpr std::size_t largest = 4096;
    const std::string file{path};
    struct stat facts{};
    const bool is_there = ::stat(file.c_str(), &facts) == 0;
    if (is_there && !S_ISREG(facts.st_mode)) {
        return error{errc::invalid,
                     fmt::format("'{}' is no file with a secret. Make one with 'almenarad "
                                 "--make-secret FILE'",
                                 base::escaped(file))};
    }
    if (is_there && (facts.st_mode & 0077U) != 0) {
        return error{errc::denied,
                     fmt::format("'{}' can be read by others than its owner. Say 'chmod 600 {}'",
                                 file, file)};
    }
    const auto content = storage::read_file(file, largest);
    if (!content) {
        return content.error();
    }
    if (!*content) {
        return error{errc::not_found,
                     fmt::format("there is no file '{}'. Make it with 'almenarad --make-secret {}'",
                                 file, file)};
    }
    const auto secret = server::parse_secret(base::as_text(**content));
    if (!secret) {
        return while_doing(file, secret.error());
    }
    return std::optional<base::key256>{*secret};
}

/// The list says where this server is: nobody has to say it twice.
void listen_as_listed(const settings& all, server_id self, server::daemon_options& into) {
    if (all.find("listen")->origin != "default") {
        return;
    }
    for (const wire::member_address& one : into.cluster.servers) {
        if (one.id == self) {
            if (const auto address = net::parse_host_port(one.addresses.front())) {
                into.listen = *address;
            }
        }
    }
}

result<void> check_loopback(const settings& all, std::string_view key, const net::host_port& at) {
    const auto endpoints = net::resolve(at);
    if (!endpoints) {
        error failure = in_setting(key, *all.find(key), endpoints.error());
        failure.advice = "Write an address, or a name that this machine can look up";
        return failure;
    }
    if (auto loopback = net::require_loopback(*endpoints); !loopback) {
        return in_setting(key, *all.find(key), loopback.error());
    }
    return {};
}

result<void> check_loopback(const settings& all, std::string_view key, std::string_view text) {
    const auto at = net::parse_host_port(text);
    return at ? check_loopback(all, key, *at) : result<void>{at.error()};
}

} // namespace

result<void> check_addresses(const settings& all, const server::daemon_options& understood) {
    if (auto checked = check_loopback(all, "listen", understood.listen); !checked) {
        return checked;
    }
    const server::cluster_options& cluster = understood.cluster;
    if (cluster.advertised) {
        if (auto checked = check_loopback(all, "advertise", *cluster.advertised); !checked) {
            return checked;
        }
    }
    for (const wire::member_address& one : cluster.servers) {
        for (const std::string& address : one.addresses) {
            if (auto checked = check_loopback(all, "peers", address); !checked) {
                return checked;
            }
        }
    }
    return {};
}

result<void> fit_cluster(const settings& all,
                         const std::optional<storage::occupant>& found,
                         configuration& understood) {
    server::daemon_options& wanted = understood.daemon;
    if (!found && !wanted.id && !wanted.cluster.servers.empty()) {
        return in_setting("peers", *all.find("peers"),
                          {errc::invalid, "a new server has to know which of them it is. Add --id "
                                          "with its number in the list"});
    }
    const server_id self = found ? found->server : wanted.id.value_or(server_id{1});
    listen_as_listed(all, self, wanted);
    // Whether it belongs to a cluster stands in its log. What is refused here is in any case.
    const server::founder who{
        .self = self, .address = net::to_string(wanted.listen), .has_begun = false};
    std::vector<std::string> told_later;
    const auto agreed =
        server::agree(found ? found->cluster : std::nullopt, wanted.cluster, who, told_later);
    return agreed ? result<void>{} : result<void>{agreed.error()};
}

result<void> take_cluster(const settings& all, server::daemon_options& into) {
    server::cluster_options& wanted = into.cluster;
    bool trusts = true;
    for (const auto& taken :
         {take(all, "advertise", parse_advertised, wanted.advertised),
          take(all, "primary", parse_switch, wanted.is_alone),
          take(all, "peers", server::parse_peers, wanted.servers),
          take(all, "secret-file", read_secret, wanted.secret),
          take(all, "wait", parse_switch, wanted.waits_for_go),
          take(all, "go-after", parse_go_after, wanted.go_after),
          take(all, "priority", parse_priority, wanted.priority),
          take(all, "confirm", parse_confirm, wanted.confirm),
          take(all, "auth", parse_auth, trusts),
          take(all, "wal-segment", parse_segment_size, wanted.segment_size),
          take(all, "wal-keep", parse_kept_log, wanted.kept_log),
          take(all, "batches-in-flight", parse_batches, wanted.batches_in_flight)}) {
        if (!taken) {
            return taken;
        }
    }
    if (all.find("confirm")->origin == "default") {
        wanted.confirm.reset(); // Who says nothing does not contradict what was said once.
    }
    const bool begins = wanted.is_alone || !wanted.servers.empty();
    if (wanted.is_alone && !wanted.servers.empty()) {
        return error{errc::invalid, "--primary begins a cluster of one server, and --peers one of "
                                    "several. Give one of them"};
    }
    if (wanted.waits_for_go && !begins) {
        return error{errc::invalid, "--wait belongs to --primary or --peers"};
    }
    if (wanted.go_after && !wanted.waits_for_go) {
        return error{errc::invalid, "--go-after belongs to --wait"};
    }
    if (into.id) {
        listen_as_listed(all, *into.id, into);
    }
    return {};
}

} // namespace almenara::almenarad
