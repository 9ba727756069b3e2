#pragma once

#include "base/bytes.hpp"
#include "client/errands.hpp"
#include "runtime.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include <functional>
#include <string>
#include <string_view>

/// What the commands about keys have in common.
namespace almenara::cli {

/// A value as it is typed: itself, or everything that the input has for `-`.
[[nodiscard]] outcome<base::byte_vector> read_value(std::string_view typed, int input);

/// What a write adds to what every write prints.
struct write_report {
    std::string text; ///< in front of it; may be empty
    boost::json::object json;
};
using report_of = std::function<write_report(const client::answer& how)>;

/// Writes, and prints where the write stands.
[[nodiscard]] boost::asio::awaitable<exit_code> write_once(runtime& here,
                                                           base::byte_vector body,
                                                           report_of report);

} // namespace almenara::cli
