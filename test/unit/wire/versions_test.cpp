#include "base/ids.hpp"
#include "support/printing.hpp"
#include "support/results.hpp"
#include "wire/codec.hpp"

#include <catch2/catch_all.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Architecture 7: versions N and N+1 mix, because each struct travels with its length.
namespace almenara::wire::versions_test {

namespace before {

struct part {
    std::uint32_t weight = 0;
};
ALMENARA_DESCRIBE(part, weight)

struct parcel {
    request_id request;
    part first;
    std::vector<part> others;
    std::optional<part> last;
    std::string label;
};
ALMENARA_DESCRIBE(parcel, request, first, others, last, label)

} // namespace before

namespace now {

struct part {
    std::uint32_t weight = 0;
    std::string colour = "none";
    std::optional<epoch> made_in;
};
ALMENARA_DESCRIBE(part, weight, colour, made_in)

struct parcel {
    request_id request;
    part first;
    std::vector<part> others;
    std::optional<part> last;
    std::string label;
    bool fragile = true;
    std::vector<part> inner;
};
ALMENARA_DESCRIBE(parcel, request, first, others, last, label, fragile, inner)

} // namespace now

namespace {

template <class To, class From>
To read_as(const From& sent) {
    base::byte_vector bytes;
    encode(sent, bytes);
    return test::value_of(decode<To>(bytes));
}

const before::parcel old_parcel{
    .request = request_id{1},
    .first = {.weight = 10},
    .others = {{.weight = 20}, {.weight = 30}},
    .last = before::part{.weight = 40},
    .label = "to the tower",
};

} // namespace

TEST_CASE("a new reader takes an old message, and what is missing has its default") {
    const auto read = read_as<now::parcel>(old_parcel);
    CHECK(read == now::parcel{
                      .request = request_id{1},
                      .first = {.weight = 10},
                      .others = {{.weight = 20}, {.weight = 30}},
                      .last = now::part{.weight = 40},
                      .label = "to the tower",
                  });
    CHECK(read.fragile);
    CHECK(read.others.at(1).colour == "none");
}

TEST_CASE("an old reader takes a new message and skips what it does not know, nested too") {
    const now::parcel sent{
        .request = request_id{1},
        .first = {.weight = 10, .colour = "red", .made_in = epoch{5}},
        .others = {{.weight = 20, .colour = "green", .made_in = epoch{6}}, {.weight = 30}},
        .last = now::part{.weight = 40, .colour = "blue"},
        .label = "to the tower",
        .fragile = false,
        .inner = {{.weight = 50}},
    };
    CHECK(read_as<before::parcel>(sent) == old_parcel);
}

TEST_CASE("a message that came back from an old peer lost only what that peer did not know") {
    now::parcel sent = read_as<now::parcel>(old_parcel);
    sent.first.colour = "red";
    CHECK(read_as<now::parcel>(read_as<before::parcel>(sent)) == read_as<now::parcel>(old_parcel));
}

} // namespace almenara::wire::versions_test
