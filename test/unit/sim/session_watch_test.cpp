#include "sim/check/session_watch.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>

namespace almenara::sim::check {

namespace {

const std::string nothing;
constexpr server_id one{1};
constexpr connection_id first{1};
constexpr connection_id second{2};
constexpr session_bytes ours{std::byte{1}};
constexpr session_bytes theirs{std::byte{2}};

struct watched {
    [[nodiscard]] std::string broken() const {
        return found.first() ? found.first()->invariant : std::string{};
    }

    findings found;
    session_watch watch{found};
};

} // namespace

TEST_CASE("I28 a session that is attached and expires is found") {
    watched run;
    run.watch.attached(ours, first);
    run.watch.expires(one, theirs);
    CHECK(run.broken() == nothing);
    SECTION("while its connection lives") {
        run.watch.expires(one, ours);
        CHECK(run.broken() == "I28");
    }
    SECTION("not when that has ended") {
        run.watch.connection_ended(first);
        run.watch.expires(one, ours);
        CHECK(run.broken() == nothing);
    }
    SECTION("nor by the end of the connection that it had before") {
        run.watch.attached(ours, second);
        run.watch.connection_ended(first);
        run.watch.expires(one, ours);
        CHECK(run.broken() == "I28");
    }
    SECTION("not in another term of office") {
        run.watch.office_changed();
        run.watch.expires(one, ours);
        CHECK(run.broken() == nothing);
    }
}

TEST_CASE("I28 a session that had an operation in this term of office and expires is found") {
    watched run;
    run.watch.attached(ours, first);
    run.watch.operated(ours);
    run.watch.connection_ended(first);
    SECTION("in this one") {
        run.watch.expires(one, ours);
        CHECK(run.broken() == "I28");
    }
    SECTION("not in the next") {
        run.watch.office_changed();
        run.watch.expires(one, ours);
        CHECK(run.broken() == nothing);
    }
}

} // namespace almenara::sim::check
