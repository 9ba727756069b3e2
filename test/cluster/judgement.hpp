#pragma once

#include "cluster/load.hpp"
#include "support/check/exactly_once.hpp"
#include "support/check/orders.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace almenara::test {

/// What a load shows, once its clients have ended and everything was read again: nothing is lost,
/// nothing happened twice, nobody saw what was old.
struct judgement {
    std::uint64_t confirmed = 0;
    std::uint64_t unknown = 0; ///< operations whose outcome nobody told within their deadline
    std::uint64_t lost = 0;
    std::uint64_t twice = 0; ///< or what nobody asked for
    std::uint64_t stale = 0; ///< answers that rest on less than earlier ones did
    std::uint64_t keys_in_order = 0;
    std::uint64_t keys_without_order = 0;
    std::uint64_t keys_unknown = 0;
    std::vector<std::string> evidence;

    void add(const judgement& other);
};

[[nodiscard]] judgement judge(const check::history& told, const all_rows& in_the_end);
[[nodiscard]] judgement judge(const load& done, const all_rows& in_the_end);

/// The test fails if something is wrong; it fails too if nothing was done.
void check_safe(const judgement& is);

} // namespace almenara::test
