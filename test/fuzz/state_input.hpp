#pragma once

#include <cstdint>

/// What fuzz-state makes of its bytes; shared with the tool that writes its seeds: steps, each a
/// byte and what is said here behind it. A server that may rule, and one that only applies.
namespace almenara::fuzz {

enum class state_step : std::uint8_t {
    payload, ///< count, bytes: an entry of another primary, whatever it holds
    changes, ///< count, and for each change: kind, row, id, form, number
    enter,   ///< takes office, over the tail that there is
    leave,   ///< 0: what was pending is cut, 1: another primary has it
    open,    ///< connection, nonce
    attach,  ///< connection, session
    operate, ///< connection, session, sequence, first_unacked, count, bytes: any body
    add,     ///< connection, session, sequence, first_unacked, key: a counter
    close,   ///< connection, session
    hang_up, ///< connection
    sweep,   ///< no more
    wait,    ///< hours
    commit,  ///< entries
    confirm, ///< all that is committed
    apply,   ///< entries fewer than all
    ask,     ///< count, bytes: any question
    list,    ///< rows, with values
    restart, ///< the process of the server that may rule; its base stays
    count_,
};

/// What a change of `changes` writes: nothing, those bytes that a row of that name has, or more.
enum class row_form : std::uint8_t { empty, right, wrong, count_ };

/// `session/`, `nonce/`, `result/`, `sessions`, `kv/`, and of a service that nobody has.
inline constexpr std::uint8_t row_names = 6;

} // namespace almenara::fuzz
