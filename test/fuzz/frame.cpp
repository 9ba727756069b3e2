// Any bytes as a stream of frames: cut anywhere it gives the same frames and the same failure as
// in one piece, the buffer grows only as bytes come, and what the frames hold can be dispatched.
#include "wire/frame.hpp"

#include "base/hash.hpp"
#include "base/random.hpp"
#include "fuzz/frame_input.hpp"
#include "fuzz/target.hpp"
#include "support/all_messages.hpp"
#include "support/rewriting.hpp"
#include "support/streams.hpp"
#include "wire/message_list.hpp"

#include <algorithm>

namespace almenara::fuzz {

namespace {

constexpr std::size_t checksum_at = 24;

void write_little_endian(std::span<std::byte> place, std::uint64_t number) {
    for (std::byte& byte : place) {
        byte = static_cast<std::byte>(number & 0xffU);
        number >>= 8U;
    }
}

/// Makes the checksum of every whole frame of the stream right.
void make_checksums_right(std::span<std::byte> stream) {
    while (stream.size() >= wire::header_size) {
        std::size_t length = 4;
        for (std::size_t i = 0; i < 4; ++i) {
            length += std::to_integer<std::size_t>(stream[i]) << (8 * i);
        }
        if (length < wire::header_size || length > stream.size()) {
            return;
        }
        const std::span<std::byte> checksum = stream.subspan(checksum_at, 8);
        write_little_endian(checksum, 0);
        write_little_endian(checksum, base::xxh3_64(stream.first(length)));
        stream = stream.subspan(length);
    }
}

test::taken_frames in_one_piece(base::byte_view stream, std::size_t largest_frame) {
    wire::frame_decoder decoder{largest_frame};
    test::taken_frames taken;
    test::feed(decoder, stream);
    test::take_all(decoder, taken);
    return taken;
}

test::taken_frames in_pieces(base::byte_view stream,
                             std::size_t largest_frame,
                             base::generator cuts) {
    wire::frame_decoder decoder{largest_frame};
    test::taken_frames taken;
    const std::size_t longest_piece = 1 + cuts.below(100);
    for (std::size_t come = 0; come < stream.size() && !taken.failure;) {
        const auto piece =
            std::min<std::size_t>(1 + cuts.below(longest_piece), stream.size() - come);
        test::feed(decoder, stream.subspan(come, piece));
        come += piece;
        ALMENARA_CHECK(decoder.capacity() <= std::max<std::size_t>(4096, 2 * come));
        test::take_all(decoder, taken);
    }
    return taken;
}

void dispatch_all(const test::taken_frames& taken) {
    for (const test::taken_frame& whole : taken.frames) {
        const auto outcome = wire::dispatch<test::all_messages>(
            {whole.header, whole.payload}, [&](const auto& message, base::byte_view attachment) {
                ALMENARA_CHECK(test::survives_rewriting(message));
                ALMENARA_CHECK(attachment.size() < whole.payload.size());
            });
        ALMENARA_CHECK(outcome || !outcome.error().message().empty());
    }
}

void run(frame_input input) {
    if ((input.options & frame_input::right_checksums) != std::byte{0}) {
        make_checksums_right(input.stream);
    }
    const std::size_t largest_frame = (input.options & frame_input::logged_in) != std::byte{0}
                                          ? wire::largest_control_frame
                                          : wire::largest_frame_before_login;
    const test::taken_frames whole = in_one_piece(input.stream, largest_frame);
    const test::taken_frames pieces =
        in_pieces(input.stream, largest_frame, base::generator{input.cuts});
    ALMENARA_CHECK(pieces == whole);
    dispatch_all(whole);
}

} // namespace

} // namespace almenara::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace almenara::fuzz;
    if (size < frame_input::prefix) {
        return -1;
    }
    const auto stream = input(data, size).subspan(frame_input::prefix);
    run({std::byte{data[0]}, data[1], {stream.begin(), stream.end()}});
    return 0;
}
