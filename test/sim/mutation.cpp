#include "sim/mutation.hpp"

#include "replica/rules.hpp"
#include "state/rules.hpp"

#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>

namespace almenara::sim {

namespace {

constexpr std::string_view meta_rewritten = "meta_rewritten";

bool& rewrites_meta() {
    static bool does = true;
    return does;
}

// The state's rules have no names at run time; there are few.
struct state_rule {
    std::string_view name;
    state::rule rule;
};
constexpr state_rule state_rules[]{
    {"dedup_row_in_update", state::rule::dedup_row_in_update},
    {"overlay_dropped_after_office", state::rule::overlay_dropped_after_office},
    {"refusal_is_entry", state::rule::refusal_is_entry},
    {"attachment_newest_only", state::rule::attachment_newest_only},
};

template <class Visitor>
void for_each_replica_rule(Visitor&& visit) {
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<replica::rule>>(
        [&](auto enumerator) { visit(std::string_view{enumerator.name}, enumerator.value); });
}

} // namespace

bool break_rule(std::string_view name) {
    bool found = name == meta_rewritten;
    if (found) {
        rewrites_meta() = false;
    }
    for_each_replica_rule([&](std::string_view known, replica::rule rule) {
        if (known == name) {
            replica::break_rule(rule);
            found = true;
        }
    });
    for (const state_rule& known : state_rules) {
        if (known.name == name) {
            state::break_rule(known.rule);
            found = true;
        }
    }
    return found;
}

bool meta_is_rewritten() {
    return rewrites_meta();
}

std::vector<std::string> rule_names() {
    std::vector<std::string> names;
    for_each_replica_rule(
        [&](std::string_view known, replica::rule) { names.emplace_back(known); });
    for (const state_rule& known : state_rules) {
        names.emplace_back(known.name);
    }
    names.emplace_back(meta_rewritten);
    return names;
}

} // namespace almenara::sim
