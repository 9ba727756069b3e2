#include "sim/mutation.hpp"

#include "replica/rules.hpp"
#include "state/rules.hpp"

#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>

namespace almenara::sim {

namespace {

/// Calls `visit(name, rule)` for each.
template <class Rule, class Visitor>
void for_each_rule(Visitor&& visit) {
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<Rule>>(
        [&](auto enumerator) { visit(std::string_view{enumerator.name}, enumerator.value); });
}

} // namespace

bool break_rule(std::string_view name) {
    bool found = name == rule_of_the_disk;
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

std::vector<std::string> rule_names() {
    std::vector<std::string> names;
    const auto keep = [&](std::string_view known, auto) { names.emplace_back(known); };
    for_each_rule<replica::rule>(keep);
    for_each_rule<state::rule>(keep);
    names.emplace_back(rule_of_the_disk);
    return names;
}

} // namespace almenara::sim
