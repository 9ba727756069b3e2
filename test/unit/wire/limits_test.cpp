#include "base/ids.hpp"
#include "support/allocations.hpp"
#include "support/bytes.hpp"
#include "support/printing.hpp"
#include "support/results.hpp"
#include "support/rewriting.hpp"
#include "wire/client_messages.hpp"
#include "wire/codec.hpp"
#include "wire/frame.hpp"

#include <catch2/catch_all.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// F: lengths, counts and depth are judged before anything is allocated.
namespace almenara::wire::limits_test {

struct tree {
    std::vector<tree> branches;
};
ALMENARA_DESCRIBE(tree, branches)

struct list_of_numbers {
    std::vector<std::uint64_t> numbers;
};
ALMENARA_DESCRIBE(list_of_numbers, numbers)

struct list_of_members {
    std::vector<member_address> members;
};
ALMENARA_DESCRIBE(list_of_members, members)

struct word {
    std::string text;
};
ALMENARA_DESCRIBE(word, text)

namespace {

using test::encoded;

/// A tree with this many structs from its root to its only leaf.
tree stick(unsigned length) {
    tree root;
    for (unsigned i = 1; i < length; ++i) {
        tree longer;
        longer.branches.push_back(std::move(root));
        root = std::move(longer);
    }
    return root;
}

struct attempt {
    std::optional<errc> failure;
    test::allocations allocated;
};

/// Reads without the error's text, so that only the reader's own allocations count.
template <class T>
attempt try_to_read(base::byte_view bytes, decode_limits limits = {}) {
    attempt tried;
    T value{};
    tried.allocated = test::allocations_of([&] {
        reader in{bytes, limits};
        get(in, value);
        if (in.failed()) {
            tried.failure = in.failure();
        }
    });
    return tried;
}

/// A struct whose only member is a vector of `count` elements, each of them a zero byte.
base::byte_vector zeros(std::size_t count) {
    base::byte_vector bytes(detail::varint_size(count) + count);
    detail::put_varint(bytes.data(), count);
    base::byte_vector framed(detail::varint_size(bytes.size()));
    detail::put_varint(framed.data(), bytes.size());
    framed.insert(framed.end(), bytes.begin(), bytes.end());
    return framed;
}

} // namespace

TEST_CASE("structs may be nested sixteen deep and no deeper") {
    CHECK(test::value_of(decode<tree>(encoded(stick(16)))) == stick(16));
    CHECK(test::failure_of(decode<tree>(encoded(stick(17)))).code == errc::too_deep);
    CHECK(test::failure_of(decode<tree>(encoded(stick(100)))).code == errc::too_deep);
}

TEST_CASE("depth counts what is nested, not what stands side by side") {
    tree wide;
    wide.branches.assign(40, stick(2));
    CHECK(test::value_of(decode<tree>(encoded(wide))) == wide);
}

TEST_CASE("a struct too deep is refused before its members are made") {
    const auto shallow = try_to_read<tree>(encoded(stick(2)), {.depth = 2});
    CHECK_FALSE(shallow.failure);
    const auto deep = try_to_read<tree>(encoded(stick(100)), {.depth = 2});
    CHECK(deep.failure == errc::too_deep);
    CHECK(deep.allocated.count <= 2);
}

TEST_CASE("a count larger than the bytes behind it costs nothing") {
    const std::string count = GENERATE("03", "8001", "ffffffff07", "ffffffffffffffffff01");
    const base::byte_vector numbers = test::from_hex(count + "0000");
    base::byte_vector bytes{static_cast<std::byte>(numbers.size())};
    bytes.insert(bytes.end(), numbers.begin(), numbers.end());
    CAPTURE(count);

    CHECK(try_to_read<list_of_numbers>(bytes).failure == errc::truncated);
    CHECK(try_to_read<list_of_numbers>(bytes).allocated.count == 0);
    CHECK(try_to_read<word>(bytes).failure == errc::truncated);
    CHECK(try_to_read<word>(bytes).allocated.count == 0);
}

TEST_CASE("a count knows how long its elements are at least") {
    const base::byte_vector bytes(17, std::byte{0});
    reader in{bytes};
    CHECK((in.count<16, 16>()) == 0);
    CHECK_FALSE(in.failed());

    base::byte_vector two = bytes;
    two[0] = std::byte{2}; // two ids of sixteen bytes in sixteen bytes
    reader short_of_one{two};
    CHECK((short_of_one.count<16, 16>()) == 0);
    CHECK(short_of_one.failure() == errc::truncated);
}

TEST_CASE("a length larger than the bytes behind it costs nothing") {
    const auto tried = try_to_read<tree>(test::from_hex("ffffffff07 00"));
    CHECK(tried.failure == errc::truncated);
    CHECK(tried.allocated.count == 0);
}

TEST_CASE("a message may not grow in memory beyond a multiple of its size") {
    // One byte on the wire each, and in memory:
    static_assert(sizeof(member_address) >= 32);
    const auto bomb = try_to_read<list_of_members>(zeros(100'000));
    CHECK(bomb.failure == errc::too_large);
    CHECK(bomb.allocated.count == 0);

    // The same count of things that are as small here as there is nothing to worry about.
    CHECK_FALSE(try_to_read<list_of_numbers>(zeros(100'000)).failure);
}

TEST_CASE("a small message may grow by four kilobytes whatever its size") {
    CHECK_FALSE(try_to_read<list_of_members>(zeros(4096 / sizeof(member_address))).failure);
}

TEST_CASE("growth is limited for all vectors of a message together") {
    // Each branch alone would be allowed; together they are more than the message may become.
    tree wide;
    wide.branches.resize(50);
    for (tree& branch : wide.branches) {
        branch.branches.resize(50);
    }
    const base::byte_vector bytes = encoded(wide);
    const std::size_t grown = (50 + 50 * 50) * sizeof(tree);
    REQUIRE(grown > bytes.size() * 8);

    const auto refused = try_to_read<tree>(bytes, {.growth = 2});
    CHECK(refused.failure == errc::too_large);
    CHECK(refused.allocated.bytes <= bytes.size() * 2 + 4096);
    CHECK_FALSE(try_to_read<tree>(bytes, {.growth = 16}).failure);
}

TEST_CASE("encoding allocates once into a new buffer, and not at all into one that has room") {
    const c_hello message{.request = request_id{1}, .client_name = std::string(200, 'a')};
    base::byte_vector fresh;
    CHECK(test::allocations_of([&] { encode(message, fresh); }).count == 1);

    base::byte_vector reused = fresh;
    reused.clear();
    CHECK(test::allocations_of([&] { encode(message, reused); }).count == 0);
    CHECK(reused == fresh);
}

TEST_CASE("a whole frame too allocates once, or not at all") {
    const word message{std::string(200, 'a')};
    const base::byte_vector attachment(5000);
    base::byte_vector out;
    const auto append = [&] { append_frame({}, message, out, attachment); };
    CHECK(test::allocations_of(append).count == 1);
    out.clear();
    CHECK(test::allocations_of(append).count == 0);
}

} // namespace almenara::wire::limits_test
