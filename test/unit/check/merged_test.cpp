#include "support/check/merged.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>

// What judges runs with real servers: two crowds of clients as one.
namespace almenara::test::check {

namespace {

using namespace std::chrono_literals;

operation asked(unsigned client, duration at) {
    return {.client = client_number{client},
            .request = {.what = verb::put, .key = "k", .value = std::to_string(at.count())},
            .epoch = epoch{2},
            .called = instant{at}};
}

} // namespace

TEST_CASE("judging: two histories are one in the order of asking, with all that was heard") {
    history some;
    some.returned(some.called(asked(1, 1s)), instant{4s},
                  {.code = outcome::done, .index = log_index{7}, .version = log_index{7}});
    some.returned(some.called(asked(1, 5s)), instant{6s}, {.code = outcome::refused});
    history others;
    others.given_up(others.called(asked(2, 3s)));
    others.returned(others.called(asked(2, 7s)), instant{8s}, {.code = outcome::not_found});

    const history both = merged(some, others);
    REQUIRE(both.operations().size() == 4);
    CHECK(both.open() == 0);
    CHECK(both.count(outcome::uncertain) == 1);
    const auto& all = both.operations();
    CHECK(all[0].client == client_number{1});
    CHECK(all[1].client == client_number{2});
    CHECK(all[2].client == client_number{1});
    CHECK(all[3].client == client_number{2});
    CHECK(all[0].reply == some.operations()[0].reply);
    CHECK(all[0].returned == instant{4s});
    CHECK(all[0].epoch == epoch{2});
    CHECK(all[0].request.value == some.operations()[0].request.value);
    CHECK_FALSE(all[1].returned);
    CHECK(all[1].reply.code == outcome::uncertain);
    CHECK(all[2].reply.code == outcome::refused);
    CHECK(all[3].reply.code == outcome::not_found);
}

} // namespace almenara::test::check
