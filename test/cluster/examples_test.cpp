#include "cluster/client_program.hpp"
#include "cluster/cluster.hpp"
#include "cluster/reserved_port.hpp"
#include "support/lines.hpp"

#include <catch2/catch_all.hpp>

#include <future>
#include <string>
#include <vector>

using namespace almenara;
using namespace almenara::test;

// The programs of docs/examples, as docs/client-library.md says that they work.

TEST_CASE("example-visits counts each visit once, across a change of the primary") {
    cluster all;
    all.start_all();
    const server_id first = all.wait_until_in_sync().primary;
    const std::string named = all.address(all.others_than(first).front());

    const finished one = run({.words = {ALMENARA_EXAMPLE_VISITS, named}});
    CAPTURE(one.err);
    CHECK(one.status == good_exit);
    CHECK(one.out.starts_with("visit 1, index "));

    all.kill({first});
    const finished two = run({.words = {ALMENARA_EXAMPLE_VISITS, named}});
    CAPTURE(two.err);
    CHECK(two.status == good_exit);
    CHECK(two.out.starts_with("visit 2, index "));
}

TEST_CASE("example-guarded-value loses no line of two writers") {
    cluster all;
    all.start_all();
    const server_id primary = all.wait_until_in_sync().primary;
    const std::string named = all.address(primary);
    constexpr int lines_each = 5;
    const auto write = [&](const std::string& who) {
        for (int line = 1; line <= lines_each; ++line) {
            const finished ended =
                run({.words = {ALMENARA_EXAMPLE_GUARDED_VALUE, named, who + std::to_string(line)}});
            if (ended.status != good_exit) {
                return ended.err;
            }
        }
        return std::string{};
    };
    auto other = std::async(std::launch::async, write, "b");
    CHECK(write("a").empty());
    CHECK(other.get().empty());
    const finished kept = almenara_says({"-s", named, "kv", "get", "lines"});
    CHECK(lines_of(kept.out).size() == 2 * lines_each);
}

TEST_CASE("the examples say what is wrong when nobody is there") {
    const reserved_port nobody;
    for (const std::string program : {ALMENARA_EXAMPLE_VISITS, ALMENARA_EXAMPLE_GUARDED_VALUE}) {
        std::vector<std::string> words{program, "127.0.0.1:" + std::to_string(nobody.number())};
        if (program == ALMENARA_EXAMPLE_GUARDED_VALUE) {
            words.emplace_back("a line");
        }
        const finished ended = run({.words = words});
        CHECK(ended.status == exit_status{.code = 1});
        CHECK(ended.err.find("nobody listens at") != std::string::npos);
    }
}
