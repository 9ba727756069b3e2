#pragma once

#include "base/bytes.hpp"
#include "cluster/network.hpp"
#include "cluster/raw_client.hpp"

#include <cstdint>
#include <vector>

namespace almenara::test {

/// A datagram as it went over somebody's wire.
struct tapped_datagram {
    bool came = false; ///< to this machine; else it left it
    std::uint16_t from = 0;
    std::uint16_t to = 0;
    base::byte_vector bytes;
};

/// Hears every UDP datagram that comes to a machine of a test or leaves it, from now on.
class wiretap {
  public:
    wiretap(const network& wires, machine where);

    /// Since the last time.
    [[nodiscard]] std::vector<tapped_datagram> heard() const;

  private:
    handle socket_;
};

} // namespace almenara::test
