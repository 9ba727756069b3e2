#pragma once

#include "base/strong.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace almenara {

/// Number of a server in its cluster, chosen by the operator. 0 is no server.
using server_id = base::strong<struct server_id_tag, std::uint16_t>;

/// Number of an election; at most one primary each (B.1). 0 is none.
using epoch = base::strong<struct epoch_tag, std::uint64_t>;

/// Position in the replicated log, from 1, dense (B.1). 0 is before the first entry.
using log_index = base::strong<struct log_index_tag, std::uint64_t>;

/// What a cluster is known by; servers and clients of another one are refused (B.1).
using cluster_id = base::strong<struct cluster_id_tag, std::array<std::byte, 16>>;

/// Random, written when a data directory is created; a wiped disk has a new one (B.1).
using data_uuid = base::strong<struct data_uuid_tag, std::array<std::byte, 16>>;

/// Number a client gives to a request; the reply echoes it (C.0).
using request_id = base::strong<struct request_id_tag, std::uint32_t>;

/// One accepted connection in this process. Never reused.
using connection_id = base::strong<struct connection_id_tag, std::uint64_t>;

} // namespace almenara
