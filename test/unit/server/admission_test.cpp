#include "server/admission.hpp"

#include <catch2/catch_all.hpp>

namespace almenara::server {
namespace {

TEST_CASE("003 who is called to speak and leaves in the same turn is not called any more",
          "[server][admission]") {
    admission door{{.at_the_door = 4, .speaking = 1, .speaking_per_host = 1}};
    const connection_id first{1};
    const connection_id second{2};
    door.arrived(first, "host");
    door.arrived(second, "host");
    REQUIRE(door.wants_to_speak(first));
    REQUIRE_FALSE(door.wants_to_speak(second));

    door.done(first);
    door.done(second);

    REQUIRE(door.take_called().empty());
    REQUIRE(door.speaking() == 0);
    REQUIRE(door.at_the_door() == 0);
}

} // namespace
} // namespace almenara::server
