#pragma once

#include <bitset>
#include <cstddef>
#include <type_traits>

/// Safety rules that a test can switch off one at a time, to prove that its checks would notice
/// (docs/testing.md, mutation check). A room names its rules in a scoped enum, takes these
/// functions into its namespace and asks `holds(rule::that_one)` wherever one of them is applied.
/// In what ships all of them hold, and the compiler removes the question.
namespace almenara::base {

#ifdef ALMENARA_MUTATIONS

inline constexpr std::size_t most_rules_of_a_room = 64;

template <class Rule>
    requires std::is_enum_v<Rule>
inline std::bitset<most_rules_of_a_room> broken_rules;

template <class Rule>
    requires std::is_enum_v<Rule>
[[nodiscard]] bool holds(Rule r) {
    return !broken_rules<Rule>.test(static_cast<std::size_t>(r));
}

/// Only tests do this, between runs.
template <class Rule>
    requires std::is_enum_v<Rule>
void break_rule(Rule r) {
    broken_rules<Rule>.set(static_cast<std::size_t>(r));
}

template <class Rule>
    requires std::is_enum_v<Rule>
void restore_rules() {
    broken_rules<Rule>.reset();
}

#else

template <class Rule>
    requires std::is_enum_v<Rule>
[[nodiscard]] constexpr bool holds(Rule /*r*/) {
    return true;
}

#endif

} // namespace almenara::base
