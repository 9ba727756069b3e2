// Any bytes as the files that a client keeps for its next run. The first byte says which file. What
// is accepted is within its bounds, and the same when it is written again; what is damaged gives
// the operations before that place and no others.
#include "base/text.hpp"
#include "client/known_cluster.hpp"
#include "client/session_record.hpp"
#include "fuzz/target.hpp"

#include <algorithm>
#include <string>

namespace almenara::fuzz {

namespace {

using client::known_cluster;
using client::session_content;

/// As they are, or with the right checksum behind them: nobody guesses that.
void check_cluster(std::string text, bool seal) {
    if (seal) {
        text = client::with_checksum(std::move(text));
    }
    const auto known = client::parse_known_cluster(text);
    if (!known) {
        const std::string message = known.error().message();
        ALMENARA_CHECK(base::escaped(message) == message);
        return;
    }
    ALMENARA_CHECK(known->members.size() <= known_cluster::most_members);
    ALMENARA_CHECK(known->names.size() <= known_cluster::most_names);
    const auto again = client::parse_known_cluster(client::to_text(*known));
    ALMENARA_CHECK(again.has_value() && *again == *known);
}

void check_content(const session_content& content, base::byte_view bytes) {
    ALMENARA_CHECK(content.size <= bytes.size());
    ALMENARA_CHECK(content.damage || content.size == bytes.size());
    ALMENARA_CHECK(content.next >= content.header.next);
    sequence last;
    for (const auto& record : content.open) {
        ALMENARA_CHECK(last < record.operation.seq && record.operation.seq < content.next);
        last = record.operation.seq;
        base::byte_vector written;
        client::append_record(written, record.offset, record.operation);
        const base::byte_view there = bytes.subspan(record.offset, written.size());
        ALMENARA_CHECK(std::equal(written.begin(), written.end(), there.begin(), there.end()));
    }
}

void check_session(base::byte_view bytes) {
    const auto content = client::read_session_file(bytes);
    if (content) {
        check_content(*content, bytes);
    }
}

/// A good file with these bytes as the body of an operation, and changed at one place.
void check_changed_session(base::byte_view bytes) {
    if (bytes.size() < 3) {
        return;
    }
    base::byte_vector file = client::encode_header({.next = sequence{1}});
    for (sequence::rep seq = 1; seq <= 3; ++seq) {
        client::append_record(file, file.size(),
                              {.seq = sequence{seq}, .body = {bytes.begin() + 3, bytes.end()}});
    }
    const auto whole = client::read_session_file(file);
    ALMENARA_CHECK(whole.has_value() && !whole->damage && whole->open.size() == 3);
    const std::size_t place =
        (std::to_integer<std::size_t>(bytes[0]) << 8U | std::to_integer<std::size_t>(bytes[1])) %
        file.size();
    if (bytes[2] == std::byte{}) {
        return;
    }
    file[place] ^= bytes[2];
    const auto changed = client::read_session_file(file);
    if (!changed) {
        ALMENARA_CHECK(place < client::session_header_size);
        return;
    }
    // Only a mark may be changed into another one, and then the operation has ended.
    ALMENARA_CHECK(changed->damage || changed->open.size() == 2);
    for (const auto& record : changed->open) {
        ALMENARA_CHECK(std::any_of(whole->open.begin(), whole->open.end(), [&](const auto& each) {
            return each.operation == record.operation;
        }));
    }
}

} // namespace

} // namespace almenara::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace almenara::fuzz;
    almenara::base::byte_view bytes = almenara::fuzz::input(data, size);
    if (bytes.empty()) {
        return -1;
    }
    const auto kind = std::to_integer<unsigned>(bytes.front()) % 4;
    bytes = bytes.subspan(1);
    switch (kind) {
    case 0:
    case 1:
        check_cluster(std::string{almenara::base::as_text(bytes)}, kind == 1);
        break;
    case 2:
        check_session(bytes);
        break;
    default:
        check_changed_session(bytes);
        break;
    }
    return 0;
}
