#include "base/random.hpp"
#include "replica/gate.hpp"
#include "support/printing.hpp"
#include "support/results.hpp"
#include "support/rewriting.hpp"
#include "support/samples.hpp"

#include <catch2/catch_all.hpp>

// What the core has on disks or in payloads without being a message: the files that frame it come
// with the room storage.
namespace almenara::replica {

namespace {

template <class Record>
void check_record() {
    for (const test::fullness full : test::every_fullness) {
        base::generator random{1};
        for (int round = 0; round < 50; ++round) {
            const auto sample = test::make_sample<Record>(random, full);
            const base::byte_vector bytes = test::encoded(sample);
            REQUIRE(test::value_of(wire::decode<Record>(bytes)) == sample);
            for (std::size_t length = 0; length < bytes.size(); ++length) {
                const auto cut = wire::decode<Record>(base::byte_view{bytes}.first(length));
                REQUIRE(test::failure_of(cut).code == errc::truncated);
            }
        }
    }
}

} // namespace

TEST_CASE("what a server must never forget comes back from its bytes as it was") {
    check_record<persistent>();
}

TEST_CASE("a damaged log comes back from its bytes as it was") {
    check_record<damage>();
}

TEST_CASE("to whom an epoch was promised comes back from its bytes as it was") {
    check_record<promised>();
}

TEST_CASE("a cluster's members come back from their bytes as they were") {
    check_record<cluster_config>();
}

TEST_CASE("an entry and its position come back from their bytes as they were") {
    check_record<entry>();
    check_record<log_point>();
}

} // namespace almenara::replica
