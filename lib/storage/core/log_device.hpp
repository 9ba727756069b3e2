#pragma once

#include "base/error.hpp"
#include "storage/core/device.hpp"
#include "storage/core/segment_walker.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace almenara::storage::core {

struct found_file {
    file_name name;
    std::uint64_t size = 0;
};

/// A file that is read while nobody writes what is read.
class readable_file : public segment_source {
  public:
    /// False: the file system would not do it, so the page cache was only asked to let go.
    [[nodiscard]] virtual bool past_cache() const = 0;
};

enum class read_from : std::uint8_t {
    medium, ///< E.1: at a start; the cache may show what no disk has
    cache,  ///< what this process has synced
};

/// Executes what is planned here, in one directory. Each thread has one of its own. The simulator's
/// is a disk in memory; tests put one that fails before the real one.
class device {
  public:
    virtual ~device() = default;

    /// E.1: what fails is not tried again, and the process does nothing more with the disk. The
    /// failure says what was being done to which file.
    [[nodiscard]] virtual result<void> execute(const device_operation& operation) = 0;
    /// The log's own files in the directory; others are left alone.
    [[nodiscard]] virtual result<std::vector<found_file>> list() = 0;
    [[nodiscard]] virtual result<std::unique_ptr<readable_file>> open(const file_name& name,
                                                                      read_from where) = 0;
    /// From any thread: nobody waits for its work any more. What takes long may fail half done.
    virtual void cut_short() {}
};

/// In order, up to the first that fails.
[[nodiscard]] inline result<void> execute_all(device& on, const device_operations& operations) {
    for (const device_operation& operation : operations) {
        if (auto done = on.execute(operation); !done) {
            return done;
        }
    }
    return {};
}

} // namespace almenara::storage::core
