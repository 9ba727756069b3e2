#pragma once

#include "storage/device.hpp"

#include <memory>
#include <string>

namespace almenara::storage {

/// E.1: from the medium means O_DIRECT. Where the file system refuses that, what the cache has is
/// written and the cache is asked to let go of it, which it does not promise.
[[nodiscard]] result<std::unique_ptr<readable_file>> open_to_read(const std::string& path,
                                                                  read_from where);

} // namespace almenara::storage
