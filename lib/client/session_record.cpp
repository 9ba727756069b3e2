#include "client/session_record.hpp"

#include "base/hash.hpp"
#include "base/little_endian.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace almenara::client {

namespace {

using base::get_fixed;
using base::put_fixed;

constexpr std::string_view magic = "alm-ses1";
constexpr std::size_t number_size = 8;
constexpr std::size_t id_size = 16;
constexpr std::size_t window_at = 8;
constexpr std::size_t boot_at = 12;
constexpr std::size_t cluster_at = 16;
constexpr std::size_t session_at = 32;
constexpr std::size_t next_at = 48;
constexpr std::size_t header_sum_at = 56;

/// Of a record: length of the body, mark, three bytes of zero, checksum; then number and body.
constexpr std::size_t sum_at = 8;

template <class Id>
void put_id(std::byte* at, const Id& id) {
    const auto bytes = id.value();
    std::copy(bytes.begin(), bytes.end(), at);
}

template <class Id>
Id get_id(const std::byte* at) {
    std::array<std::byte, id_size> bytes{};
    std::copy_n(at, bytes.size(), bytes.begin());
    return Id{bytes};
}

/// With its place in it: a record that stands at another place is none.
std::uint64_t sum_of(base::byte_view content, std::uint64_t offset) {
    return base::xxh3_64(content, offset + content.size());
}

error bad(errc code, std::string_view what) {
    return error{code, fmt::format("reading the file of a session: {}", what)};
}

/// The record in front of `rest`, and how long it is.
struct found_record {
    kept_operation operation;
    bool is_open = false;
    std::size_t size = 0;
};
result<found_record> read_record(base::byte_view rest, std::uint64_t offset) {
    if (rest.size() < record_head_size + number_size) {
        return bad(errc::truncated, "its last record is torn");
    }
    const std::size_t length = get_fixed<std::uint32_t>(rest.data());
    if (length > largest_kept_body) {
        return bad(errc::too_large, "a record says that it is too long");
    }
    const std::size_t content = number_size + length;
    if (rest.size() < record_head_size + content) {
        return bad(errc::truncated, "its last record is torn");
    }
    const std::byte mark = rest[mark_of_record(0)];
    const bool is_marked_well = mark == open_mark || mark == ended_mark;
    const bool is_filled_well = std::all_of(rest.begin() + 5, rest.begin() + sum_at,
                                            [](std::byte b) { return b == std::byte{}; });
    const base::byte_view inside = rest.subspan(record_head_size, content);
    if (!is_marked_well || !is_filled_well ||
        get_fixed<std::uint64_t>(rest.data() + sum_at) != sum_of(inside, offset)) {
        return bad(errc::bad_checksum, "a record is damaged");
    }
    found_record found;
    found.operation.seq = sequence{get_fixed<std::uint64_t>(inside.data())};
    found.operation.body.assign(inside.begin() + number_size, inside.end());
    found.is_open = mark == open_mark;
    found.size = record_head_size + content;
    return found;
}

result<session_header> read_header(base::byte_view bytes) {
    if (bytes.size() < session_header_size) {
        return bad(errc::truncated, "it ends within its header");
    }
    if (base::as_text(bytes.first(magic.size())) != magic) {
        return bad(errc::malformed, "it is no such file, or of another version");
    }
    if (get_fixed<std::uint64_t>(bytes.data() + header_sum_at) !=
        sum_of(bytes.first(header_sum_at), 0)) {
        return bad(errc::bad_checksum, "its header is damaged");
    }
    session_header found;
    found.window = get_fixed<std::uint32_t>(bytes.data() + window_at);
    found.boot = get_fixed<std::uint32_t>(bytes.data() + boot_at);
    found.cluster = get_id<cluster_id>(bytes.data() + cluster_at);
    found.session = get_id<session_id>(bytes.data() + session_at);
    found.next = sequence{get_fixed<std::uint64_t>(bytes.data() + next_at)};
    if (found.next == sequence{}) {
        return bad(errc::malformed, "its numbers begin with none");
    }
    return found;
}

} // namespace

base::byte_vector encode_header(const session_header& what) {
    base::byte_vector out(session_header_size);
    const base::byte_view name = base::as_bytes(magic);
    std::copy(name.begin(), name.end(), out.begin());
    put_fixed(out.data() + window_at, what.window);
    put_fixed(out.data() + boot_at, what.boot);
    put_id(out.data() + cluster_at, what.cluster);
    put_id(out.data() + session_at, what.session);
    put_fixed(out.data() + next_at, what.next.value());
    put_fixed(out.data() + header_sum_at, sum_of(base::byte_view{out}.first(header_sum_at), 0));
    return out;
}

void append_record(base::byte_vector& out, std::uint64_t offset, const kept_operation& what) {
    const std::size_t place = out.size();
    const std::size_t content = number_size + what.body.size();
    out.resize(place + record_head_size + content);
    std::byte* const at = out.data() + place;
    put_fixed(at, static_cast<std::uint32_t>(what.body.size()));
    at[mark_of_record(0)] = open_mark;
    put_fixed(at + record_head_size, what.seq.value());
    std::copy(what.body.begin(), what.body.end(), at + record_head_size + number_size);
    put_fixed(at + sum_at, sum_of(base::byte_view{at + record_head_size, content}, offset));
}

std::vector<kept_operation> open_in(const session_content& content) {
    std::vector<kept_operation> open;
    for (const auto& record : content.open) {
        open.push_back(record.operation);
    }
    return open;
}

result<session_content> read_session_file(base::byte_view bytes) {
    const auto header = read_header(bytes);
    if (!header) {
        return header.error();
    }
    session_content content;
    content.header = *header;
    content.next = header->next;
    content.size = session_header_size;
    sequence last;
    while (content.size < bytes.size()) {
        auto record = read_record(bytes.subspan(content.size), content.size);
        if (record && (record->operation.seq <= last || record->operation.seq.next() < last)) {
            record = bad(errc::malformed, "its records are not in order");
        }
        if (!record) {
            content.damage = record.error();
            break;
        }
        last = record->operation.seq;
        content.next = std::max(content.next, last.next());
        if (record->is_open) {
            content.open.push_back(
                {.offset = content.size, .operation = std::move(record->operation)});
        }
        content.size += record->size;
    }
    return content;
}

} // namespace almenara::client
