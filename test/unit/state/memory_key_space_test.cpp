#include "state/memory_key_space.hpp"

#include "state/transaction.hpp"
#include "unit/state/little_server.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

namespace almenara::state {

namespace {

using test::bytes_of;

change put(std::string key, std::string_view value) {
    return {.kind = change_kind::put, .key = std::move(key), .bytes = bytes_of(value)};
}
change erase(std::string key) {
    return {.kind = change_kind::erase, .key = std::move(key)};
}
change splice(std::string key, std::uint64_t offset, std::string_view bytes) {
    return {.kind = change_kind::splice,
            .key = std::move(key),
            .bytes = bytes_of(bytes),
            .offset = offset};
}

memory_key_space space_of(std::initializer_list<std::vector<change>> entries) {
    memory_key_space space;
    log_index index;
    for (const auto& changes : entries) {
        index = index.next();
        space.apply({.index = index}, changes);
    }
    return space;
}

std::vector<std::string> keys_of(const std::vector<row>& rows) {
    std::vector<std::string> keys;
    for (const row& one : rows) {
        keys.push_back(one.key);
    }
    return keys;
}

} // namespace

TEST_CASE("B.4 changes and the applied index become visible together") {
    memory_key_space space;
    const std::vector<change> changes{put("a", "1"), put("b", "2"), erase("a")};
    space.apply({.index = log_index{7}, .epoch = epoch{2}, .hash = 99}, changes);
    CHECK(space.applied().index == log_index{7});
    CHECK(space.applied().hash == 99);
    CHECK_FALSE(space.get("a"));
    CHECK(space.get("b") == bytes_of("2"));
}

TEST_CASE("a splice writes over a part, makes a value longer, and fills a gap with zeros") {
    const auto space = space_of({{put("a", "hello"), splice("a", 1, "ipp"), splice("b", 2, "x")},
                                 {splice("a", 4, "o and more")}});
    CHECK(space.get("a") == bytes_of("hippo and more"));
    CHECK(space.get("b") == bytes_of(std::string_view{"\0\0x", 3}));
}

TEST_CASE("I9 equal rows at an equal index give equal digests, whatever came before") {
    const auto one = space_of({{put("a", "1"), put("b", "2")}, {erase("a")}});
    const auto other = space_of({{put("b", "x")}, {splice("b", 0, "2"), erase("nothing")}});
    CHECK(one.digest() == other.digest());
}

TEST_CASE("I9 another value, another key, another index: another digest") {
    const auto plain = space_of({{put("a", "1")}});
    CHECK_FALSE(plain.digest() == space_of({{put("a", "2")}}).digest());
    CHECK_FALSE(plain.digest() == space_of({{put("b", "1")}}).digest());
    CHECK_FALSE(plain.digest() == space_of({{put("a", "1")}, {}}).digest());
    CHECK_FALSE(plain.digest() == space_of({{put("a", "1"), put("b", "")}}).digest());
}

TEST_CASE("a copy of a key space is what it was at that moment") {
    auto space = space_of({{put("a", "1")}});
    const memory_key_space copy = space;
    const std::vector<change> more{put("a", "2")};
    space.apply({.index = log_index{2}}, more);
    CHECK(copy.get("a") == bytes_of("1"));
    CHECK(copy.applied().index == log_index{1});
    CHECK_FALSE(copy.digest() == space.digest());
}

TEST_CASE("a scan ends with the row by which there are so many bytes") {
    memory_key_space space;
    space.apply(
        {.index = log_index{1}},
        std::vector<change>{{.kind = change_kind::put, .key = "a", .bytes = {}},
                            {.kind = change_kind::put, .key = "b", .bytes = base::byte_vector(10)},
                            {.kind = change_kind::put, .key = "c", .bytes = {}}});
    CHECK(space.scan({}, {.rows = 10, .bytes = 1}).size() == 1);
    CHECK(space.scan({}, {.rows = 10, .bytes = 2}).size() == 2);
    CHECK(space.scan({}, {.rows = 10, .bytes = 13}).size() == 3);
    // The same through the changes of a transaction, whose base has to be asked again.
    transaction rows{space};
    rows.erase("a");
    rows.put("bb", {});
    CHECK(rows.scan({}, {.rows = 10, .bytes = 1}).at(0).key == "b");
    CHECK(rows.scan({}, {.rows = 10, .bytes = 12}).size() == 2);
    CHECK(rows.scan({}, {.rows = 10, .bytes = 100}).size() == 3);
}

TEST_CASE("a scan goes from its beginning to before its end, and no further than its limit") {
    const auto space = space_of({{put("a", ""), put("b", ""), put("ba", ""), put("c", "")}});
    CHECK(keys_of(space.scan({.from = "b", .to = "c"}, {.rows = 10})) ==
          std::vector<std::string>{"b", "ba"});
    CHECK(keys_of(space.scan({.from = "", .to = {}}, {.rows = 3})) ==
          std::vector<std::string>{"a", "b", "ba"});
    CHECK(space.scan({.from = "d", .to = {}}, {.rows = 3}).empty());
}

TEST_CASE("the range of a prefix ends where the next prefix begins") {
    CHECK(prefix_range("ab").to == "ac");
    CHECK(prefix_range("a\xff\xff").to == "b");
    CHECK_FALSE(prefix_range("\xff\xff").to);
    CHECK_FALSE(prefix_range("").to);
    const auto space =
        space_of({{put("a", ""), put("a\xff", ""), put("a\xffz", ""), put("b", "")}});
    CHECK(keys_of(space.scan(prefix_range("a\xff"), {.rows = 10})) ==
          std::vector<std::string>{"a\xff", "a\xffz"});
}

TEST_CASE("keys are ordered as bytes, above 127 too") {
    const auto space = space_of({{put("\x7f", ""), put("\x80", ""), put("z", "")}});
    CHECK(keys_of(space.scan({}, {.rows = 10})) == std::vector<std::string>{"z", "\x7f", "\x80"});
}

} // namespace almenara::state
