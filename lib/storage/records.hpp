#pragma once

#include "base/hash.hpp"
#include "base/ids.hpp"
#include "wire/described.hpp"
#include "wire/members.hpp"
#include "wire/message_list.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What stands in files: framed and encoded like messages, so the checksum, the limits and the
/// rule that fields are only appended are the same.
namespace almenara::storage {

/// Raised when an older version must not open a directory that a newer one wrote.
inline constexpr std::uint16_t directory_format = 1;

/// File `identity` of a data directory: whose disk this is (B.1).
struct identity_record {
    std::uint16_t format = directory_format;
    data_uuid uuid;
    server_id server;
    /// The log was made: where there is none any more, promises are forgotten (B.1).
    bool has_log = false;
};
ALMENARA_DESCRIBE(identity_record, format, uuid, server, has_log)

/// File `cluster`: what the operator said of the cluster, so that a restart needs no words (B.12).
struct cluster_record {
    std::vector<wire::member_address> servers; ///< where to dial; sorted by id
    std::vector<std::string> options;          ///< as `name=value`; what counts stands in the log
    std::optional<base::key256> secret;
};
ALMENARA_DESCRIBE(cluster_record, servers, options, secret)

/// Numbers 0x04xx.
using storage_records =
    wire::message_list<wire::listed<identity_record, 0x0401>, wire::listed<cluster_record, 0x0402>>;

} // namespace almenara::storage
