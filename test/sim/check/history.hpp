#pragma once

#include "support/check/history.hpp"
#include "support/check/kv_model.hpp"
#include "support/check/kv_words.hpp"
#include "support/check/order_search.hpp"
#include "support/check/workload.hpp"

/// What clients ask and see is the same in virtual time and with real processes, and so is what
/// judges it.
namespace almenara::sim::check {

using test::check::body_of;
using test::check::client_number;
using test::check::execute;
using test::check::explains;
using test::check::history;
using test::check::is_bad;
using test::check::key_values;
using test::check::longest_key;
using test::check::operation;
using test::check::outcome;
using test::check::reply;
using test::check::reply_of;
using test::check::request;
using test::check::search_order;
using test::check::to_string;
using test::check::value_row;
using test::check::verb;
using test::check::verdict;
using test::check::workload;

} // namespace almenara::sim::check
