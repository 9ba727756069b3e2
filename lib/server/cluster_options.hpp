#pragma once

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/config.hpp"
#include "storage/records.hpp"
#include "wire/members.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::server {

/// What an operator says of the cluster when a server starts. All but the first two and `confirm`
/// is also said, by its absence, when nothing is.
struct cluster_options {
    std::vector<wire::member_address> servers; ///< `--peers`, sorted by id
    bool is_alone = false;                     ///< `-p`: a list of this server only
    std::optional<base::key256> secret;
    bool waits_for_go = false;
    std::optional<duration> go_after;
    std::uint16_t priority = 0;
    std::optional<std::string> advertised; ///< HOST:PORT for others; none: where it listens
    std::optional<replica::confirm_policy> confirm; ///< for the first start; none: sync-set
    std::uint64_t segment_size = std::uint64_t{64} << 20U;
    std::uint64_t kept_log = std::uint64_t{256} << 20U; ///< B.8: behind what the state has
    std::size_t batches_in_flight = 1;
};

/// `confirm` as it is written: `sync-set`.
[[nodiscard]] std::string_view to_string(replica::confirm_policy policy);
[[nodiscard]] result<replica::confirm_policy> parse_confirm(std::string_view text);

/// What a list is to begin with, by its options as they are kept.
[[nodiscard]] result<replica::confirm_policy> confirm_in(const std::vector<std::string>& options);

/// `1=127.0.0.1:7401,2=127.0.0.1:7402`: sorted by id; two of an id or an address are refused.
[[nodiscard]] result<std::vector<wire::member_address>> parse_peers(std::string_view text);

/// 64 hex digits, and maybe the end of a line.
[[nodiscard]] result<base::key256> parse_secret(std::string_view text);

/// Who this server is: what makes a difference to what it may be told.
struct founder {
    server_id self;
    std::string address; ///< for others
    bool has_begun;      ///< it belongs to a cluster
};

/// What is to be kept and to be gone by: what was said now and what was said before. `warnings`
/// gets what was said now and does not count. The failure says what cannot be.
[[nodiscard]] result<storage::cluster_record> agree(
    const std::optional<storage::cluster_record>& before,
    const cluster_options& now,
    const founder& who,
    std::vector<std::string>& warnings);

} // namespace almenara::server
