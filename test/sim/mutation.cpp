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

/// Calls `visit(name, rule)` for each.
template <class Rule, class Visitor>
void for_each_rule(Visitor&& visit) {
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<Rule>>(
        [&](auto enumerator) { visit(std::string_view{enumerator.name}, enumerator.value); });
}

} // namespace

bool break_rule(std::string_view name) {
    bool found = name == meta_rewritten;
    if (found) {
        rewrites_meta() = false;
    }
    for_each_rule<replica::rule>([&](std::string_view known, replica::rule rule) {
        if (known == name) {
            replica::break_rule(rule);
            found = true;
        }
    });
    for_each_rule<state::rule>([&](std::string_view known, state::rule rule) {
        if (known == name) {
            state::break_rule(rule);
            found = true;
        }
    });
    return found;
}

bool meta_is_rewritten() {
    return rewrites_meta();
}

std::vector<std::string> rule_names() {
    std::vector<std::string> names;
    const auto keep = [&](std::string_view known, auto) { names.emplace_back(known); };
    for_each_rule<replica::rule>(keep);
    for_each_rule<state::rule>(keep);
    names.emplace_back(meta_rewritten);
    return names;
}

} // namespace almenara::sim
