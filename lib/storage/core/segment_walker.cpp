#include "storage/core/segment_walker.hpp"

#include <algorithm>

namespace almenara::storage::core {

namespace {

/// How much is read at once where every block is looked at.
constexpr std::uint64_t window_size = std::uint64_t{1} << 20U;

bool all_zero(base::byte_view bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

} // namespace

segment_walker::segment_walker(segment_source& source,
                               const segment_header& header,
                               std::uint64_t limit)
    : source_(source),
      uuid_(header.uuid),
      blank_(header.blank),
      limit_(std::min(limit, source.size()) / block_size * block_size) {}

base::byte_view segment_walker::block(std::uint64_t offset) {
    if (window_.empty() || offset < window_at_ || offset >= window_at_ + window_.size()) {
        window_at_ = offset;
        window_.resize(std::min(window_size, limit_ - offset));
        if (!source_.read(offset, window_)) {
            // What cannot be read must not hide what is behind it.
            window_.resize(block_size);
            if (!source_.read(offset, window_)) {
                window_.clear();
                return {};
            }
        }
    }
    return base::byte_view{window_}.subspan(offset - window_at_, block_size);
}

std::optional<read_batch> segment_walker::at(std::uint64_t offset) {
    if (offset < block_size || offset >= limit_) {
        return std::nullopt;
    }
    const auto header = decode_batch_header(block(offset), uuid_);
    if (!header || header->padded() > limit_ - offset) {
        return std::nullopt;
    }
    const std::uint64_t in_window = offset - window_at_;
    if (header->padded() <= window_.size() - in_window) {
        const base::byte_view whole = base::byte_view{window_}.subspan(in_window, header->padded());
        bytes_.assign(whole.begin(), whole.end());
    } else {
        bytes_.resize(header->padded());
        if (!source_.read(offset, bytes_)) {
            return std::nullopt;
        }
    }
    auto content = decode_batch(*header, bytes_, uuid_);
    if (!content) {
        return std::nullopt;
    }
    return read_batch{.header = *header, .content = std::move(*content), .offset = offset};
}

std::optional<read_batch> segment_walker::next(std::uint64_t offset) {
    for (; offset < limit_; offset += block_size) {
        if (auto found = at(offset)) {
            return found;
        }
    }
    return std::nullopt;
}

bool segment_walker::blank_from(std::uint64_t offset) {
    if (offset >= limit_) {
        return true;
    }
    if (!blank_) {
        // A block that begins as a batch of ours does was written, whatever is wrong with the rest.
        const base::byte_view first = block(offset);
        return !first.empty() && !begins_batch(first, uuid_);
    }
    for (; offset < limit_; offset += block_size) {
        const base::byte_view bytes = block(offset);
        if (bytes.empty() || !all_zero(bytes)) {
            return false;
        }
    }
    return true;
}

} // namespace almenara::storage::core
