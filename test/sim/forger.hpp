#pragma once

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/session_ids.hpp"
#include "sim/dice.hpp"
#include "sim/network.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace almenara::sim {

/// Somebody on the way between servers and clients (C.2). He hears every datagram that arrives and
/// sends others: the same again, now or much later, to anybody; the same with a bit that is another
/// one; announcements that he has sealed with a key that he made up. In some runs he has the key of
/// one device.
class forger {
  public:
    explicit forger(dice luck) : luck_(luck) {}

    void overhears(node to, base::byte_view bytes);
    /// He has stolen it.
    void learn(device_tag device, const base::key256& key);

    struct forgery {
        node to;
        base::byte_vector bytes;
    };
    /// What he sends now, if anything.
    [[nodiscard]] std::optional<forgery> next();

  private:
    static constexpr std::size_t most_kept = 256;

    [[nodiscard]] base::byte_vector announcement();

    dice luck_;
    std::vector<forgery> kept_; ///< of all that was heard
    std::size_t oldest_ = 0;
    std::optional<std::pair<device_tag, base::key256>> stolen_;
};

} // namespace almenara::sim
