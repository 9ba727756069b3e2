#include "base/random.hpp"
#include "support/all_messages.hpp"
#include "support/allocations.hpp"
#include "support/bytes.hpp"
#include "support/printing.hpp"
#include "support/results.hpp"
#include "support/rewriting.hpp"
#include "support/samples.hpp"
#include "wire/codec.hpp"
#include "wire/json.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <cstdint>
#include <string>

// What holds for every message of every room, found by reflection: a new message needs no new test.
namespace almenara::wire {

namespace {

using test::encoded;

/// A function for each message: all of them in one is more than a compiler that checks addresses
/// does in minutes.
template <class Message, class Check>
[[gnu::noinline]] void check_samples(message_type type, std::uint64_t rounds, const Check& check) {
    for (const test::fullness full : test::every_fullness) {
        base::generator random{type.value()};
        for (std::uint64_t round = 0; round < rounds; ++round) {
            const auto sample = test::make_sample<Message>(random, full);
            INFO(to_text(sample));
            check(sample);
        }
    }
}

/// Calls check(sample) for `rounds` different samples of each fullness of each message.
template <class Check>
void for_each_sample(std::uint64_t rounds, const Check& check) {
    for_each_message<test::all_messages>(
        [&]<class Message>(message_type type) { check_samples<Message>(type, rounds, check); });
}

/// Whatever these bytes are: reading them does no harm, and if they are a message, then it can be
/// written and read again.
template <class Message>
[[gnu::noinline]] void check_any_bytes(base::byte_view bytes) {
    const auto message = decode<Message>(bytes);
    if (message) {
        REQUIRE(test::survives_rewriting(*message));
    }
}

} // namespace

TEST_CASE("samples depend on nothing but the seed") {
    base::generator one{1};
    base::generator same{1};
    CHECK(test::make_sample<status_reply>(one, test::fullness::some) ==
          test::make_sample<status_reply>(same, test::fullness::some));
    CHECK_FALSE(test::make_sample<status_reply>(one, test::fullness::some) ==
                test::fixed_sample<status_reply>(message_type{1}));
}

TEST_CASE("samples without anything leave out what may be left out, full ones nothing") {
    base::generator random{1};
    const auto bare = test::make_sample<status_reply>(random, test::fullness::nothing);
    CHECK_FALSE(bare.cluster);
    CHECK(bare.servers.empty());
    const auto full = test::make_sample<status_reply>(random, test::fullness::everything);
    CHECK(full.cluster);
    REQUIRE_FALSE(full.servers.empty());
    CHECK(full.servers[0].last_heard);
}

TEST_CASE("every message comes back from its bytes as it was") {
    for_each_sample(50, []<class Message>(const Message& sample) {
        const base::byte_vector bytes = encoded(sample);
        const auto read = test::value_of(decode<Message>(bytes));
        REQUIRE(read == sample);
        REQUIRE(encoded(read) == bytes);
    });
}

TEST_CASE("every message is written in as many bytes as it said it would need") {
    for_each_sample(20, [](const auto& sample) {
        REQUIRE(encoded(sample).size() == encoded_size(sample));
        REQUIRE(encoded_size(sample) >= smallest_size<std::decay_t<decltype(sample)>>());
    });
}

TEST_CASE("every message is written with at most one allocation, and none into a used buffer") {
    for_each_sample(5, [](const auto& sample) {
        base::byte_vector out;
        REQUIRE(test::allocations_of([&] { encode(sample, out); }).count <= 1);
        out.clear();
        REQUIRE(test::allocations_of([&] { encode(sample, out); }).count == 0);
    });
}

// The length in front of the outermost struct makes it so: wherever the bytes end, they end before
// it does.
TEST_CASE("every message cut anywhere is truncated") {
    for_each_sample(5, []<class Message>(const Message& sample) {
        const base::byte_vector bytes = encoded(sample);
        for (std::size_t length = 0; length < bytes.size(); ++length) {
            const auto cut = decode<Message>(base::byte_view{bytes}.first(length));
            REQUIRE(test::failure_of(cut).code == errc::truncated);
        }
    });
}

TEST_CASE("every message may have bytes behind it only where an attachment may be") {
    for_each_sample(5, []<class Message>(const Message& sample) {
        base::byte_vector bytes = encoded(sample);
        bytes.push_back(std::byte{0});
        REQUIRE(test::failure_of(decode<Message>(bytes)).code == errc::malformed);
        const auto front = test::value_of(decode_front<Message>(bytes));
        REQUIRE(front.value == sample);
        REQUIRE(front.rest.size() == 1);
    });
}

TEST_CASE("every message of a newer peer, with members behind ours, is read without them") {
    for_each_sample(5, []<class Message>(const Message& sample) {
        constexpr std::size_t added = 3;
        const std::size_t members = detail::members_size(sample);
        base::byte_vector bytes(detail::varint_size(members + added));
        detail::put_varint(bytes.data(), members + added);
        const base::byte_vector plain = encoded(sample);
        bytes.insert(bytes.end(), plain.end() - static_cast<std::ptrdiff_t>(members), plain.end());
        bytes.resize(bytes.size() + added, std::byte{0xff});
        REQUIRE(test::value_of(decode<Message>(bytes)) == sample);
    });
}

TEST_CASE("every message with any one bit turned is refused, or is another message") {
    for_each_sample(2, []<class Message>(const Message& sample) {
        const base::byte_vector bytes = encoded(sample);
        for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
            check_any_bytes<Message>(test::with_bit_flipped(bytes, bit));
        }
    });
}

TEST_CASE("no random bytes do harm to the reader of any message") {
    base::generator random{2};
    for_each_message<test::all_messages>([&]<class Message>(message_type) {
        for (int round = 0; round < 2000; ++round) {
            base::byte_vector bytes(random.below(200));
            for (std::byte& byte : bytes) {
                // Small numbers are likelier to be counts and lengths that fit.
                byte = static_cast<std::byte>(random.below(random.chance(1, 2) ? 4 : 256));
            }
            if (bytes.size() > 1 && random.chance(3, 4)) {
                bytes.resize(std::min<std::size_t>(bytes.size(), 128));
                bytes[0] = static_cast<std::byte>(bytes.size() - 1);
            }
            check_any_bytes<Message>(bytes);
        }
    });
}

TEST_CASE("F: no message, whatever is done to it, takes more memory than its size allows") {
    for_each_sample(2, []<class Message>(const Message& sample) {
        const base::byte_vector bytes = encoded(sample);
        // A short text may take up to twice its length: that is the least std::string allocates.
        const std::size_t allowed = 2 * (bytes.size() * decode_limits{}.growth + 4096);
        for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
            const base::byte_vector damaged = test::with_bit_flipped(bytes, bit);
            Message value{};
            const auto allocated = test::allocations_of([&] {
                reader in{damaged};
                get(in, value);
            });
            REQUIRE(allocated.bytes <= allowed);
        }
    });
}

TEST_CASE("every message prints, and as JSON it can be parsed again") {
    for_each_sample(20, []<class Message>(const Message& sample) {
        CHECK(to_text(sample).find(name_of<Message>()) == 0);
        const boost::json::value json = to_json(sample);
        REQUIRE(boost::json::parse(boost::json::serialize(json)) == json);
    });
}

} // namespace almenara::wire
