#include "client/rules.hpp"

#ifdef ALMENARA_MUTATIONS
#include <bitset>
#include <cstddef>

namespace almenara::client {

namespace {

constexpr std::size_t most_rules = 16;

std::bitset<most_rules>& broken() {
    static std::bitset<most_rules> rules;
    return rules;
}

} // namespace

bool holds(rule r) {
    return !broken().test(static_cast<std::size_t>(r));
}

void break_rule(rule r) {
    broken().set(static_cast<std::size_t>(r));
}

void restore_rules() {
    broken().reset();
}

} // namespace almenara::client
#endif
