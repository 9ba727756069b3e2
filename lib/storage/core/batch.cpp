#include "storage/core/batch.hpp"

#include "base/check.hpp"
#include "base/hash.hpp"
#include "base/little_endian.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <limits>

namespace almenara::storage::core {

namespace {

constexpr std::uint32_t batch_magic = 0x42'4d'4c'41; // "ALMB"
constexpr std::byte entry_record{1};
constexpr std::byte commit_record{2};

constexpr std::size_t uuid_at = 4;
constexpr std::size_t block_at = 8;
constexpr std::size_t length_at = 12;
constexpr std::size_t first_at = 16;
constexpr std::size_t last_at = 24;
constexpr std::size_t count_at = 32;
constexpr std::size_t durable_epoch_at = 40;
constexpr std::size_t durable_index_at = 48;
constexpr std::size_t body_checksum_at = 56;
constexpr std::size_t header_checksum_at = 64;

std::uint32_t low32(const segment_uuid& uuid) {
    const segment_uuid::rep bytes = uuid.value();
    return base::get_fixed<std::uint32_t>(bytes.data());
}

std::uint64_t body_checksum(base::byte_view body, const segment_uuid& uuid) {
    const segment_uuid::rep bytes = uuid.value();
    return base::xxh3_64(body, base::get_fixed<std::uint64_t>(bytes.data() + 8));
}

template <class Record>
std::byte* put_record(std::byte* at, std::byte kind, const Record& record) {
    *at = kind;
    return wire::put(at + 1, record);
}

std::size_t size_of(const batch_content& content) {
    std::size_t size = batch_header_size;
    for (const replica::entry_ptr& e : content.entries) {
        size += record_size(*e);
    }
    if (content.commit) {
        size += 1 + wire::encoded_size(commit_hint{*content.commit});
    }
    return size;
}

void put_records(std::byte* at, const batch_content& content, const std::byte* end) {
    for (const replica::entry_ptr& e : content.entries) {
        at = put_record(at, entry_record, *e);
    }
    if (content.commit) {
        at = put_record(at, commit_record, commit_hint{*content.commit});
    }
    ALMENARA_CHECK(at == end);
}

/// The next record; false if it is none.
bool take_record(wire::reader& in, batch& into) {
    const std::byte kind{in.byte()};
    if (kind == entry_record) {
        replica::entry e;
        wire::get(in, e);
        into.entries.push_back(std::make_shared<const replica::entry>(std::move(e)));
    } else if (kind == commit_record) {
        commit_hint hint;
        wire::get(in, hint);
        into.commit = hint.index;
    } else {
        return false;
    }
    return !in.failed();
}

/// Whether the header's words are true of the entries.
bool agree(const batch_header& header, const batch& content) {
    log_index next = header.first;
    for (const replica::entry_ptr& e : content.entries) {
        if (e->index != next) {
            return false;
        }
        next = next.next();
    }
    return content.entries.size() == header.count && header.last.next() == next;
}

} // namespace

std::size_t record_size(const replica::entry& e) {
    return 1 + wire::encoded_size(e);
}

base::byte_vector encode_batch(const batch_content& content) {
    const std::size_t size = size_of(content);
    ALMENARA_CHECK(size <= std::numeric_limits<std::uint32_t>::max() &&
                   content.offset % block_size == 0);
    base::byte_vector bytes(up_to_block(size));
    std::byte* const at = bytes.data();
    put_records(at + batch_header_size, content, at + size);

    const std::uint64_t first = content.first.value();
    base::put_fixed(at, batch_magic);
    base::put_fixed(at + uuid_at, low32(content.uuid));
    base::put_fixed(at + block_at, static_cast<std::uint32_t>(content.offset / block_size));
    base::put_fixed(at + length_at, static_cast<std::uint32_t>(size));
    base::put_fixed(at + first_at, first);
    base::put_fixed<std::uint64_t>(at + last_at, first + content.entries.size() - 1);
    base::put_fixed(at + count_at, static_cast<std::uint32_t>(content.entries.size()));
    base::put_fixed(at + durable_epoch_at, content.durable.epoch.value());
    base::put_fixed(at + durable_index_at, content.durable.index.value());
    base::put_fixed(at + body_checksum_at,
                    body_checksum({at + batch_header_size, at + size}, content.uuid));
    base::put_fixed(at + header_checksum_at, base::xxh3_64({at, header_checksum_at}));
    return bytes;
}

bool begins_batch(base::byte_view at, const segment_uuid& uuid) {
    return at.size() >= batch_header_size &&
           base::get_fixed<std::uint32_t>(at.data()) == batch_magic &&
           base::get_fixed<std::uint32_t>(at.data() + uuid_at) == low32(uuid);
}

std::optional<batch_header> decode_batch_header(base::byte_view at, const segment_uuid& uuid) {
    if (!begins_batch(at, uuid) || base::get_fixed<std::uint64_t>(at.data() + header_checksum_at) !=
                                       base::xxh3_64(at.first(header_checksum_at))) {
        return std::nullopt;
    }
    batch_header header{
        .block = base::get_fixed<std::uint32_t>(at.data() + block_at),
        .length = base::get_fixed<std::uint32_t>(at.data() + length_at),
        .first = log_index{base::get_fixed<std::uint64_t>(at.data() + first_at)},
        .last = log_index{base::get_fixed<std::uint64_t>(at.data() + last_at)},
        .count = base::get_fixed<std::uint32_t>(at.data() + count_at),
        .durable = {.epoch = epoch{base::get_fixed<std::uint64_t>(at.data() + durable_epoch_at)},
                    .index =
                        log_index{base::get_fixed<std::uint64_t>(at.data() + durable_index_at)}},
        .body_checksum = base::get_fixed<std::uint64_t>(at.data() + body_checksum_at)};
    if (header.length < batch_header_size || header.first == log_index{0} ||
        header.last.value() - header.first.value() + 1 != header.count) {
        return std::nullopt;
    }
    return header;
}

std::optional<batch> decode_batch(const batch_header& header,
                                  base::byte_view whole,
                                  const segment_uuid& uuid) {
    if (whole.size() < header.length) {
        return std::nullopt;
    }
    const base::byte_view body =
        whole.subspan(batch_header_size, header.length - batch_header_size);
    if (body_checksum(body, uuid) != header.body_checksum) {
        return std::nullopt;
    }
    batch content;
    wire::reader in{body};
    while (in.remaining() > 0) {
        if (!take_record(in, content)) {
            return std::nullopt;
        }
    }
    return agree(header, content) ? std::optional{std::move(content)} : std::nullopt;
}

} // namespace almenara::storage::core
