#include "client/session_record.hpp"

#include "base/bytes.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>
#include <vector>

using namespace almenara;
using client::kept_operation;
using client::open_in;
using client::read_session_file;

namespace {

base::byte_vector bytes_of(std::string_view text) {
    const auto bytes = base::as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

client::session_header a_header() {
    return {.cluster = cluster_id{{std::byte{0x3f}}},
            .session = session_id{{std::byte{0x6f}, std::byte{2}}},
            .window = 256,
            .next = sequence{5}};
}

const std::vector<kept_operation> three{{.seq = sequence{5}, .body = bytes_of("put a")},
                                        {.seq = sequence{7}, .body = {}},
                                        {.seq = sequence{8}, .body = bytes_of("put c")}};

/// The header and records of these.
base::byte_vector a_file(const std::vector<kept_operation>& operations) {
    base::byte_vector file = client::encode_header(a_header());
    for (const kept_operation& each : operations) {
        client::append_record(file, file.size(), each);
    }
    return file;
}

} // namespace

TEST_CASE("C.3: what was written down is read back, and the next number is behind it") {
    const auto file = a_file(three);
    const auto read = read_session_file(file);
    REQUIRE(read.has_value());
    CHECK_FALSE(read->damage);
    CHECK(read->header.cluster == a_header().cluster);
    CHECK(read->header.session == a_header().session);
    CHECK(read->header.window == 256);
    CHECK(open_in(*read) == three);
    CHECK(read->next == sequence{9});
    CHECK(read->size == file.size());
    const auto none = read_session_file(a_file({}));
    CHECK(none->next == sequence{5});
    CHECK(none->open.empty());
}

TEST_CASE("C.3: an operation that has ended is not open any more, and its number stays used") {
    auto file = a_file(three);
    const auto last = read_session_file(file)->open.back().offset;
    file[client::mark_of_record(last)] = client::ended_mark;
    const auto read = read_session_file(file);
    REQUIRE(read.has_value());
    CHECK(read->open.size() == 2);
    CHECK(read->next == sequence{9});
    CHECK_FALSE(read->damage);
}

TEST_CASE("C.3: a file that is cut anywhere says so, and what stands before is told") {
    const auto file = a_file(three);
    const std::size_t first = a_file({three[0]}).size();
    const std::size_t second = a_file({three[0], three[1]}).size();
    for (std::size_t size = 0; size < file.size(); ++size) {
        CAPTURE(size);
        const auto read = read_session_file(base::byte_view{file}.first(size));
        if (size < client::session_header_size) {
            CHECK_FALSE(read.has_value());
            continue;
        }
        REQUIRE(read.has_value());
        const bool at_an_end =
            size == client::session_header_size || size == first || size == second;
        CHECK(read->damage.has_value() == !at_an_end);
        CHECK(read->open.size() == (size >= second ? 2U : size >= first ? 1U : 0U));
    }
}

TEST_CASE("C.3: a wrong bit is found wherever it is, and never makes another operation of one") {
    const auto file = a_file(three);
    for (std::size_t at = 0; at < file.size(); ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            CAPTURE(at, bit);
            auto other = file;
            other[at] ^= static_cast<std::byte>(1U << bit);
            const auto read = read_session_file(other);
            if (!read) {
                CHECK(at < client::session_header_size);
                continue;
            }
            CHECK(read->damage.has_value());
            const auto open = open_in(*read);
            REQUIRE(open.size() < three.size());
            CHECK(std::equal(open.begin(), open.end(), three.begin()));
        }
    }
}

TEST_CASE("C.3: zeros behind the end, as a power loss leaves them, are damage") {
    auto file = a_file(three);
    file.resize(file.size() + 100);
    CHECK(read_session_file(file)->damage);
}

TEST_CASE("C.3: records out of order, or at another place than they were written for, are damage") {
    CHECK(read_session_file(a_file({three[1], three[0]}))->damage);
    CHECK(read_session_file(a_file({three[0], three[0]}))->damage);
    base::byte_vector moved = client::encode_header(a_header());
    client::append_record(moved, moved.size() + 8, three[0]);
    CHECK(read_session_file(moved)->damage);
}
