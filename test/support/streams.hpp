#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "wire/frame.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

/// A connection's bytes without a connection.
namespace almenara::test {

/// A frame that outlives the decoder's buffer.
struct taken_frame {
    wire::frame_header header;
    base::byte_vector payload;

    friend bool operator==(const taken_frame&, const taken_frame&) = default;
};

/// What came out of a decoder so far.
struct taken_frames {
    std::vector<taken_frame> frames;
    std::optional<error> failure;

    friend bool operator==(const taken_frames&, const taken_frames&) = default;
};

/// Reads the bytes into the decoder as a socket would: as many as fit, then again.
inline void feed(wire::frame_decoder& decoder, base::byte_view bytes) {
    while (!bytes.empty()) {
        const std::span<std::byte> space = decoder.free_space();
        const std::size_t count = std::min(space.size(), bytes.size());
        std::memcpy(space.data(), bytes.data(), count);
        decoder.received(count);
        bytes = bytes.subspan(count);
    }
}

/// Takes frames until there is none, or a failure.
inline void take_all(wire::frame_decoder& decoder, taken_frames& taken) {
    while (true) {
        const auto next = decoder.next();
        if (!next) {
            taken.failure = next.error();
            return;
        }
        if (!next->has_value()) {
            return;
        }
        const wire::frame& whole = **next;
        taken.frames.push_back({whole.header, {whole.payload.begin(), whole.payload.end()}});
    }
}

/// The same for a stream that is expected to be good.
[[nodiscard]] inline result<std::vector<taken_frame>> take_all(wire::frame_decoder& decoder) {
    taken_frames taken;
    take_all(decoder, taken);
    if (taken.failure) {
        return *taken.failure;
    }
    return std::move(taken.frames);
}

} // namespace almenara::test
