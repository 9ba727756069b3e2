#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/session_ids.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

/// The bytes of a session's file (C.1, C.3): a header, and behind it a record for each operation
/// that was written down before it was sent.
namespace almenara::client {

struct session_header {
    cluster_id cluster;
    session_id session;
    std::uint32_t window = 0; ///< results that the servers keep
    std::uint32_t boot = 0; ///< of which start of the machine the records are; 0 of an unknown one
    sequence next;          ///< no number from here on was used, but for those of the records
};

/// An operation that nobody was told the end of.
struct kept_operation {
    sequence seq;
    base::byte_vector body;

    friend bool operator==(const kept_operation&, const kept_operation&) = default;
};

inline constexpr std::size_t session_header_size = 64;
inline constexpr std::size_t record_head_size = 16;
/// More than any operation that servers take.
inline constexpr std::size_t largest_kept_body = std::size_t{4} << 20U;

[[nodiscard]] base::byte_vector encode_header(const session_header& what);

/// Appends the record that is to stand at `offset` of the file.
void append_record(base::byte_vector& out, std::uint64_t offset, const kept_operation& what);

/// Where a record says in one byte whether its operation has ended. It is changed in place, which
/// needs no room: a full disk must not make anybody send again what has ended.
[[nodiscard]] constexpr std::uint64_t mark_of_record(std::uint64_t offset) {
    return offset + 4;
}
inline constexpr std::byte open_mark{0xa5};
inline constexpr std::byte ended_mark{0x5a};

struct session_content {
    struct record {
        std::uint64_t offset;
        kept_operation operation;
    };
    session_header header;
    std::vector<record> open;
    sequence next; ///< never used
    std::uint64_t size = 0;
    /// Why it cannot be read to its end. `open` is what stands before that: whether it is still
    /// open, and what else there was, nobody knows.
    std::optional<error> damage;
};

[[nodiscard]] std::vector<kept_operation> open_in(const session_content& content);

/// Fails if not even the header can be read.
[[nodiscard]] result<session_content> read_session_file(base::byte_view bytes);

} // namespace almenara::client
