#pragma once

#include "replica/messages.hpp"
#include "services/kv/messages.hpp"
#include "state/rows.hpp"
#include "storage/records.hpp"
#include "storage/state_header.hpp"
#include "wire/client_messages.hpp"
#include "wire/message_list.hpp"
#include "wire/presence.hpp"

#include <boost/mp11/algorithm.hpp>

namespace almenara::test {

/// The lists of all rooms as one. A room that declares messages adds its list here.
using all_messages = boost::mp11::mp_append<replica::link_messages,
                                            wire::presence_messages,
                                            wire::client_messages,
                                            storage::storage_records,
                                            storage::state_db_records,
                                            state::state_records,
                                            services::kv::kv_messages>;

static_assert(wire::has_no_doubles<all_messages>(), "a number or a message is listed twice");

} // namespace almenara::test
