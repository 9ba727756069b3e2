#pragma once

#include "state/outcome.hpp"

#include <array>
#include <cstddef>

namespace almenara::server {

/// Random bytes of the system, many at a time: each operation gets some.
class random_pool {
  public:
    [[nodiscard]] state::random_bytes take();

  private:
    std::array<std::byte, 4096> bytes_{};
    std::size_t used_ = sizeof(bytes_);
};

} // namespace almenara::server
