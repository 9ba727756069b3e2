#include "sim/check/endings.hpp"

#include <catch2/catch_all.hpp>

namespace almenara::sim::check {

namespace {

bool is_refused(replica::ending how, const reasons_to_end& has) {
    findings found;
    check_ending(found, server_id{1}, {.how = how, .text = "because"}, has);
    return !found.clean();
}

} // namespace

TEST_CASE("B.15 nobody ends himself without the reason that he names") {
    using replica::ending;
    const reasons_to_end none;
    const reasons_to_end disk{.sync_failed = true};
    const reasons_to_end asked{.terminate = true};
    CHECK_FALSE(is_refused(ending::disk_failed, disk));
    CHECK(is_refused(ending::disk_failed, none));
    CHECK(is_refused(ending::disk_failed, asked));
    CHECK_FALSE(is_refused(ending::stopped, asked));
    CHECK(is_refused(ending::stopped, none));
    CHECK(is_refused(ending::stopped, disk));
    CHECK(is_refused(ending::safety_broken, {.sync_failed = true, .terminate = true}));
}

} // namespace almenara::sim::check
