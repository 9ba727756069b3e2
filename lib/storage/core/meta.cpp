#include "storage/core/meta.hpp"

#include "storage/core/block.hpp"

#include <fmt/format.h>

#include <array>

namespace almenara::storage::core {

namespace {

result<std::optional<meta_slot>> read_slot(base::byte_view file, slot_number slot) {
    const std::size_t from = slot.value() * block_size;
    if (file.size() < from + block_size) {
        return std::optional<meta_slot>{};
    }
    const auto opened = open_block(block_magic::meta, file.subspan(from, block_size));
    if (!opened) {
        return std::optional<meta_slot>{};
    }
    if (opened->version > format_version) {
        return error{errc::unsupported,
                     fmt::format("'meta' was written by a newer version (format {}, this one knows "
                                 "{}). Install that version",
                                 opened->version, format_version)};
    }
    auto content = wire::decode<meta_slot>(opened->body);
    return content ? std::optional{std::move(*content)} : std::optional<meta_slot>{};
}

error unreadable(const char* how) {
    return error{errc::malformed,
                 fmt::format("'meta' {}: what this server promised is not known any more, so it "
                             "must not vote. Remove the server from the cluster and add it again "
                             "with an empty directory",
                             how)};
}

} // namespace

base::byte_vector encode_slot(const meta_slot& slot) {
    return seal_struct(block_magic::meta, slot);
}

result<chosen_slot> choose_slot(base::byte_view file) {
    std::array<std::optional<meta_slot>, meta_slots> slots;
    for (std::uint8_t i = 0; i < meta_slots; ++i) {
        auto read = read_slot(file, slot_number{i});
        if (!read) {
            return read.error();
        }
        slots[i] = std::move(*read);
    }
    if (!slots[0] && !slots[1]) {
        return unreadable("cannot be read, neither of its two slots");
    }
    if (slots[0] && slots[1] && slots[0]->generation == slots[1]->generation &&
        !(*slots[0] == *slots[1])) {
        return unreadable("says two different things of the same generation");
    }
    const bool second = !slots[0] || (slots[1] && slots[1]->generation > slots[0]->generation);
    return chosen_slot{.slot = slot_number{second}, .content = *slots[second ? 1 : 0]};
}

device_operations plan_new_meta(const meta_fields& fields) {
    const file_name beside{.kind = file_kind::meta_new};
    const base::byte_vector slot =
        encode_slot({.generation = meta_generation{1}, .fields = fields});
    base::byte_vector both = slot;
    both.insert(both.end(), slot.begin(), slot.end());
    device_operations operations;
    operations.emplace_back(create_file{.file = beside, .size = meta_size});
    operations.emplace_back(write_blocks{.file = beside, .offset = 0, .bytes = std::move(both)});
    operations.emplace_back(sync_file{.file = beside});
    operations.emplace_back(rename_file{.from = beside, .to = {.kind = file_kind::meta}});
    operations.emplace_back(sync_directory{});
    return operations;
}

} // namespace almenara::storage::core
