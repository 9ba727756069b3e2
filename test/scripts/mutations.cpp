#include "scripts/mutations.hpp"

#include "replica/rules.hpp"
#include "scripts/words.hpp"
#include "state/rules.hpp"
#include "storage/core/rules.hpp"

#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>
#include <fmt/format.h>

namespace almenara::scripts {

namespace {

/// B.1: the one rule of storage that these disks, which have no bytes, can show. For the others
/// there are test/unit/sim/storage_rules_test.cpp and the simulator.
constexpr std::string_view start_rewrites = "start_rewrites";

/// The one rule of the state that these servers, which have all rows in memory, cannot show. For it
/// there are test/unit/state/rules_test.cpp and the simulator.
constexpr std::string_view kept_for_inputs = "overlay_kept_for_inputs";

/// Calls `visit(name, rule)` for each rule of a room.
template <class Rule, class Visitor>
void for_each_rule(Visitor&& visit) {
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<Rule>>(
        [&](auto each) { visit(std::string_view{each.name}, each.value); });
}

} // namespace

void break_rule(std::string_view name) {
    bool known = name == start_rewrites;
    if (known) {
        base::break_rule(storage::core::rule::start_rewrites);
    }
    for_each_rule<replica::rule>([&](std::string_view each, replica::rule which) {
        if (each == name) {
            base::break_rule(which);
            known = true;
        }
    });
    for_each_rule<state::rule>([&](std::string_view each, state::rule which) {
        if (each == name) {
            base::break_rule(which);
            known = true;
        }
    });
    if (!known) {
        throw script_error{fmt::format("'{}' is no rule", name)};
    }
}

std::vector<std::string> all_rules() {
    std::vector<std::string> names{std::string{start_rewrites}};
    for_each_rule<replica::rule>([&](std::string_view each, auto) { names.emplace_back(each); });
    for_each_rule<state::rule>([&](std::string_view each, auto) {
        if (each != kept_for_inputs) {
            names.emplace_back(each);
        }
    });
    return names;
}

} // namespace almenara::scripts
