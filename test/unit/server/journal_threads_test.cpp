#include "server/journal.hpp"
#include "support/lines.hpp"
#include "support/results.hpp"
#include "support/temporary_directory.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch_all.hpp>

#include <cstdint>
#include <string>

/// The reactor and the thread that writes. Run with the thread sanitizer.
namespace almenara::server {

TEST_CASE("what a journal is told is in its files in order, or counted") {
    const test::temporary_directory place;
    const std::string path = place / "journal";
    constexpr std::uint64_t told = 20000;
    std::uint64_t dropped = 0;
    {
        // A queue that is full now and then.
        const auto opened = test::value_of(journal::open(path, server_id{1}, {.waiting = 64}));
        for (std::uint64_t number = 1; number <= told; ++number) {
            opened->write(hlc_stamp{number}, log::level::debug, "counted", {{"number", number}});
        }
        dropped = opened->dropped();
    }
    std::uint64_t written = 0;
    std::uint64_t said_to_be_lost = 0;
    for (const auto& line : test::lines_of(test::content_of(path + "/00000001.ndjson"))) {
        const auto record = boost::json::parse(line);
        if (record.at("event") == "records_dropped") {
            said_to_be_lost += record.at("fields").at("records").to_number<std::uint64_t>();
            continue;
        }
        ++written;
        // Exactly the gaps that the journal says.
        REQUIRE(record.at("hlc").to_number<std::uint64_t>() == written + said_to_be_lost);
    }
    CHECK(said_to_be_lost == dropped);
    CHECK(written + dropped == told);
}

TEST_CASE("a journal is opened and closed as often as one likes") {
    const test::temporary_directory place;
    const std::string path = place / "journal";
    for (std::uint64_t round = 1; round <= 50; ++round) {
        test::value_of(journal::open(path, server_id{1}))
            ->write(hlc_stamp{round}, log::level::info, "opened", {});
    }
    CHECK(test::lines_of(test::content_of(path + "/00000001.ndjson")).size() == 50);
}

} // namespace almenara::server
