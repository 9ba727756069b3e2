#pragma once

#include "base/hlc.hpp"
#include "base/ids.hpp"
#include "replica/messages.hpp"

namespace almenara::sim {

/// Encodes the message as a frame and reads it again, as a connection would; ends the program if
/// anything is different afterwards.
[[nodiscard]] replica::message_ptr through_the_wire(almenara::epoch epoch,
                                                    hlc_stamp hlc,
                                                    const replica::message& message);

} // namespace almenara::sim
