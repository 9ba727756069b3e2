#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace almenara::storage {

enum class priority : std::uint8_t {
    normal, ///< somebody waits
    lowest, ///< works with what the others leave
};

/// A thread beside the owner's, for a disk. It gets no signals: they are the owner's.
[[nodiscard]] std::thread start_worker(std::string name,
                                       priority which,
                                       std::function<void()> loop);

} // namespace almenara::storage
