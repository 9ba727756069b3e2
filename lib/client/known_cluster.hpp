#pragma once

#include "base/error.hpp"
#include "base/ids.hpp"
#include "wire/members.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::client {

/// C.3: what a client remembers of a cluster, so that the address it began with may be dead the
/// next time.
struct known_cluster {
    /// Bounds of what is written down and read.
    static constexpr std::size_t most_members = 64;
    static constexpr std::size_t most_addresses = 8;
    static constexpr std::size_t most_names = 16;

    cluster_id id;
    epoch seen; ///< the newest in which a primary has served; it never goes back
    log_index config;
    std::vector<wire::member_address> members; ///< as of that configuration
    std::vector<std::string> names;            ///< by which people reached it, the newest in front
    std::uint64_t used = 0;                    ///< the cluster that was used last has the greatest

    /// Whether one of these is a name or an address of it.
    [[nodiscard]] bool is_reached_by(const std::vector<std::string>& servers) const;
    void add_name(const std::string& name);
    /// Takes what the other one knows better.
    void learn(const known_cluster& other);

    friend bool operator==(const known_cluster&, const known_cluster&) = default;
};

/// The file: lines of words, the last one a checksum of all before it. What has no place in a line
/// or is beyond the bounds is left out.
[[nodiscard]] std::string to_text(const known_cluster& what);
[[nodiscard]] result<known_cluster> parse_known_cluster(std::string_view text);

/// `text` with its checksum behind it, and the reverse; fails if it is not the right one.
[[nodiscard]] std::string with_checksum(std::string text);
[[nodiscard]] result<std::string_view> without_checksum(std::string_view text);

} // namespace almenara::client
