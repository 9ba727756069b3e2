#pragma once

#include "storage/core/device.hpp"
#include "storage/core/log_map.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace almenara::storage::core {

/// A file that can become a segment.
struct spare_file {
    file_name name;
    std::uint64_t size = 0;
};

/// Files that wait to become segments: made of zeros beforehand, or used before.
class spares {
  public:
    /// What a start found, and how large and how many they are to be.
    spares(std::vector<spare_file> found, std::uint64_t segment_size, std::size_t wanted);

    /// One to open a segment in, zeroed ones first. Made on the spot if there is none: then the
    /// operations that do so come first.
    [[nodiscard]] spare_file take(device_operations& operations);

    /// In the background: the oldest segment becomes a spare, or a new one is made. Nothing if all
    /// is as it should be. To be executed beside the log's own operations; one at a time.
    /// E.1: with little room nothing is made before it is needed.
    [[nodiscard]] std::optional<device_operations> tend(std::optional<mapped_segment> free,
                                                        bool makes = true);
    /// Those were executed.
    void tended();
    [[nodiscard]] bool busy() const { return coming_.has_value() || removing_; }
    [[nodiscard]] std::size_t count() const { return ready_.size(); }

  private:
    [[nodiscard]] spare_file make(device_operations& operations);
    [[nodiscard]] device_operations recycle(const mapped_segment& segment);

    std::deque<spare_file> ready_;
    std::optional<spare_file> coming_;
    bool removing_ = false;
    std::uint64_t next_number_ = 1;
    std::uint64_t segment_size_;
    std::size_t wanted_;
};

/// Files of these names are what a start takes away: a crash left them half made.
[[nodiscard]] device_operations plan_tidying(const std::vector<file_name>& directory);

} // namespace almenara::storage::core
