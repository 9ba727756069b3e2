#include "sim/mutation.hpp"

#include "client/rules.hpp"
#include "replica/rules.hpp"
#include "state/rules.hpp"
#include "storage/core/rules.hpp"

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

template <class Rule>
bool break_one(std::string_view name) {
    bool found = false;
    for_each_rule<Rule>([&](std::string_view known, Rule rule) {
        if (known == name) {
            base::break_rule(rule);
            found = true;
        }
    });
    return found;
}

} // namespace

bool break_rule(std::string_view name) {
    return break_one<replica::rule>(name) || break_one<state::rule>(name) ||
           break_one<storage::core::rule>(name) || break_one<almenara::client::rule>(name);
}

std::vector<std::string> rule_names() {
    std::vector<std::string> names;
    const auto keep = [&](std::string_view known, auto) { names.emplace_back(known); };
    for_each_rule<replica::rule>(keep);
    for_each_rule<state::rule>(keep);
    for_each_rule<storage::core::rule>(keep);
    for_each_rule<almenara::client::rule>(keep);
    return names;
}

} // namespace almenara::sim
