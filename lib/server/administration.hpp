#pragma once

#include "server/client_requests.hpp"
#include "wire/session_messages.hpp"

namespace almenara::server {

class driver;

/// What an administrator wishes (cli, `cluster transfer` and `cluster go`). The answer says what
/// was begun, or why nothing was; what comes of it is seen in `status`.
[[nodiscard]] client_answer administer(driver& server, const wire::admin& what);

} // namespace almenara::server
