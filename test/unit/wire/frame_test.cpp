#include "wire/frame.hpp"

#include "base/hash.hpp"
#include "base/random.hpp"
#include "support/bytes.hpp"
#include "support/last_words.hpp"
#include "support/printing.hpp"
#include "support/results.hpp"
#include "support/streams.hpp"

#include <catch2/catch_all.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace almenara::wire::frame_test {

struct note {
    std::uint32_t number = 0;
    std::string text;
};
ALMENARA_DESCRIBE(note, number, text)

namespace {

using test::feed;
using test::take_all;
using test::taken_frame;

constexpr frame_header some_header{
    .type = message_type{0x0201},
    .flags = {frame_flag::ignorable},
    .epoch = epoch{0x0102030405060708},
    .hlc = hlc_stamp{0x1112131415161718},
};

base::byte_vector frame_of(const note& body, base::byte_view attachment = {}) {
    base::byte_vector bytes;
    append_frame(some_header, body, bytes, attachment);
    return bytes;
}

/// A frame of exactly this many bytes.
base::byte_vector frame_of_size(std::size_t size) {
    const std::size_t without = frame_of({}).size();
    return frame_of({}, base::byte_vector(size - without, std::byte{0x5a}));
}

/// Four frames of different sizes in a row, one of them with nothing but a header and one with an
/// attachment.
base::byte_vector some_stream() {
    base::byte_vector stream;
    append_frame(some_header, note{1, "first"}, stream);
    append_frame({.type = message_type{2}}, note{}, stream);
    append_frame({}, note{3, std::string(100, 'x')}, stream, base::as_bytes("attached"));
    append_frame(some_header, note{4, "last"}, stream);
    return stream;
}

std::vector<taken_frame> frames_of(base::byte_view stream) {
    frame_decoder decoder{largest_control_frame};
    feed(decoder, stream);
    return test::value_of(take_all(decoder));
}

errc refusal_of(frame_decoder& decoder) {
    return test::failure_of(decoder.next()).code;
}

/// What is still to come is refused or waited for; never taken for a frame.
bool gives_no_frame(base::byte_view stream) {
    frame_decoder decoder{largest_control_frame};
    feed(decoder, stream);
    const auto next = decoder.next();
    return !next || !next->has_value();
}

} // namespace

TEST_CASE("B.2 the header is 32 bytes, little endian, and counts what is behind its length") {
    const base::byte_vector bytes = frame_of({5, "ab"}, base::as_bytes("xyz"));
    const std::string hex = base::to_hex(bytes);
    CHECK(bytes.size() == header_size + 5 + 3);
    CHECK(hex.substr(0, 8) == "24000000");           // length: 40 - 4
    CHECK(hex.substr(8, 4) == "0102");               // type
    CHECK(hex.substr(12, 4) == "0100");              // flags
    CHECK(hex.substr(16, 16) == "0807060504030201"); // epoch
    CHECK(hex.substr(32, 16) == "1817161514131211"); // hlc
    CHECK(hex.substr(64) == "0405026162"
                            "78797a"); // body, attachment
}

TEST_CASE("B.2 the checksum is taken over everything, its own field as zero") {
    base::byte_vector bytes = frame_of({5, "ab"}, base::as_bytes("xyz"));
    base::byte_vector written(bytes.begin() + 24, bytes.begin() + 32);
    std::reverse(written.begin(), written.end());
    std::fill(bytes.begin() + 24, bytes.begin() + 32, std::byte{0});
    CHECK(base::to_hex(written) == fmt::format("{:016x}", base::xxh3_64(bytes)));
}

TEST_CASE("a frame comes out as it went in, its attachment behind the body") {
    const auto frames = frames_of(frame_of({5, "ab"}, base::as_bytes("xyz")));
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].header == some_header);
    const auto body = test::value_of(decode_front<note>(frames[0].payload));
    CHECK(body.value == note{5, "ab"});
    CHECK(base::as_text(body.rest) == "xyz");
}

TEST_CASE("B.2 a stream cut in two anywhere gives the same frames") {
    const base::byte_vector stream = some_stream();
    const auto whole = frames_of(stream);
    REQUIRE(whole.size() == 4);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        CAPTURE(cut);
        frame_decoder decoder{largest_control_frame};
        feed(decoder, base::byte_view{stream}.first(cut));
        auto frames = test::value_of(take_all(decoder));
        feed(decoder, base::byte_view{stream}.subspan(cut));
        for (taken_frame& frame : test::value_of(take_all(decoder))) {
            frames.push_back(std::move(frame));
        }
        REQUIRE(frames == whole);
        REQUIRE(decoder.unfinished() == 0);
    }
}

