#include "wire/frame.hpp"

#include "base/hash.hpp"
#include "base/little_endian.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace almenara::wire {

namespace {

constexpr std::size_t length_at = 0;
constexpr std::size_t type_at = 4;
constexpr std::size_t flags_at = 6;
constexpr std::size_t epoch_at = 8;
constexpr std::size_t hlc_at = 16;
constexpr std::size_t checksum_at = 24;
constexpr std::size_t length_size = 4;

/// One read of an idle connection; most frames are smaller.
constexpr std::size_t first_capacity = 4096;
/// An empty buffer larger than this goes back: one large frame must not cost memory for ever.
constexpr std::size_t kept_capacity = 64 * 1024;

/// The checksum is taken over the frame in place, with its own field zero.
std::uint64_t checksum_with_zero_field(std::byte* at, std::size_t size) {
    base::put_fixed<std::uint64_t>(at + checksum_at, 0);
    return base::xxh3_64({at, size});
}

} // namespace

namespace detail {

void seal_frame(std::byte* at, std::size_t size, const frame_header& header) {
    base::put_fixed(at + length_at, static_cast<std::uint32_t>(size - length_size));
    base::put_fixed(at + type_at, header.type.value());
    base::put_fixed(at + flags_at, header.flags.bits());
    base::put_fixed(at + epoch_at, header.epoch.value());
    base::put_fixed(at + hlc_at, header.hlc.value());
    base::put_fixed(at + checksum_at, checksum_with_zero_field(at, size));
}

} // namespace detail

frame_decoder::frame_decoder(std::size_t largest_frame) : largest_frame_(largest_frame) {}

std::span<std::byte> frame_decoder::free_space() {
    if (begin_ == end_) {
        begin_ = end_ = 0;
        if (buffer_.size() > kept_capacity) {
            buffer_ = base::byte_vector{};
        }
    }
    if (end_ == buffer_.size() && begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= std::exchange(begin_, 0);
    }
    if (end_ == buffer_.size()) {
        buffer_.resize(std::max(first_capacity, buffer_.size() * 2));
    }
    return std::span{buffer_}.subspan(end_);
}

void frame_decoder::received(std::size_t count) {
    ALMENARA_CHECK(count <= buffer_.size() - end_);
    end_ += count;
}

result<std::optional<frame>> frame_decoder::next() {
    if (failure_) {
        return *failure_;
    }
    if (unfinished() < length_size) {
        return std::optional<frame>{};
    }
    std::byte* const at = buffer_.data() + begin_;
    const std::size_t size = length_size + base::get_fixed<std::uint32_t>(at + length_at);
    if (size < header_size) {
        failure_ = error{errc::malformed, fmt::format("reading a frame: {} bytes are less than its "
                                                      "header",
                                                      size)};
        return *failure_;
    }
    if (size > largest_frame_) {
        failure_ = error{errc::too_large, fmt::format("reading a frame: {} bytes are over the "
                                                      "limit of {}",
                                                      size, largest_frame_)};
        return *failure_;
    }
    if (unfinished() < size) {
        return std::optional<frame>{};
    }
    const auto claimed = base::get_fixed<std::uint64_t>(at + checksum_at);
    if (checksum_with_zero_field(at, size) != claimed) {
        failure_ = error{errc::bad_checksum, "reading a frame: its checksum is wrong"};
        return *failure_;
    }

    frame whole;
    whole.header.type = message_type{base::get_fixed<std::uint16_t>(at + type_at)};
    whole.header.flags = frame_flags::from_bits(base::get_fixed<std::uint16_t>(at + flags_at));
    whole.header.epoch = epoch{base::get_fixed<std::uint64_t>(at + epoch_at)};
    whole.header.hlc = hlc_stamp{base::get_fixed<std::uint64_t>(at + hlc_at)};
    whole.payload = base::byte_view{at + header_size, size - header_size};
    begin_ += size;
    return std::optional<frame>{whole};
}

} // namespace almenara::wire
