#pragma once

#include "base/session_ids.hpp"
#include "base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace almenara::server {

/// C.2: when which device is told of the primary of now. One announcement at a time.
class beacon_schedule {
  public:
    /// A new primary tells again and again, a backup once and a little later: over another path.
    enum class teller : std::uint8_t { primary, backup };

    /// Takes the place of what was going on.
    void begin(teller who, std::vector<device_tag> devices, instant now);
    void end();
    /// It came to be known while the primary tells the others: it is told from now on.
    void join(device_tag device, instant now);
    /// It knows.
    void leave(device_tag device);

    struct due {
        device_tag device;
        std::uint32_t sent = 0; ///< how many times it was told before

        friend bool operator==(const due&, const due&) = default;
    };
    /// The earliest first. Who was due several times while nobody looked is due once.
    [[nodiscard]] std::vector<due> take_due(instant now, std::size_t most);
    [[nodiscard]] std::optional<instant> next_due() const;

  private:
    struct progress {
        duration shift{0}; ///< of a crowd not all are told at the same moment
        instant next;
        std::uint32_t sent = 0;
    };

    [[nodiscard]] std::optional<instant> after(instant now, duration shift) const;
    void put(device_tag device, const progress& how_far);

    teller who_ = teller::primary;
    instant began_;
    bool runs_ = false;
    std::map<device_tag, progress> told_;
    std::set<std::pair<instant, device_tag>> queue_;
};

} // namespace almenara::server
