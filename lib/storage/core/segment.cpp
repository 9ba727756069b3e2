#include "storage/core/segment.hpp"

#include "storage/core/block.hpp"

#include <fmt/format.h>

namespace almenara::storage::core {

base::byte_vector encode_header(const segment_header& header) {
    return seal_struct(block_magic::segment, header);
}

result<std::optional<segment_header>> decode_header(base::byte_view block) {
    const auto opened = open_block(block_magic::segment, block);
    if (!opened) {
        return std::optional<segment_header>{};
    }
    if (opened->version > format_version) {
        return error{errc::unsupported,
                     fmt::format("the log was written by a newer version (format {}, this one "
                                 "knows {}). Install that version",
                                 opened->version, format_version)};
    }
    auto header = wire::decode<segment_header>(opened->body);
    if (!header) {
        return std::optional<segment_header>{};
    }
    return std::optional{*header};
}

} // namespace almenara::storage::core
