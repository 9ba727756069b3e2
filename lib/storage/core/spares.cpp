#include "storage/core/spares.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <utility>

namespace almenara::storage::core {

spares::spares(std::vector<spare_file> found, std::uint64_t segment_size, std::size_t wanted)
    : segment_size_(segment_size), wanted_(wanted) {
    for (const spare_file& spare : found) {
        next_number_ = std::max(next_number_, spare.name.number + 1);
        ready_.push_back(spare);
    }
    std::sort(ready_.begin(), ready_.end(), [](const spare_file& a, const spare_file& b) {
        return a.name < b.name; // Blank ones stand before used ones.
    });
}

spare_file spares::take(device_operations& operations) {
    if (ready_.empty()) {
        return make(operations);
    }
    const spare_file spare = ready_.front();
    ready_.pop_front();
    return spare;
}

/// Under the name of an unfinished one: it gets another when it is whole.
spare_file spares::make(device_operations& operations) {
    const spare_file spare{.name = {.kind = file_kind::unfinished, .number = next_number_++},
                           .size = segment_size_};
    operations.emplace_back(create_file{.file = spare.name, .size = spare.size});
    return spare;
}

std::optional<device_operations> spares::tend(std::optional<mapped_segment> free, bool makes) {
    ALMENARA_CHECK(!busy());
    if (free) {
        return recycle(*free);
    }
    if (!makes || ready_.size() >= wanted_) {
        return std::nullopt;
    }
    device_operations operations;
    const spare_file made = make(operations);
    coming_ = made;
    coming_->name.kind = file_kind::blank_spare;
    operations.emplace_back(sync_file{.file = made.name});
    operations.emplace_back(rename_file{.from = made.name, .to = coming_->name});
    operations.emplace_back(sync_directory{});
    return operations;
}

device_operations spares::recycle(const mapped_segment& segment) {
    const file_name name = segment_file_name(segment.seq);
    device_operations operations;
    if (ready_.size() < wanted_ && segment.size == segment_size_) {
        coming_ = spare_file{.name = {.kind = file_kind::used_spare, .number = next_number_++},
                             .size = segment.size};
        operations.emplace_back(rename_file{.from = name, .to = coming_->name});
    } else {
        removing_ = true;
        operations.emplace_back(remove_file{.file = name});
    }
    // Before the next one goes: a gap between the numbers would be damage (E.3).
    operations.emplace_back(sync_directory{});
    return operations;
}

void spares::tended() {
    ALMENARA_CHECK(busy());
    removing_ = false;
    if (coming_) {
        ready_.push_back(*std::exchange(coming_, std::nullopt));
    }
}

device_operations plan_tidying(const std::vector<file_name>& directory) {
    device_operations operations;
    for (const file_name& name : directory) {
        if (name.kind == file_kind::unfinished || name.kind == file_kind::meta_new) {
            operations.emplace_back(remove_file{.file = name});
        }
    }
    // Names too were perhaps read from the cache of a process that was killed before it synced.
    operations.emplace_back(sync_directory{});
    return operations;
}

} // namespace almenara::storage::core
