#pragma once

#include "text_table.hpp"
#include "wire/client_messages.hpp"

#include <string>

namespace almenara::cli {

/// How the servers are, at a glance.
[[nodiscard]] std::string status_text(const wire::status_reply& status,
                                      const table_look& look = {});

/// One line; the keys are those of docs: what nobody knows is null.
[[nodiscard]] std::string status_json(const wire::status_reply& status);

/// Who belongs to the cluster, and nothing else.
[[nodiscard]] std::string members_text(const wire::status_reply& status,
                                       const table_look& look = {});
[[nodiscard]] std::string members_json(const wire::status_reply& status);

} // namespace almenara::cli
