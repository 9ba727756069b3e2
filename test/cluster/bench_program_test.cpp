#include "cluster/client_program.hpp"
#include "cluster/cluster.hpp"
#include "support/check/bench_history.hpp"
#include "support/check/orders.hpp"
#include "support/temporary_directory.hpp"
#include "support/wait.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <csignal>
#include <string>
#include <vector>

using namespace almenara;
using namespace almenara::test;

namespace json = boost::json;

namespace {

program almenara_bench(const cluster& all, const std::vector<std::string>& words) {
    program what{.words = {ALMENARA_BENCH, "--plaintext", "--json"}};
    for (const std::vector<std::string>& more : {naming(all.addresses()), words}) {
        what.words.insert(what.words.end(), more.begin(), more.end());
    }
    return what;
}

check::history read_history(const std::string& file) {
    auto heard = check::read_bench_history(content_of(file));
    if (!heard) {
        FAIL(heard.error().message());
    }
    return *std::move(heard);
}

} // namespace

TEST_CASE("I15, I16: the history of almenara-bench with three servers is linearizable") {
    constexpr std::size_t many_steps = 1'000'000;
    cluster all;
    all.start_all();
    static_cast<void>(all.wait_until_in_sync());
    const temporary_directory place;
    const std::string file = place / "history";
    const json::object report =
        parsed(run(almenara_bench(all, {"--workload", "mixed", "--seconds", "1", "--clients", "8",
                                        "--pipeline", "2", "--keys", "20", "--history", file})));
    const check::history heard = read_history(file);
    CHECK(member(report, "workload") == R"("mixed")");
    CHECK(member(report, "errors") == "{}");
    CHECK(heard.operations().size() == report.at("done").to_number<std::size_t>());
    CHECK(heard.count(check::outcome::done) > 0);

    const check::orders orders = check::find_orders(heard, many_steps);
    CHECK(orders.broken == check::evidence{});
    CHECK(orders.keys_unknown == 0);
    CHECK(orders.keys_in_order == 20);
    const check::stale_answers stale = check::find_stale(heard);
    CHECK(stale.examples == check::evidence{});
}

TEST_CASE("almenara-bench that is interrupted ends soon and prints what it has") {
    cluster all;
    all.start_all();
    static_cast<void>(all.wait_until_in_sync());
    const temporary_directory place;
    const std::string file = place / "history";
    process bench{almenara_bench(
        all, {"--workload", "write", "--seconds", "3600", "--clients", "4", "--history", file})};
    eventually([&] { return !content_of(file).empty(); }, "something is confirmed");
    SECTION("while the servers answer") {
        bench.send(SIGINT);
        CHECK(bench.wait() == exit_status{.code = 130});
        const json::object report = json::parse(bench.output()).as_object();
        CHECK(report.at("done").to_number<std::size_t>() > 0);
        CHECK(member(report, "errors") == "{}");
        CHECK(report.at("done").to_number<std::size_t>() == read_history(file).operations().size());
    }
    SECTION("while nobody answers") {
        for (const server_id id : all.ids()) {
            all.pause(id);
        }
        bench.send(SIGINT);
        CHECK(bench.wait() == exit_status{.code = 130});
        const json::object report = json::parse(bench.output()).as_object();
        CHECK(report.at("done").to_number<std::size_t>() > 0);
        CHECK(report.at("errors").at("uncertain").to_number<std::size_t>() > 0);
    }
}

TEST_CASE("almenara-bench that finds nobody leaves with 5, and with 2 what makes no sense") {
    const cluster all;
    const finished nobody = run(almenara_bench(all, {"--seconds", "1"}));
    CHECK(nobody.status == exit_status{.code = 5});
    CHECK(json::parse(nobody.out).at("error").at("code") == "unavailable");
    CHECK(run(almenara_bench(all, {"--workload", "dance"})).status == exit_status{.code = 2});
}
