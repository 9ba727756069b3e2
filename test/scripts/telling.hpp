#pragma once

#include "replica/config.hpp"
#include "replica/gate.hpp"
#include "replica/messages.hpp"

#include <string>
#include <vector>

/// How the transcript names things: short, and as the protocol's own tables do.
namespace almenara::scripts {

/// `ELECTION g1 rank 2.17 closed`. Bodies that say nothing new are short, not absent.
[[nodiscard]] std::string tell(const replica::message& what);

/// The message's name in the protocol: `HEARTBEAT_ACK`.
[[nodiscard]] std::string name_of(const replica::message& what);

/// What comes again and again and carries no story: greetings, heartbeats, pings, empty APPENDs.
[[nodiscard]] bool is_routine(const replica::message& what);

/// `2.17`: epoch and index.
[[nodiscard]] std::string tell(const replica::log_end& end);
[[nodiscard]] std::string tell(const replica::persistent& meta);

/// What an entry is: `config`, `start`, the text of its payload.
[[nodiscard]] std::string tell(const replica::entry& what);
/// `5..7@2`: positions 5 to 7, of epoch 2 at the last one.
[[nodiscard]] std::string tell(const std::vector<replica::entry_ptr>& entries);

} // namespace almenara::scripts
