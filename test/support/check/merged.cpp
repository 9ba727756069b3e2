#include "support/check/merged.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace almenara::test::check {

history merged(const history& some, const history& others) {
    ALMENARA_CHECK(some.open() == 0 && others.open() == 0);
    std::vector<operation> all;
    // Each is in the order of asking already.
    std::merge(
        some.operations().begin(), some.operations().end(), others.operations().begin(),
        others.operations().end(), std::back_inserter(all),
        [](const operation& one, const operation& other) { return one.called < other.called; });
    history both;
    for (operation& one : all) {
        const std::optional<instant> returned = std::exchange(one.returned, std::nullopt);
        const reply heard = std::exchange(one.reply, {});
        const auto ticket = both.called(std::move(one));
        if (returned) {
            both.returned(ticket, *returned, heard);
        } else {
            both.given_up(ticket);
        }
    }
    return both;
}

} // namespace almenara::test::check
