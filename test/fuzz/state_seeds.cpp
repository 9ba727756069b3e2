#include "fuzz/state_seeds.hpp"

#include "fuzz/state_input.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <initializer_list>
#include <string_view>

namespace almenara::fuzz {

namespace {

struct number {
    number(unsigned value) : byte(static_cast<std::byte>(value)) {}
    number(state_step step) : byte(static_cast<std::byte>(step)) {}
    std::byte byte;
};

} // namespace

std::map<std::string, base::byte_vector> state_seeds() {
    using enum state_step;
    constexpr unsigned put = 0;
    constexpr unsigned erase = 1;
    constexpr unsigned splice = 2;
    constexpr unsigned unknown = 3;
    constexpr unsigned right = 1;
    constexpr unsigned wrong = 2;
    constexpr unsigned kv_key = 4;
    constexpr unsigned others_key = 5;
    std::map<std::string, base::byte_vector> all;
    const auto add_story = [&all](std::string_view name, std::initializer_list<number> numbers) {
        base::byte_vector& bytes = all[fmt::format("state/{}", name)];
        for (const number& one : numbers) {
            bytes.push_back(one.byte);
        }
    };
    // Connection 1 is named 0. Of an operation: connection, session, [key], sequence, unacked.
    add_story("a-visit",
              {enter, commit, 9U,  confirm, open, 0U,      1U,     commit, 9U,     confirm, attach,
               0U,    0U,     add, 0U,      0U,   1U,      1U,     1U,     add,    0U,      0U,
               1U,    2U,     1U,  commit,  9U,   confirm, add,    0U,     0U,     1U,      1U,
               1U,    apply,  0U,  close,   0U,   0U,      commit, 9U,     confirm});
    add_story("nonsense", {payload, 3U, 1U, 2U, 3U, commit, 1U, payload, 0U, enter, commit, 9U});
    add_story("unknown-change", {changes, 1U, unknown, others_key, 1U, right, 3U, enter, commit, 2U,
                                 changes, 1U, unknown, others_key, 1U, right, 3U, commit, 2U});
    add_story("wrong-rows", {changes, 1U,     put, kv_key, 1U,    wrong, 3U,     commit, 1U,
                             changes, 1U,     put, 0U,     1U,    wrong, 3U,     enter,  changes,
                             1U,      splice, 3U,  1U,     right, 3U,    commit, 1U});
    add_story("forged-rows",
              {changes, 4U,   put,    0U,    1U,    right,  2U,     put,    2U,     1U,
               right,   1U,   put,    1U,    2U,    right,  1U,     put,    3U,     0U,
               right,   0U,   commit, 1U,    enter, commit, 1U,     attach, 0U,     1U,
               add,     0U,   1U,     1U,    1U,    1U,     open,   1U,     2U,     sweep,
               wait,    255U, sweep,  close, 0U,    1U,     commit, 9U,     confirm});
    add_story("splices", {changes, 3U,         splice, others_key, 1U,  right,  9U,
                          splice,  others_key, 1U,     right,      20U, splice, others_key,
                          2U,      right,      251U,   commit,     1U,  apply,  0U,
                          changes, 2U,         splice, others_key, 1U,  right,  3U,
                          erase,   others_key, 1U,     right,      1U,  commit, 1U});
    add_story("dropped", {enter, commit, 1U, confirm, open,    0U,    1U, open,  1U,
                          1U,    leave,  1U, enter,   open,    2U,    1U, leave, 0U,
                          enter, commit, 9U, confirm, restart, apply, 2U});
    add_story("too-many",
              {enter,   commit,  9U,    open,  0U,    1U,   open, 0U,    2U,     open, 0U,
               3U,      open,    0U,    4U,    open,  0U,   5U,   open,  0U,     6U,   commit,
               9U,      confirm, sweep, sweep, sweep, open, 0U,   7U,    open,   0U,   8U,
               sweep,   wait,    250U,  wait,  250U,  wait, 250U, sweep, commit, 20U,  confirm,
               hang_up, 0U,      list,  3U,    ask,   2U,   1U,   2U});
    return all;
}

} // namespace almenara::fuzz
