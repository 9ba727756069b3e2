#include "cluster/client_program.hpp"
#include "cluster/cluster.hpp"
#include "cluster/kept_files.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <filesystem>
#include <list>
#include <string>
#include <vector>

using namespace almenara;
using namespace almenara::test;

namespace fs = std::filesystem;

namespace {

struct three_servers {
    three_servers() {
        all.start_all();
        office = all.wait_until_in_sync();
    }
    cluster all;
    cluster::office office;
};

std::string printed_by(const finished& ended) {
    CAPTURE(ended.out, ended.err);
    CHECK(ended.status == good_exit);
    CHECK(ended.err.empty());
    return ended.out;
}

} // namespace

TEST_CASE("S19: one address is enough, and the next time that server may be dead (C.3)") {
    three_servers here;
    const server_id first = here.office.primary;
    const kept_files anna{naming({here.all.address(first)})};
    printed_by(anna.says({"kv", "put", "colour", "blue"}));
    here.all.kill({first});
    CHECK(printed_by(anna.says({"kv", "get", "colour"})) == "blue");
    printed_by(anna.says({"kv", "put", "colour", "red"}));
    // Whoever has kept nothing is lost there.
    const finished lost = anna.says({"--no-state", "kv", "get", "colour"});
    CHECK(lost.status == exit_status{.code = 5});
    CHECK(anna.sessions().size() == 1);
}

TEST_CASE("C.1: twenty processes of one user at once all work, and leave sessions for the next") {
    three_servers here;
    const kept_files anna{naming(here.all.addresses())};
    constexpr std::size_t many = 20;
    std::size_t sessions = 0;
    for (std::size_t round = 1; round <= 2; ++round) {
        std::list<process> running;
        for (std::size_t i = 0; i < many; ++i) {
            running.emplace_back(anna.with({"kv", "add", "n", "1"}));
        }
        for (process& each : running) {
            CHECK(each.wait() == good_exit);
            CHECK(each.errors().empty());
        }
        CHECK(printed_by(anna.says({"kv", "get", "n"})) == std::to_string(many * round));
        CHECK(anna.sessions().size() <= many);
        CHECK(anna.records().all == 0);
        sessions = std::max(sessions, anna.sessions().size());
    }
    const auto out = parsed(anna.says({"logout", "--json"}));
    CHECK(out.at("closed").to_number<std::size_t>() == sessions);
    CHECK(member(out, "in_use") == "0");
    CHECK(anna.sessions().empty());
    CHECK(printed_by(anna.says({"kv", "get", "n"})) == std::to_string(2 * many));
}

TEST_CASE("C.1: the sessions that a person has kept are used again, and not opened each time") {
    three_servers here;
    const kept_files anna{naming(here.all.addresses())};
    const auto first = parsed(anna.says({"--json", "kv", "put", "a", "1"}));
    const auto second = parsed(anna.says({"--json", "kv", "put", "a", "2"}));
    CHECK(member(first, "session") == member(second, "session"));
    CHECK(member(first, "seq") == "1");
    CHECK(member(second, "seq") == "2");
    const auto other = parsed(
        kept_files{naming(here.all.addresses()), "bert"}.says({"--json", "kv", "put", "a", "3"}));
    CHECK(member(other, "session") != member(first, "session"));
}

TEST_CASE("C.3: a cluster that is founded anew at the same addresses works without a question") {
    three_servers here;
    const kept_files anna{naming(here.all.addresses())};
    printed_by(anna.says({"kv", "put", "colour", "blue"}));
    here.all.kill(here.all.ids());
    for (const server_id id : here.all.ids()) {
        fs::remove_all(here.all.data_dir(id));
        here.all.start(id);
    }
    here.all.wait_until_in_sync();
    CHECK(anna.says({"kv", "get", "colour"}).status == exit_status{.code = 3});
    const auto written = parsed(anna.says({"--json", "kv", "put", "colour", "red"}));
    CHECK(member(written, "seq") == "1");
    CHECK(anna.sessions().size() == 2);
}

