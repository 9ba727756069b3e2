#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "wire/described.hpp"
#include "wire/message_list.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What is asked of the key-value service and what it answers: bodies of operations and questions
/// (services/body.hpp), never frames of their own.
namespace almenara::services::kv {

inline constexpr std::size_t largest_key = 512;
inline constexpr std::size_t largest_value = 256U << 10U;
/// Of a cas, with which it travels in one operation: a longer value is expected by its version.
inline constexpr std::size_t largest_expected_value = 255U << 10U;
inline constexpr std::size_t largest_page_rows = 1000;
inline constexpr std::size_t largest_page_bytes = 256U << 10U;

/// The key gets the value, whatever it had.
struct put {
    std::string key;
    base::byte_vector value;
};
ALMENARA_DESCRIBE(put, key, value)

/// The same if the key is as expected; at least one of the two is named. Version 0: it is not
/// there.
struct cas {
    std::string key;
    std::optional<log_index> expected_version;
    std::optional<base::byte_vector> expected_value;
    base::byte_vector value;
};
ALMENARA_DESCRIBE(cas, key, expected_version, expected_value, value)

/// The value is a whole number, in decimal; a key that is not there counts as 0.
struct add {
    std::string key;
    std::int64_t delta = 0;
};
ALMENARA_DESCRIBE(add, key, delta)

struct remove {
    std::string key;
};
ALMENARA_DESCRIBE(remove, key)

/// The log index of a write is the version of its key from then on, and a fencing token: of two
/// writes the later one has the higher.
struct written {
    log_index version;
};
ALMENARA_DESCRIBE(written, version)

struct added {
    log_index version;
    std::int64_t value = 0;
};
ALMENARA_DESCRIBE(added, version, value)

enum class conflict_reason : std::uint8_t {
    version,      ///< it is another one
    value,        ///< it is another one
    not_a_number, ///< add
    overflow,     ///< add: the sum does not fit into 64 bits
};
ALMENARA_DESCRIBE_ENUM(conflict_reason, version, value, not_a_number, overflow)

/// Nothing was written.
struct conflict {
    conflict_reason reason = conflict_reason::version;
    log_index version; ///< the key's; 0: it is not there
};
ALMENARA_DESCRIBE(conflict, reason, version)

/// Question.
struct get {
    std::string key;
};
ALMENARA_DESCRIBE(get, key)

struct value {
    log_index version;
    base::byte_vector bytes;
};
ALMENARA_DESCRIBE(value, version, bytes)

/// Question: the keys that begin with `prefix`, behind `after`, a page at a time.
struct list {
    std::string prefix;
    std::optional<std::string> after;
    std::uint32_t rows = 0; ///< at most so many; 0: as many as a page may have
    bool with_values = false;
};
ALMENARA_DESCRIBE(list, prefix, after, rows, with_values)

struct listed_key {
    std::string key;
    log_index version;
    std::optional<base::byte_vector> value;
};
ALMENARA_DESCRIBE(listed_key, key, version, value)

struct page {
    std::vector<listed_key> keys;
    std::optional<std::string> more_after; ///< `after` of the next page; none: this was the last
};
ALMENARA_DESCRIBE(page, keys, more_after)

/// The row of a key: "kv/" and the key.
struct kv_row {
    log_index version;
    base::byte_vector value;
};
ALMENARA_DESCRIBE(kv_row, version, value)

/// Numbers 0x10xx.
using kv_messages = wire::message_list<wire::listed<put, 0x1001>,
                                       wire::listed<cas, 0x1002>,
                                       wire::listed<add, 0x1003>,
                                       wire::listed<remove, 0x1004>,
                                       wire::listed<get, 0x1005>,
                                       wire::listed<list, 0x1006>,
                                       wire::listed<written, 0x1007>,
                                       wire::listed<added, 0x1008>,
                                       wire::listed<conflict, 0x1009>,
                                       wire::listed<value, 0x100a>,
                                       wire::listed<page, 0x100b>,
                                       wire::listed<kv_row, 0x100c>>;

} // namespace almenara::services::kv
