#pragma once

#include "base/bytes.hpp"
#include "state/codes.hpp"
#include "wire/codec.hpp"
#include "wire/described.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace almenara::state {

enum class change_kind : std::uint8_t {
    put,
    erase,
    splice, ///< writes over a part of a value, and makes it longer if it must
};
ALMENARA_DESCRIBE_ENUM(change_kind, put, erase, splice)

/// One row becomes different.
struct change {
    change_kind kind = change_kind::put;
    std::string key;
    base::byte_vector bytes;  ///< put: the value; splice: what is written at `offset`
    std::uint64_t offset = 0; ///< splice
};
ALMENARA_DESCRIBE(change, kind, key, bytes, offset)

/// What a client is told, now and whenever it asks again.
struct reply {
    result_code code = result_code::ok;
    base::byte_vector body; ///< at most limits::largest_result
};
ALMENARA_DESCRIBE(reply, code, body)

/// Payload of a log entry (architecture 2): what the primary decided. Everybody applies it, nobody
/// executes it again. A refusal is one whose only changes are those of its session.
struct update {
    std::vector<change> changes;
    state::reply reply;
};
ALMENARA_DESCRIBE(update, changes, reply)

/// No service makes rows of that size, nor keys: beyond it an update is not ours.
inline constexpr std::uint64_t largest_row = 16U << 20U;
inline constexpr std::size_t largest_row_key = 16U << 10U;

/// Whether a row can be so long.
[[nodiscard]] constexpr bool splice_fits(std::uint64_t offset, base::byte_view bytes) {
    return bytes.size() <= largest_row && offset <= largest_row - bytes.size();
}

/// What a splice that fits makes of a value: zeros fill what lies between its end and `offset`.
void splice_into(base::byte_vector& value, std::uint64_t offset, base::byte_view bytes);

} // namespace almenara::state
