#pragma once

#include "base/error.hpp"
#include "storage/core/log_device.hpp"

#include <functional>
#include <memory>
#include <string>

/// The core's devices under the room's own names.
namespace almenara::storage {

using core::device;
using core::execute_all;
using core::found_file;
using core::read_from;
using core::readable_file;

using device_maker = std::function<result<std::unique_ptr<device>>(const std::string& directory)>;

} // namespace almenara::storage
