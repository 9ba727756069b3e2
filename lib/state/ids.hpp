#pragma once

#include "base/session_ids.hpp"

namespace almenara::state {

using almenara::device_id;
using almenara::open_nonce;
using almenara::sequence;
using almenara::session_id;

} // namespace almenara::state