TEST_CASE("B.2 a stream that comes byte by byte gives the same frames") {
    const base::byte_vector stream = some_stream();
    frame_decoder decoder{largest_control_frame};
    std::vector<taken_frame> frames;
    for (const std::byte byte : stream) {
        feed(decoder, {&byte, 1});
        for (taken_frame& frame : test::value_of(take_all(decoder))) {
            frames.push_back(std::move(frame));
        }
    }
    CHECK(frames == frames_of(stream));
}

TEST_CASE("B.2 a long stream in pieces of any size gives the same frames") {
    base::generator random{GENERATE(as<std::uint64_t>{}, 1, 2, 3, 4, 5)};
    base::byte_vector stream;
    for (std::uint32_t number = 0; number < 200; ++number) {
        const auto length = static_cast<std::size_t>(random.below(number % 10 == 0 ? 20'000 : 200));
        append_frame({}, note{number, std::string(length, 'x')}, stream);
    }
    frame_decoder decoder{largest_control_frame};
    std::vector<taken_frame> frames;
    for (base::byte_view rest{stream}; !rest.empty();) {
        const auto piece = std::min<std::size_t>(1 + random.below(6000), rest.size());
        feed(decoder, rest.first(piece));
        rest = rest.subspan(piece);
        for (taken_frame& frame : test::value_of(take_all(decoder))) {
            frames.push_back(std::move(frame));
        }
    }
    CHECK(frames == frames_of(stream));
}

TEST_CASE("frames of one read stay readable until the next read") {
    frame_decoder decoder{largest_control_frame};
    feed(decoder, some_stream());
    const frame first = *test::value_of(decoder.next());
    const frame second = *test::value_of(decoder.next());
    CHECK(decode<note>(first.payload)->text == "first");
    CHECK(decode<note>(second.payload)->text.empty());
}

TEST_CASE("half a frame is waited for, and its bytes are counted") {
    const base::byte_vector bytes = frame_of({5, "ab"});
    for (std::size_t come = 0; come < bytes.size(); ++come) {
        frame_decoder decoder{largest_control_frame};
        feed(decoder, base::byte_view{bytes}.first(come));
        REQUIRE_FALSE(test::value_of(decoder.next()));
        REQUIRE(decoder.unfinished() == come);
    }
}

TEST_CASE("B.2 a frame longer than the limit is refused before its body has come") {
    const std::size_t limit = GENERATE(as<std::size_t>{}, 100, largest_frame_before_login);
    const base::byte_vector fits = frame_of_size(limit);
    frame_decoder decoder{limit};
    feed(decoder, fits);
    CHECK(test::value_of(decoder.next()));

    const base::byte_vector too_long = frame_of_size(limit + 1);
    feed(decoder, base::byte_view{too_long}.first(3));
    CHECK_FALSE(test::value_of(decoder.next()));
    feed(decoder, base::byte_view{too_long}.subspan(3, 1));
    const error failure = test::failure_of(decoder.next());
    CHECK(failure.code == errc::too_large);
    CHECK(failure.message() ==
          fmt::format("reading a frame: {} bytes are over the limit of {}", limit + 1, limit));
}

TEST_CASE("a length that four bytes can barely say is refused like any other") {
    frame_decoder decoder{largest_bulk_frame};
    feed(decoder, test::from_hex("ffffffff"));
    CHECK(refusal_of(decoder) == errc::too_large);
}

TEST_CASE("a frame shorter than its header is refused") {
    const std::uint8_t length = GENERATE(as<std::uint8_t>{}, 0, 1, 27);
    frame_decoder decoder{largest_control_frame};
    feed(decoder, base::byte_vector{std::byte{length}, {}, {}, {}});
    CHECK(refusal_of(decoder) == errc::malformed);
}

TEST_CASE("a frame of a header alone is whole, and its body is found missing by who reads it") {
    base::byte_vector bytes(header_size);
    detail::seal_frame(bytes.data(), bytes.size(), {});
    const auto frames = frames_of(bytes);
    REQUIRE(frames.size() == 1);
    CHECK(test::failure_of(decode<note>(frames[0].payload)).code == errc::truncated);
}

TEST_CASE("F: after login longer frames may come, from the next frame on") {
    const base::byte_vector large = frame_of_size(largest_frame_before_login + 1);
    frame_decoder decoder{largest_frame_before_login};
    feed(decoder, some_stream());
    REQUIRE(test::value_of(decoder.next()));
    decoder.set_largest_frame(largest_control_frame);
    feed(decoder, large);
    CHECK(test::value_of(take_all(decoder)).size() == 4);
}

TEST_CASE("F: the buffer grows as bytes come, not as they are announced") {
    const base::byte_vector large = frame_of_size(largest_control_frame);
    frame_decoder decoder{largest_control_frame};
    std::size_t come = 0;
    while (come < large.size()) {
        const auto piece = std::min<std::size_t>(1000, large.size() - come);
        feed(decoder, base::byte_view{large}.subspan(come, piece));
        come += piece;
        REQUIRE(decoder.capacity() <= std::max<std::size_t>(4096, 2 * come));
        REQUIRE(test::value_of(decoder.next()).has_value() == (come == large.size()));
    }
}

TEST_CASE("F: a decoder that nobody talked to holds no buffer") {
    CHECK(frame_decoder{largest_control_frame}.capacity() == 0);
}

TEST_CASE("the buffer of a large frame is given back when it is empty") {
    frame_decoder decoder{largest_control_frame};
    feed(decoder, frame_of_size(500'000));
    REQUIRE(test::value_of(decoder.next()));
    CHECK(decoder.capacity() >= 500'000);
    CHECK_FALSE(decoder.free_space().empty());
    CHECK(decoder.capacity() <= 4096);
}

TEST_CASE("many small frames need no more than a small buffer") {
    frame_decoder decoder{largest_control_frame};
    base::byte_vector stream;
    for (int i = 0; i < 1000; ++i) {
        append_frame({}, note{1, "small"}, stream);
    }
    for (base::byte_view rest{stream}; !rest.empty();) {
        const auto piece = std::min<std::size_t>(101, rest.size());
        feed(decoder, rest.first(piece));
        rest = rest.subspan(piece);
        REQUIRE(test::value_of(take_all(decoder)).size() <= 3);
    }
    CHECK(decoder.capacity() == 4096);
}

TEST_CASE("B.2 a frame with any one bit turned is never taken for a frame") {
    const base::byte_vector bytes = frame_of({5, "ab"}, base::as_bytes("xyz"));
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        CAPTURE(bit);
        REQUIRE(gives_no_frame(test::with_bit_flipped(bytes, bit)));
    }
}

TEST_CASE("B.2 a frame with any one byte zeroed or inverted is never taken for a frame") {
    const base::byte_vector bytes = frame_of({5, "ab"}, base::as_bytes("xyz"));
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        CAPTURE(at);
        base::byte_vector damaged = bytes;
        damaged[at] = ~damaged[at];
        REQUIRE(gives_no_frame(damaged));
        damaged[at] = std::byte{0};
        REQUIRE((damaged == bytes || gives_no_frame(damaged)));
    }
}

TEST_CASE("after a damaged frame nothing is believed any more") {
    frame_decoder decoder{largest_control_frame};
    base::byte_vector damaged = frame_of({5, "ab"});
    damaged.back() ^= std::byte{1};
    feed(decoder, damaged);
    CHECK(refusal_of(decoder) == errc::bad_checksum);
    feed(decoder, frame_of({5, "ab"}));
    CHECK(refusal_of(decoder) == errc::bad_checksum);
}

TEST_CASE("a length once refused is not taken after all when the limit is raised") {
    const base::byte_vector bytes = frame_of_size(200);
    frame_decoder decoder{100};
    feed(decoder, bytes);
    CHECK(refusal_of(decoder) == errc::too_large);
    decoder.set_largest_frame(largest_control_frame);
    CHECK(refusal_of(decoder) == errc::too_large);
}

TEST_CASE("good frames before a damaged one are still handed out") {
    frame_decoder decoder{largest_control_frame};
    feed(decoder, frame_of({5, "ab"}));
    feed(decoder, test::from_hex("00000000"));
    CHECK(test::value_of(decoder.next()));
    CHECK(refusal_of(decoder) == errc::malformed);
}

TEST_CASE("more received than there was room for is a broken invariant") {
    const std::string words = test::last_words([] {
        frame_decoder decoder{largest_control_frame};
        decoder.received(decoder.free_space().size() + 1);
    });
    CHECK(words.find("invariant broken: count") != std::string::npos);
}

} // namespace almenara::wire::frame_test
