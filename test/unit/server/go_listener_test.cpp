#include "server/go_listener.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <string>

// B.12: GO is typed.
namespace almenara::server {

TEST_CASE("B.12: a line that says GO is one, however it comes; other words are not") {
    boost::asio::io_context context;
    int times = 0;
    go_listener listener{context.get_executor(), [&times] { ++times; }};
    SECTION("a line") {
        listener.typed("GO\n");
        CHECK(times == 1);
    }
    SECTION("in pieces and small letters, with spaces") {
        listener.typed(" g");
        listener.typed("o \r");
        CHECK(times == 0);
        listener.typed("\n");
        CHECK(times == 1);
    }
    SECTION("each line counts by itself") {
        listener.typed("stop\nGO\nGO on\n\nGO\n");
        CHECK(times == 2);
    }
    SECTION("a line without an end") {
        listener.typed(std::string(10'000, 'x'));
        listener.typed("GO\n");
        CHECK(times == 0);
        listener.typed("GO\n");
        CHECK(times == 1);
    }
}

} // namespace almenara::server
