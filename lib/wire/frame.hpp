#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/flags.hpp"
#include "base/hlc.hpp"
#include "base/ids.hpp"
#include "base/strong.hpp"
#include "wire/codec.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

/// B.2: a frame is a fixed header, a body (one described struct) and an optional raw attachment.
///
///     u32 length | u16 type | u16 flags | u64 epoch | u64 hlc | u64 xxh3 | body | attachment
///
/// Little endian. `length` counts the bytes after it; the checksum covers everything with its own
/// field taken as zero.
namespace almenara::wire {

/// Number of a message: links 0x01xx, clients 0x02xx, UDP 0x03xx, services from 0x1000.
using message_type = base::strong<struct message_type_tag, std::uint16_t>;

enum class frame_flag : std::uint16_t {
    ignorable = 1, ///< a receiver that does not know the type skips the frame
};
using frame_flags = base::flags<frame_flag>;

struct frame_header {
    message_type type;
    frame_flags flags;
    almenara::epoch epoch; ///< zero from clients
    hlc_stamp hlc;         ///< zero from clients

    friend bool operator==(const frame_header&, const frame_header&) = default;
};

/// A whole frame with a good checksum, still in the decoder's buffer.
struct frame {
    frame_header header;
    base::byte_view payload; ///< body and attachment
};

inline constexpr std::size_t header_size = 32;

/// Largest frames by state of the connection (B.13), everything counted.
inline constexpr std::size_t largest_frame_before_login = 16 * 1024;
inline constexpr std::size_t largest_control_frame = 1024 * 1024;
inline constexpr std::size_t largest_bulk_frame = 4 * 1024 * 1024;

/// Appends the frame to `out`: at most one allocation, none when `out` has room.
template <described_struct T>
void append_frame(const frame_header& header,
                  const T& body,
                  base::byte_vector& out,
                  base::byte_view attachment = {});

/// Turns a stream of bytes, cut anywhere, into frames. The caller reads into free_space(), says how
/// much came, and takes frames until there is none. A failure sticks: after damaged bytes nobody
/// can say where the next frame begins.
class frame_decoder {
  public:
    explicit frame_decoder(std::size_t largest_frame);

    /// Where to read to; never empty. Frames handed out before are gone after this call.
    [[nodiscard]] std::span<std::byte> free_space();
    void received(std::size_t count);

    /// The next whole frame, or nothing yet. The length is judged as soon as it is there, and the
    /// buffer grows only as bytes arrive: a claim alone costs the claimant's peer nothing.
    [[nodiscard]] result<std::optional<frame>> next();

    /// Another state of the connection, another limit. Applies to the next frame.
    void set_largest_frame(std::size_t bytes) { largest_frame_ = bytes; }

    /// Bytes of a frame that is not whole yet.
    [[nodiscard]] std::size_t unfinished() const { return end_ - begin_; }

    [[nodiscard]] std::size_t capacity() const { return buffer_.size(); }

  private:
    base::byte_vector buffer_;
    std::size_t begin_ = 0; ///< the first byte that is not handed out
    std::size_t end_ = 0;   ///< behind the last byte received
    std::size_t largest_frame_;
    std::optional<error> failure_;
};

namespace detail {

/// Writes the header of a frame whose bytes from `at` on have this total size, and its checksum.
void seal_frame(std::byte* at, std::size_t size, const frame_header& header);

} // namespace detail

template <described_struct T>
void append_frame(const frame_header& header,
                  const T& body,
                  base::byte_vector& out,
                  base::byte_view attachment) {
    const std::size_t before = out.size();
    const std::size_t size = header_size + encoded_size(body) + attachment.size();
    out.resize(before + size);
    std::byte* const at = out.data() + before;
    std::byte* const behind = put(at + header_size, body);
    ALMENARA_CHECK(detail::put_bytes(behind, attachment.data(), attachment.size()) == at + size);
    detail::seal_frame(at, size, header);
}

} // namespace almenara::wire
