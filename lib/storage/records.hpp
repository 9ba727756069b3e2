#pragma once

#include "base/ids.hpp"
#include "wire/described.hpp"
#include "wire/message_list.hpp"

#include <cstdint>
#include <optional>

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
};
ALMENARA_DESCRIBE(identity_record, format, uuid, server)

/// Numbers 0x04xx.
using storage_records = wire::message_list<wire::listed<identity_record, 0x0401>>;

} // namespace almenara::storage
