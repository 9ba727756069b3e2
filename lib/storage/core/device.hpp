#pragma once

#include "base/bytes.hpp"
#include "storage/core/ids.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What a disk is asked to do, as data. The disk thread executes it with pwrite, fdatasync and
/// rename; the simulator's disk executes the same list in memory.
namespace almenara::storage::core {

enum class file_kind : std::uint8_t {
    meta,        ///< "meta": two slots (B.1)
    meta_new,    ///< "meta.new": not yet there; removed at a start
    segment,     ///< "log.0000000000000007": active, or was
    blank_spare, ///< "spare.0000000000000002.blank": all zeros, and synced
    used_spare,  ///< "spare.0000000000000003.used": was a segment, its bytes are stale
    unfinished,  ///< "spare.0000000000000004.new": being filled with zeros; removed at a start
};

/// A file in the log's directory. `number` is a segment's seq or a spare's number; 0 for `meta`.
struct file_name {
    file_kind kind = file_kind::meta;
    std::uint64_t number = 0;

    friend auto operator<=>(const file_name&, const file_name&) = default;
};

[[nodiscard]] inline file_name segment_file_name(segment_seq seq) {
    return {.kind = file_kind::segment, .number = seq.value()};
}

[[nodiscard]] std::string to_text(const file_name& name);
/// Nothing for a name that is not the log's; such a file is left alone.
[[nodiscard]] std::optional<file_name> parse_file_name(std::string_view text);

/// A file of `size` bytes, zeros written all over: unwritten extents would make every later sync a
/// commit of the file system's journal.
struct create_file {
    file_name file;
    std::uint64_t size = 0;
};
/// Whole blocks at a multiple of their size.
struct write_blocks {
    file_name file;
    std::uint64_t offset = 0;
    base::byte_vector bytes;
};
/// Everything written to the file is on the medium when it returns.
struct sync_file {
    file_name file;
};
struct rename_file {
    file_name from;
    file_name to;
};
struct remove_file {
    file_name file;
};
/// Every create, rename and remove is on the medium when it returns.
struct sync_directory {};

using device_operation =
    std::variant<create_file, write_blocks, sync_file, rename_file, remove_file, sync_directory>;

/// Executed in order, each after the one before returned. E.1: the first failure ends the process;
/// nothing is tried again.
using device_operations = std::vector<device_operation>;

} // namespace almenara::storage::core
