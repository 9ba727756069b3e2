#pragma once

#include "base/strong.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace almenara {

/// The exactly-once context of a client (C.1): random, made by the primary that opened it.
using session_id = base::strong<struct session_id_tag, std::array<std::byte, 16>>;

/// What a person logs in from (C.1).
using device_id = base::strong<struct device_id_tag, std::array<std::byte, 16>>;

/// Random, made once by a client for a device: whichever primary hears it from the same user finds
/// the same device (C.1).
using device_nonce = base::strong<struct device_nonce_tag, std::array<std::byte, 16>>;

/// Names a device in datagrams without giving its id away (C.2).
using device_tag = base::strong<struct device_tag_tag, std::uint64_t>;

/// Random, made by a client for one opening, so that even that can be tried again (C.1).
using open_nonce = base::strong<struct open_nonce_tag, std::array<std::byte, 16>>;

/// Number of an operation in its session, from 1, never used again with another body (C.1).
using sequence = base::strong<struct sequence_tag, std::uint64_t>;

} // namespace almenara
