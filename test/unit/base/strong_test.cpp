#include "base/strong.hpp"

#include "base/ids.hpp"

#include <catch2/catch_all.hpp>

#include <concepts>
#include <map>
#include <sstream>
#include <type_traits>
#include <unordered_set>

namespace almenara {

namespace {

template <class A, class B>
concept comparable = requires(A a, B b) { a == b; } || requires(A a, B b) { a < b; };
template <class A, class B>
concept addable = requires(A a, B b) { a + b; };
template <class A, class B>
concept assignable = requires(A a, B b) { a = b; };
template <class T>
concept has_next = requires(T id) { id.next(); };
template <class Rep>
concept can_be_strong = requires { typename base::strong<struct any_tag, Rep>; };

// Style 4: what must not compile.
static_assert(!std::convertible_to<std::uint64_t, epoch>, "made explicitly");
static_assert(!std::convertible_to<epoch, std::uint64_t>, "taken apart explicitly");
static_assert(!std::constructible_from<epoch, log_index>, "ids of two kinds do not mix");
static_assert(!assignable<epoch&, log_index>);
static_assert(!assignable<epoch&, std::uint64_t>);
static_assert(!comparable<epoch, log_index>);
static_assert(!comparable<epoch, std::uint64_t>);
static_assert(!addable<epoch, epoch>, "an id is no number to reckon with");
static_assert(!addable<epoch, int>);
static_assert(!can_be_strong<int> && !can_be_strong<double> && !can_be_strong<std::string>);

// And what must.
static_assert(comparable<epoch, epoch>);
static_assert(has_next<log_index> && !has_next<cluster_id>, "opaque bytes have no successor");
static_assert(std::totally_ordered<server_id> && std::totally_ordered<cluster_id>);
static_assert(std::is_trivially_copyable_v<cluster_id> && sizeof(epoch) == 8);
static_assert(epoch{} == epoch{0} && epoch{1}.next() == epoch{2});
static_assert(base::strong_type<epoch> && !base::strong_type<std::uint64_t>);

cluster_id cluster_of(std::uint8_t first, std::uint8_t last) {
    std::array<std::byte, 16> bytes{};
    bytes.front() = std::byte{first};
    bytes.back() = std::byte{last};
    return cluster_id{bytes};
}

} // namespace

TEST_CASE("ids are ordered as their numbers, opaque ones byte by byte") {
    CHECK(server_id{2} < server_id{10});
    CHECK(cluster_of(1, 0xff) < cluster_of(2, 0));
    CHECK(cluster_of(0x7f, 0) < cluster_of(0x80, 0));
    const std::map<log_index, int> log{{log_index{3}, 3}, {log_index{1}, 1}};
    CHECK(log.begin()->second == 1);
}

TEST_CASE("ids can be kept in hash tables, and those of one bit's difference are told apart") {
    std::unordered_set<cluster_id> known{cluster_of(1, 1), cluster_of(1, 2)};
    CHECK(known.count(cluster_of(1, 2)) == 1);
    CHECK(known.count(cluster_of(1, 3)) == 0);
    CHECK(std::unordered_set<server_id>{server_id{1}}.count(server_id{1}) == 1);
    CHECK(std::hash<cluster_id>{}(cluster_of(1, 0)) != std::hash<cluster_id>{}(cluster_of(2, 0)));
}

TEST_CASE("a number prints in decimal and opaque bytes in hex, in a stream and with fmt") {
    std::ostringstream out;
    out << server_id{65535} << ' ' << cluster_of(0x0a, 0xff);
    CHECK(out.str() == "65535 0a0000000000000000000000000000ff");
    CHECK(fmt::format("{}", epoch{~std::uint64_t{0}}) == "18446744073709551615");
    CHECK(fmt::format("{}", base::strong<struct small_tag, std::uint8_t>{65}) == "65");
}

TEST_CASE("the number after the last is the first: who counts that far checks") {
    CHECK(server_id{65535}.next() == server_id{0});
}

} // namespace almenara
