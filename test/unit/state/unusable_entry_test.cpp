#include "state/entry_check.hpp"
#include "unit/state/little_server.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

// B.8 and C.1: an entry that cannot be applied is neither skipped nor a reason to abort.
namespace almenara::state {

namespace {

using test::bytes_of;
using test::little_primary;
using test::little_server;
namespace kv = test::kv;

base::byte_vector payload_of(std::vector<change> changes) {
    base::byte_vector payload;
    wire::encode(update{.changes = std::move(changes), .reply = {}}, payload);
    return payload;
}

base::byte_vector payload_of(change what) {
    return payload_of(std::vector<change>{std::move(what)});
}

template <class Row>
base::byte_vector encoded(const Row& row) {
    base::byte_vector bytes;
    wire::encode(row, bytes);
    return bytes;
}

change put_of(std::string key, std::string_view bytes = "") {
    return {.kind = change_kind::put, .key = std::move(key), .bytes = bytes_of(bytes)};
}

change splice_of(std::string key, std::uint64_t offset) {
    return {.kind = change_kind::splice,
            .key = std::move(key),
            .bytes = bytes_of("x"),
            .offset = offset};
}

struct bad_sample {
    base::byte_vector payload;
    defect why;
};

std::vector<bad_sample> bad_samples() {
    const std::string id(16, 'i');
    return {
        {bytes_of("no update at all"), defect::no_update},
        {{}, defect::no_update},
        {payload_of({.kind = change_kind{9}, .key = "k"}), defect::unknown_change},
        {payload_of(put_of("")), defect::bad_key},
        {payload_of(put_of(std::string(largest_row_key + 1, 'k'))), defect::bad_key},
        {payload_of(splice_of("k", ~std::uint64_t{0})), defect::too_large},
        {payload_of(splice_of("k", largest_row)), defect::too_large},
        {payload_of({splice_of("a", largest_row / 2), splice_of("b", largest_row / 2)}),
         defect::too_large},
        {payload_of(put_of("session/" + id, "no row")), defect::bad_row},
        {payload_of(put_of("session/short")), defect::bad_row},
        {payload_of(splice_of("session/" + id, 0)), defect::bad_row},
        {payload_of(put_of("nonce/" + id + id, "no row")), defect::bad_row},
        {payload_of(put_of("result/" + id + "12345678", "no row")), defect::bad_row},
        {payload_of(put_of("sessions", "no row")), defect::bad_row},
        {payload_of(put_of("kv/a", "no row")), defect::bad_row},
        {payload_of(splice_of("kv/a", 0)), defect::bad_row},
        // Whoever waited for such an entry would wait for another one.
        {payload_of({.kind = change_kind::put,
                     .key = "result/" + id + "12345678",
                     .bytes = encoded(result_row{.index = log_index{999}})}),
         defect::bad_row},
        // One good change in front does not help.
        {payload_of({put_of("of/somebody/else"), put_of("sessions", "no row")}), defect::bad_row},
    };
}

log_record entry_at(const little_server& server, const base::byte_vector& payload) {
    return {.index = server.last().next(), .epoch = epoch{1}, .hash = 1, .payload = payload};
}

} // namespace

TEST_CASE("B.8 a committed entry that cannot be applied is named, and touches nothing") {
    for (const bad_sample& sample : bad_samples()) {
        CAPTURE(sample.why);
        little_primary server;
        static_cast<void>(server.leaves_office());
        const std::uint64_t digest = server.base().digest();
        const log_record bad = entry_at(server, sample.payload);
        CHECK(server.desk().committed(bad) == unusable_entry{bad.index, sample.why});
        CHECK(server.desk().log_beyond_base().last() == server.last());
        CHECK(server.desk().log_beyond_base().committed() == server.last());
        server.desk().apply_to_base(bad.index);
        CHECK(server.base().digest() == digest);
    }
}

TEST_CASE("B.8 behind an entry that cannot be applied nothing is applied") {
    little_primary server;
    static_cast<void>(server.leaves_office());
    const base::byte_vector nonsense = bytes_of("nonsense");
    const log_record bad = entry_at(server, nonsense);
    const auto named = server.desk().committed(bad);
    REQUIRE(named);
    const base::byte_vector good = payload_of(put_of("of/somebody/else"));
    const log_record behind{
        .index = bad.index.next(), .epoch = epoch{1}, .hash = 2, .payload = good};
    CHECK(server.desk().committed(behind) == named);
    server.desk().committed_upto(behind.index);
    server.desk().apply_to_base(behind.index);
    CHECK(server.base().applied().index == server.last());
    // Nor does such a server ever serve clients.
    CHECK(server.desk().entered_office(behind.index, {}) == named);
    CHECK_FALSE(server.desk().in_office());
}

TEST_CASE("B.8 a tail that cannot be applied is no tail to rule over, and nothing of it is taken") {
    for (const bad_sample& sample : bad_samples()) {
        CAPTURE(sample.why);
        little_primary server;
        static_cast<void>(server.leaves_office());
        const base::byte_vector good = payload_of(put_of("of/somebody/else"));
        const log_record first = entry_at(server, good);
        const log_record bad{
            .index = first.index.next(), .epoch = epoch{1}, .hash = 2, .payload = sample.payload};
        const std::vector<log_record> tail{first, bad};
        CHECK(server.desk().entered_office(first.index, tail) ==
              unusable_entry{bad.index, sample.why});
        CHECK_FALSE(server.desk().in_office());
        CHECK(server.desk().log_beyond_base().last() == server.last());

        // It was not committed, so it may be cut: another entry in its place is as good as any.
        CHECK_FALSE(server.desk().committed(first));
        const log_record instead{.index = bad.index, .epoch = epoch{2}, .hash = 3, .payload = good};
        CHECK_FALSE(server.desk().committed(instead));
    }
}

TEST_CASE("C.1 rows of a service that this server does not have are applied all the same") {
    little_primary server;
    static_cast<void>(server.leaves_office());
    const base::byte_vector payload = payload_of({put_of("files/1", "anything"),
                                                  splice_of("files/1", 2),
                                                  put_of("sessionsX"),
                                                  {.kind = change_kind::erase, .key = "kv/a"}});
    const log_record entry = entry_at(server, payload);
    REQUIRE_FALSE(server.desk().committed(entry));
    server.desk().apply_to_base(entry.index);
    CHECK(server.base().get("files/1") == bytes_of("anxthing"));
}

TEST_CASE("C.1 a session row with any time in it neither overflows nor expires by it") {
    little_primary server;
    static_cast<void>(server.leaves_office());
    std::vector<change> changes;
    for (const std::int64_t time :
         {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
        const auto row = encoded(session_row{.active = wall_time{std::chrono::milliseconds{time}}});
        changes.push_back({.kind = change_kind::put,
                           .key = "session/" + std::string(16, time < 0 ? 'a' : 'z'),
                           .bytes = row});
    }
    const base::byte_vector payload = payload_of(changes);
    const log_record entry = entry_at(server, payload);
    REQUIRE_FALSE(server.desk().committed(entry));
    REQUIRE_FALSE(server.desk().entered_office(entry.index.next(), {}));
    const auto expired = server.desk().sweep(
        {.next = {.index = entry.index.next(), .time = wall_time{std::chrono::hours{24 * 365}}},
         .confirmed_upto = {}});
    REQUIRE(expired);
    CHECK_FALSE(
        server.desk().log_beyond_base().whole_view().get("session/" + std::string(16, 'a')));
    CHECK(server.desk().log_beyond_base().whole_view().get("session/" + std::string(16, 'z')));
}

} // namespace almenara::state
