#include "storage/core/batch.hpp"
#include "storage/core/device.hpp"
#include "storage/core/meta.hpp"
#include "storage/core/segment.hpp"
#include "support/differences.hpp"
#include "support/log_stand.hpp"
#include "support/samples.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace almenara::storage::core {

namespace {

constexpr const char* golden_file = ALMENARA_GOLDEN_DIR "/storage.txt";

constexpr std::string_view introduction =
    "# The bytes of a segment's header, of batches and of a slot of meta, without the zeros "
    "behind.\n"
    "# They are on disks: changing a line needs a note in docs/decisions.\n"
    "# Rewritten by ALMENARA_REWRITE_GOLDEN=1 almenara-storage-unit \"*golden*\".\n";

segment_uuid uuid_of(std::uint8_t first) {
    segment_uuid::rep bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::byte>(first + i);
    }
    return segment_uuid{bytes};
}

std::string line(std::string_view name, base::byte_vector bytes) {
    const std::size_t padded = bytes.size();
    while (!bytes.empty() && bytes.back() == std::byte{0}) {
        bytes.pop_back();
    }
    return fmt::format("\n{}, {} bytes\n{}\n", name, padded, base::to_hex(bytes));
}

base::byte_vector batch_of(std::size_t count, std::optional<log_index> commit) {
    std::vector<replica::entry_ptr> entries;
    replica::log_point at{.index = log_index{6}, .epoch = epoch{2}, .hash = replica::hash64{99}};
    for (std::size_t i = 0; i < count; ++i) {
        entries.push_back(test::entry_behind(at, epoch{3}, 5));
        at = replica::point_of(*entries.back());
    }
    return encode_batch({.uuid = uuid_of(1),
                         .offset = 3 * block_size,
                         .first = log_index{7},
                         .entries = entries,
                         .durable = {.epoch = epoch{2}, .index = log_index{6}},
                         .commit = commit});
}

std::string golden_text() {
    const auto header = test::fixed_sample<segment_header>(wire::message_type{1});
    const auto slot = test::fixed_sample<meta_slot>(wire::message_type{2});
    return std::string{introduction} + line("segment header", encode_header(header)) +
           line("batch of two entries and a commit hint", batch_of(2, log_index{5})) +
           line("seal", batch_of(0, std::nullopt)) + line("meta slot", encode_slot(slot));
}

} // namespace

TEST_CASE("E.3 the golden bytes of the log's files are those in the tree") {
    const std::string written = golden_text();
    if (std::getenv("ALMENARA_REWRITE_GOLDEN") != nullptr) {
        std::ofstream{golden_file} << written;
    }
    std::ostringstream in_tree;
    in_tree << std::ifstream{golden_file}.rdbuf();
    const std::string differences = test::line_differences(in_tree.str(), written);
    INFO("what is written now (+) differs from " << golden_file << " (-):\n\n" << differences);
    CHECK(differences.empty());
}

TEST_CASE("E.3 a batch is read back as it was written") {
    const base::byte_vector bytes = batch_of(3, log_index{4});
    REQUIRE(bytes.size() == block_size);
    const auto header = decode_batch_header(bytes, uuid_of(1));
    REQUIRE(header);
    CHECK(header->first == log_index{7});
    CHECK(header->last == log_index{9});
    CHECK(header->offset() == 3 * block_size);
    CHECK_FALSE(header->seals());
    const auto content = decode_batch(*header, bytes, uuid_of(1));
    REQUIRE(content);
    CHECK(content->entries.size() == 3);
    CHECK(content->commit == log_index{4});
}

TEST_CASE("E.3 a batch is of its segment and of no other") {
    const base::byte_vector bytes = batch_of(3, std::nullopt);
    CHECK_FALSE(decode_batch_header(bytes, uuid_of(2)));
    // The same beginning, another rest.
    segment_uuid::rep alike = uuid_of(1).value();
    alike[15] ^= std::byte{1};
    const auto header = decode_batch_header(bytes, segment_uuid{alike});
    REQUIRE(header);
    CHECK_FALSE(decode_batch(*header, bytes, segment_uuid{alike}));
}

TEST_CASE("E.3 an empty batch that says all is durable is a seal") {
    const auto header = decode_batch_header(batch_of(0, std::nullopt), uuid_of(1));
    REQUIRE(header);
    CHECK(header->seals());
}

TEST_CASE("E.3 every flipped bit of a batch is noticed") {
    const base::byte_vector bytes = batch_of(2, log_index{5});
    const std::size_t length = decode_batch_header(bytes, uuid_of(1))->length;
    for (std::size_t bit = 0; bit < length * 8; ++bit) {
        base::byte_vector bad = bytes;
        bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        const auto header = decode_batch_header(bad, uuid_of(1));
        if (header && decode_batch(*header, bad, uuid_of(1))) {
            FAIL("bit " << bit << " was not noticed");
        }
    }
}

TEST_CASE("E.3 a header is read back, and one of a newer version is refused") {
    const auto header = test::fixed_sample<segment_header>(wire::message_type{1});
    base::byte_vector block = encode_header(header);
    REQUIRE(block.size() == block_size);
    const auto read = decode_header(block);
    REQUIRE((read && *read));
    CHECK(**read == header);
    base::byte_vector flipped = block;
    flipped[3000] ^= std::byte{4};
    CHECK_FALSE(decode_header(flipped)->has_value());
}

TEST_CASE("E.3 names of files are read back, and others are somebody else's") {
    for (const file_kind kind :
         {file_kind::meta, file_kind::meta_new, file_kind::segment, file_kind::blank_spare,
          file_kind::used_spare, file_kind::unfinished}) {
        const bool numbered = kind != file_kind::meta && kind != file_kind::meta_new;
        const file_name name{.kind = kind, .number = numbered ? 0x1f2eU : 0U};
        CHECK(parse_file_name(to_text(name)) == name);
    }
    CHECK(to_text(segment_file_name(segment_seq{31})) == "log.000000000000001f");
    for (const char* other :
         {"", "log", "log.", "log.1", "log.000000000000001F", "log.000000000000001f.bak",
          "log.00000000000000+1", "spare.0000000000000001", "identity", "meta.old"}) {
        CHECK_FALSE(parse_file_name(other));
    }
}

} // namespace almenara::storage::core