TEST_CASE("C.3: what cannot be kept is said: writes are refused with what to do, reads go on") {
    three_servers here;
    const kept_files anna{naming(here.all.addresses())};
    printed_by(anna.says({"kv", "put", "colour", "blue"}));
    const std::string session = anna.sessions().at(0);
    const std::string device = fs::path{session}.parent_path().parent_path() / "device";
    SECTION("a file that others can read") {
        fs::permissions(device, fs::perms::others_read, fs::perm_options::add);
        const finished refused = anna.says({"kv", "put", "colour", "red"});
        CHECK(refused.status == exit_status{.code = 1});
        CHECK(refused.err.find("Run 'chmod 600 " + device) != std::string::npos);
        CHECK(refused.err.find("--no-state") != std::string::npos);
        CHECK(anna.says({"kv", "get", "colour"}).out == "blue");
        printed_by(anna.says({"--no-state", "kv", "put", "colour", "red"}));
    }
    SECTION("no home directory") {
        program homeless = anna.with({"kv", "put", "colour", "red"});
        homeless.environment = {
            {"ALMENARA_STATE_DIRECTORY", ""}, {"XDG_STATE_HOME", ""}, {"HOME", ""}};
        const finished done = run(homeless);
        CHECK(done.status == good_exit);
        CHECK(done.err.starts_with("almenara: nothing is kept for the next run: "));
        CHECK(done.err.find("there is no home directory. Set HOME") != std::string::npos);
    }
    SECTION("a usual place that cannot be had") {
        program elsewhere = anna.with({"kv", "put", "colour", "red"});
        elsewhere.environment = {{"ALMENARA_STATE_DIRECTORY", ""}, {"XDG_STATE_HOME", "/proc"}};
        const finished done = run(elsewhere);
        CHECK(done.status == good_exit);
        CHECK(done.err.starts_with("almenara: nothing is kept for the next run: "));
    }
    SECTION("a usual place that is there, and that others may use") {
        const temporary_directory home;
        program elsewhere = anna.with({"kv", "put", "colour", "red"});
        elsewhere.environment = {{"ALMENARA_STATE_DIRECTORY", ""}, {"XDG_STATE_HOME", home.path()}};
        printed_by(run(elsewhere));
        fs::permissions(home / "almenara", fs::perms::others_read, fs::perm_options::add);
        const finished refused = run(elsewhere);
        CHECK(refused.status == exit_status{.code = 1});
        CHECK(refused.err.find("Run 'chmod 700 " + (home / "almenara") +
                               "' if nobody else needs it") != std::string::npos);
        program question = anna.with({"kv", "get", "colour"});
        question.environment = elsewhere.environment;
        CHECK(run(question).out == "red");
    }
    SECTION("a limit of file sizes") {
        program limited = anna.with({"kv", "put", "colour", "red"});
        limited.words.insert(limited.words.begin(),
                             {"/bin/bash", "-c", "ulimit -f 0; exec \"$0\" \"$@\""});
        const finished refused = run(limited);
        CHECK(refused.status == exit_status{.code = 1});
        CHECK(refused.err.find("File too large") != std::string::npos);
        CHECK(anna.says({"kv", "get", "colour"}).out == "blue");
    }
    SECTION("a place that was named and cannot be had") {
        program elsewhere = anna.with({"kv", "put", "colour", "red"});
        elsewhere.environment = {{"ALMENARA_STATE_DIRECTORY", "/proc/almenara"}};
        const finished refused = run(elsewhere);
        CHECK(refused.status == exit_status{.code = 1});
        CHECK(refused.err.find("'/proc/almenara'") != std::string::npos);
        CHECK(refused.err.find("--no-state") != std::string::npos);
    }
    SECTION("a damaged session") {
        write_file(session, "something else");
        const finished done = anna.says({"kv", "put", "colour", "red"});
        CHECK(done.status == good_exit);
        CHECK(done.err.find("Its session is given up") != std::string::npos);
        CHECK(fs::exists(session + ".damaged"));
        printed_by(anna.says({"kv", "put", "colour", "green"}));
    }
}
