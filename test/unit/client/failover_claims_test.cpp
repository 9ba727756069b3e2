#include "unit/client/failover_stand.hpp"

#include <chrono>
#include <string>

// What servers say of who rules and who the members are may be a lie, or out of date.
using namespace almenara;
using namespace std::chrono_literals;
using test::failover_stand;
using wire::result_code;

namespace {

const epoch absurd{std::uint64_t{1} << 62U};

client::failover_options four() {
    return {.servers = {"d:4", "a:1", "b:2", "c:3"}, .user = "anna", .client_name = "test 1"};
}

/// Server 4 says that it rules.
client::ticket asks_a_liar(failover_stand& here) {
    const auto op = here.put("k", 20s);
    here.welcome("d:4", "d:4", absurd);
    return op;
}

/// The others say that server 2 does, as soon as anybody asks them.
void tell_the_truth(failover_stand& here) {
    for (const std::string address : {"a:1", "b:2", "c:3"}) {
        if (here.has_link(address) && here.heard_all<wire::c_hello>(address).empty()) {
            here.welcome(address, "b:2", epoch{5});
        } else if (here.has_link(address) && !here.heard_all<wire::whois>(address).empty()) {
            here.tell_primary(address, "b:2", epoch{5});
        }
    }
}

bool is_used(failover_stand& here, const std::string& address) {
    return here.has_link(address) && !here.heard_all<wire::login>(address).empty();
}

} // namespace

TEST_CASE("C.3: who says that it rules and serves nobody is not believed for ever") {
    failover_stand here{four()};
    const auto op = asks_a_liar(here);
    const instant began = here.now();
    // It takes what it is told, and is silent.
    while (!is_used(here, "b:2")) {
        REQUIRE(here.now() - began < 10s);
        here.pass(50ms);
        tell_the_truth(here);
    }
    CHECK(here.now() - began > 2s);
    here.serve("b:2", epoch{5});
    here.confirm("b:2", here.heard<wire::operation>("b:2"), log_index{9});
    REQUIRE(here.answer(op));
    CHECK(here.answer(op)->code == result_code::ok);
    CHECK(here.client().epoch_seen() == epoch{5});
}

TEST_CASE("C.3: who says that it rules and always hangs up is not believed for ever") {
    failover_stand here{four()};
    const auto op = asks_a_liar(here);
    const instant began = here.now();
    while (!is_used(here, "b:2")) {
        REQUIRE(here.now() - began < 10s);
        if (here.has_link("d:4")) {
            if (here.heard_all<wire::c_hello>("d:4").empty()) {
                here.welcome("d:4", "d:4", absurd);
            }
            if (here.has_link("d:4")) {
                here.cut("d:4");
            }
        }
        tell_the_truth(here);
        here.pass(50ms);
    }
    here.serve("b:2", epoch{5});
    here.confirm("b:2", here.heard<wire::operation>("b:2"), log_index{9});
    CHECK(here.answer(op)->code == result_code::ok);
}

TEST_CASE("C.3: while nobody waits, a claim is not held against who made it") {
    failover_stand here{four()};
    const auto op = here.put("k", 1s);
    here.welcome("d:4", "d:4", epoch{7});
    here.pass(1s);
    CHECK(here.answer(op)->code == result_code::cancelled);
    here.pass(900ms);
    CHECK(here.client().epoch_seen() == epoch{7});
    here.put("k", 10s);
    here.pass(900ms);
    CHECK(here.client().epoch_seen() == epoch{7});
}

TEST_CASE("C.3: a primary at a place that may not be dialled is the last word only if all say so") {
    failover_stand here{four()};
    const auto op = here.put("k", 20s);
    here.welcome("d:4", "e:5", absurd);
    here.pass(25ms);
    here.bar("e:5");
    CHECK_FALSE(here.answer(op));
    here.pass(200ms);
    tell_the_truth(here);
    here.serve("b:2", epoch{5});
    here.confirm("b:2", here.heard<wire::operation>("b:2"), log_index{9});
    CHECK(here.answer(op)->code == result_code::ok);
}

TEST_CASE("C.3: a primary that is slow, and alone there, is given its time for each step") {
    failover_stand here{{.servers = {"a:1"}, .user = "anna", .client_name = "test 1"}};
    const auto op = here.put("k", 20s);
    here.pass(2900ms);
    here.welcome("a:1", "a:1", epoch{7});
    here.pass(2900ms);
    here.log_in("a:1", epoch{7});
    here.pass(2900ms);
    here.attach("a:1", epoch{7});
    here.confirm("a:1", here.heard<wire::operation>("a:1"), log_index{9});
    CHECK(here.answer(op)->code == result_code::ok);
    CHECK(here.dials().size() == 1);
}

TEST_CASE("C.3: who lets everybody in and answers no question holds up nobody for ever") {
    failover_stand here{four()};
    const auto op = here.get(30s);
    here.welcome("d:4", "d:4", absurd);
    here.log_in("d:4", absurd);
    const instant began = here.now();
    while (!is_used(here, "b:2")) {
        REQUIRE(here.now() - began < 10s);
        if (here.has_link("d:4") && here.heard_all<wire::c_hello>("d:4").empty()) {
            here.welcome("d:4", "d:4", absurd);
        }
        if (is_used(here, "d:4")) {
            here.log_in("d:4", absurd);
        }
        tell_the_truth(here);
        here.pass(50ms);
    }
    CHECK_FALSE(here.answer(op));
}

TEST_CASE("C.3: the members that a liar had in place of the true ones are put back") {
    failover_stand here{{.servers = {"d:4"}, .user = "anna", .client_name = "test 1"}};
    here.put("k");
    here.config = log_index{5};
    here.members = {failover_stand::member("a:1"), failover_stand::member("b:2"),
                    failover_stand::member("d:4")};
    here.serve("d:4", epoch{5});
    here.confirm("d:4", here.heard<wire::operation>("d:4"), log_index{9});
    here.cut("d:4");
    here.pass(200ms); // Somebody else has its port now.
    here.config = log_index{std::uint64_t{1} << 62U};
    here.members = {failover_stand::member("d:4")};
    here.put("l");
    here.welcome("d:4", "d:4", absurd);
    const std::size_t before = here.dials_to("a:1") + here.dials_to("b:2");
    here.pass(5s);
    CHECK(here.dials_to("a:1") + here.dials_to("b:2") > before);
    const auto kept = here.ordered<client::keep_cluster>();
    CHECK((kept.empty() || kept.back().what.config == log_index{5}));
}

TEST_CASE("C.3: what the primary says of the members counts, and not what others said before") {
    failover_stand here{four()};
    here.put("k");
    here.config = log_index{std::uint64_t{1} << 62U};
    here.members = {failover_stand::member("x:9")};
    here.welcome("d:4", std::nullopt, epoch{5});
    here.config = log_index{5};
    here.members = {failover_stand::member("a:1"), failover_stand::member("b:2"),
                    failover_stand::member("f:6")};
    here.pass(25ms);
    here.serve("b:2", epoch{5});
    here.cut("b:2");
    here.pass(200ms);
    CHECK(here.dials_to("f:6") > 0);
    const std::size_t before = here.dials_to("x:9");
    here.pass(5s);
    CHECK(here.dials_to("x:9") == before);
}
