#include "support/all_messages.hpp"
#include "support/bytes.hpp"
#include "support/differences.hpp"
#include "support/samples.hpp"
#include "wire/json.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

// Architecture 7: the codec is the disk format too, so the bytes of every message are in the tree.
namespace almenara::wire {

namespace {

constexpr const char* golden_file = ALMENARA_GOLDEN_DIR "/messages.txt";

constexpr std::string_view introduction =
    "# The bytes of one sample of every message, and of one whole frame.\n"
    "# They are on disks and on the wire: changing a line needs a note in docs/decisions.\n"
    "# Rewritten by ALMENARA_REWRITE_GOLDEN=1 almenara-unit \"*golden*\".\n";

template <class Message>
std::string block_of(message_type type) {
    const auto sample = test::fixed_sample<Message>(type);
    base::byte_vector body;
    encode(sample, body);
    return fmt::format("\n{:#06x} {}\njson {}\nbody {}\n", type.value(), name_of<Message>(),
                       boost::json::serialize(to_json(sample)), base::to_hex(body));
}

std::string block_of_a_frame() {
    const frame_header header{
        .flags = {frame_flag::ignorable},
        .epoch = epoch{0x0102030405060708},
        .hlc = hlc_stamp{0x1112131415161718},
    };
    base::byte_vector bytes;
    append_message<test::all_messages>(ping{request_id{7}}, bytes, header,
                                       base::as_bytes("attachment"));
    return fmt::format("\nframe of ping{{request=7}}, ignorable, with an attachment\nbytes {}\n",
                       base::to_hex(bytes));
}

std::string golden_text() {
    std::string text{introduction};
    for_each_message<test::all_messages>(
        [&]<class Message>(message_type type) { text += block_of<Message>(type); });
    return text + block_of_a_frame();
}

std::string text_in_tree() {
    std::ifstream file{golden_file};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

} // namespace

TEST_CASE("the golden bytes of every message are those in the tree") {
    const std::string written = golden_text();
    if (std::getenv("ALMENARA_REWRITE_GOLDEN") != nullptr) {
        std::ofstream{golden_file} << written;
    }
    const std::string differences = test::line_differences(text_in_tree(), written);
    INFO("what is written now (+) differs from "
         << golden_file << " (-):\n\n"
         << differences
         << "\nDisks and peers hold bytes of the old form. If an old reader still reads the new "
            "bytes "
            "and the reverse,\nwrite a note in docs/decisions that says why, and rewrite the file "
            "with ALMENARA_REWRITE_GOLDEN=1.\n");
    CHECK(differences.empty());
}

} // namespace almenara::wire
