#include "wire/print.hpp"

#include "base/ids.hpp"
#include "support/bytes.hpp"
#include "support/printing.hpp"
#include "wire/frame.hpp"
#include "wire/json.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace almenara::wire::print_test {

enum class mood : std::uint8_t { calm, lively };
ALMENARA_DESCRIBE_ENUM(mood, calm, lively)

struct inner {
    bool yes = true;
    std::int32_t below_zero = -5;
};
ALMENARA_DESCRIBE(inner, yes, below_zero)

/// One member of every kind that the codec knows.
struct everything {
    server_id server{3};
    std::uint8_t byte = 65;
    mood feeling = mood::lively;
    frame_flags flags{frame_flag::ignorable};
    std::chrono::milliseconds wait{1500};
    std::chrono::nanoseconds exact{2'500'000};
    wall_time at{std::chrono::milliseconds{0}};
    std::string text = "said \"no\"\n";
    base::byte_vector raw = test::from_hex("00ff");
    std::array<std::byte, 2> pair{};
    std::optional<std::uint32_t> there = 1;
    std::optional<inner> absent;
    std::vector<inner> list{inner{}, inner{false, 7}};
    std::vector<std::string> none;
};
ALMENARA_DESCRIBE(everything,
                  server,
                  byte,
                  feeling,
                  flags,
                  wait,
                  exact,
                  at,
                  text,
                  raw,
                  pair,
                  there,
                  absent,
                  list,
                  none)

struct login {
    std::string user = "anna";
    base::secret<std::string> password{"correct horse"};
    std::optional<base::secret<std::string>> token{base::secret<std::string>{"battery"}};
    std::vector<base::secret<base::byte_vector>> keys{
        base::secret<base::byte_vector>{test::from_hex("c0ffee")}};
};
ALMENARA_DESCRIBE(login, user, password, token, keys)

namespace {

std::string json_of(const auto& value) {
    return boost::json::serialize(to_json(value));
}

} // namespace

TEST_CASE("a struct prints its name and its members") {
    CHECK(to_text(everything{}) ==
          "everything{server=3, byte=65, feeling=lively, flags=0x1, wait=1500ms, exact=2500us, "
          "at=1970-01-01T00:00:00.000Z, text=\"said \\\"no\\\"\\n\", raw=00ff, pair=0000, there=1, "
          "absent=none, list=[inner{yes=true, below_zero=-5}, inner{yes=false, below_zero=7}], "
          "none=[]}");
}

TEST_CASE("structs and enums print with fmt as they do in tests") {
    CHECK(fmt::format("{}", inner{}) == "inner{yes=true, below_zero=-5}");
    CHECK(fmt::format("{:>8}", mood::calm) == "    calm");
    CHECK(Catch::Detail::stringify(inner{}) == to_text(inner{}));
}

TEST_CASE("a struct is a JSON object with the members' names as keys") {
    CHECK(json_of(everything{}) ==
          R"({"server":3,"byte":65,"feeling":"lively","flags":1,"wait":1500,"exact":2,)"
          R"("at":"1970-01-01T00:00:00.000Z","text":"said \"no\"\n","raw":"00ff","pair":"0000",)"
          R"("there":1,"absent":null,"list":[{"yes":true,"below_zero":-5},)"
          R"({"yes":false,"below_zero":7}],"none":[]})");
}

TEST_CASE("an enum's value that only a newer peer knows prints as its number") {
    CHECK(to_text(static_cast<mood>(9)) == "9");
    CHECK(json_of(static_cast<mood>(9)) == "9");
    CHECK(json_of(mood::calm) == R"("calm")");
}

TEST_CASE("numbers of 64 bits are whole in JSON") {
    CHECK(json_of(epoch{~std::uint64_t{0}}) == "18446744073709551615");
    CHECK(json_of(std::int64_t{-1} - std::numeric_limits<std::int64_t>::max()) ==
          "-9223372036854775808");
}

TEST_CASE("F: secrets are never printed, nor written to JSON, wherever they stand") {
    CHECK(to_text(login{}) == R"(login{user="anna", password=***, token=***, keys=[***]})");
    CHECK(json_of(login{}) == R"({"user":"anna","password":"***","token":"***","keys":["***"]})");
}

TEST_CASE("JSON holds the text itself, with escapes of its own") {
    everything lines;
    lines.text = "two\nlines";
    const std::string json = json_of(lines);
    CHECK(json.find(R"("text":"two\nlines")") != std::string::npos);
    CHECK(boost::json::parse(json).at("text") == "two\nlines");
}

TEST_CASE("text of a peer can neither leave its quotes nor steer a terminal") {
    everything hostile;
    hostile.text = "\x1b[2J\", admin=\"yes\xff\n";
    const std::string printed = to_text(hostile);
    CHECK(printed.find(R"(text="\x1b[2J\", admin=\"yes\xff\n", raw)") != std::string::npos);
    const auto parsed = boost::json::parse(json_of(hostile));
    CHECK(parsed.at("text") == R"(\x1b[2J", admin="yes\xff\n)");
}

} // namespace almenara::wire::print_test
