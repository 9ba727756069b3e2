#pragma once

#include "client/errands.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace almenara::cli {

/// Where a write stands, as every command that writes prints it: the index is a fencing token.
[[nodiscard]] std::string written_text(const client::answer& how);

/// `{"index":10424,"epoch":7,"durable_on":3,"voters":3,"session":"…","seq":5}`
[[nodiscard]] boost::json::object written_json(const client::answer& how);

} // namespace almenara::cli
