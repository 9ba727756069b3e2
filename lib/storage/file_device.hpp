#pragma once

#include "storage/device.hpp"
#include "storage/file.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace almenara::storage {

/// The device of a real directory. `meta` and the segment that is written stay open; descriptors
/// follow a rename.
class file_device final : public device {
  public:
    /// The directory is there.
    [[nodiscard]] static result<std::unique_ptr<device>> open_directory(const std::string& path);

    [[nodiscard]] result<void> execute(const core::device_operation& operation) override;
    [[nodiscard]] result<std::vector<found_file>> list() override;
    [[nodiscard]] result<std::unique_ptr<readable_file>> open(const core::file_name& name,
                                                              read_from where) override;
    void cut_short() override { is_cut_short_ = true; }

    [[nodiscard]] std::size_t open_files() const { return open_.size(); }

  private:
    file_device(std::string path, descriptor directory)
        : path_(std::move(path)), directory_(std::move(directory)) {}

    [[nodiscard]] result<void> on(const core::create_file& what);
    [[nodiscard]] result<void> on(const core::write_blocks& what);
    [[nodiscard]] result<void> on(const core::sync_file& what);
    [[nodiscard]] result<void> on(const core::rename_file& what);
    [[nodiscard]] result<void> on(const core::remove_file& what);
    [[nodiscard]] result<void> on(const core::sync_directory& what);

    [[nodiscard]] std::string path_of(const core::file_name& name) const;
    /// For writing.
    [[nodiscard]] result<int> opened(const core::file_name& name);
    void close_segments_before(const core::file_name& name);

    std::string path_;
    descriptor directory_;
    std::map<core::file_name, descriptor> open_;
    std::atomic<bool> is_cut_short_ = false;
};

} // namespace almenara::storage
