#include "text_table.hpp"

#include "status_text.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>

using namespace almenara;
using namespace almenara::cli;

TEST_CASE("characters are counted, not bytes") {
    CHECK(width_of("") == 0);
    CHECK(width_of("abc") == 3);
    CHECK(width_of("Zürich") == 6);
    CHECK(cut_to("Zürich", 6) == "Zürich");
    CHECK(cut_to("Zürich", 3) == "Zü…");
    CHECK(width_of(cut_to("ääääääää", 4)) == 4);
}

TEST_CASE("columns are as wide as their widest cell") {
    text_table table{{"A", "LONG", "C"}};
    table.add({"ää", "x", "last"});
    CHECK(table.text() == "A   LONG  C\n"
                          "ää  x     last\n");
}

TEST_CASE("on a narrow terminal the widest columns are cut, and none disappears") {
    text_table table{{"SERVER", "ADDRESS", "ROLE"}};
    table.add({"1", "a-rather-long-name.example.org:7401", "primary"});
    CHECK(table.text({.columns = 30}) == "SERVER  ADDRESS        ROLE\n"
                                         "1       a-rather-lon…  primary\n");
    CHECK(table.text({.columns = 5}) == "SERVER  ADDRE…  ROLE\n"
                                        "1       a-rat…  prima…\n");
    CHECK(table.text({.columns = 200}) == table.text());
}

TEST_CASE("the column by which people know the others is cut when nothing else is left to cut") {
    text_table table{{"SERVER", "ADDRESS", "ROLE"}, 1};
    table.add({"1", "127.0.0.1:7401", "primary for a while"});
    CHECK(table.text({.columns = 32}) == "SERVER  ADDRESS         ROLE\n"
                                         "1       127.0.0.1:7401  primary…\n");
    CHECK(table.text({.columns = 24}) == "SERVER  ADDRESS   ROLE\n"
                                         "1       127.0.0…  prima…\n");
}

TEST_CASE("lines of a table have colours where they are wanted, and only there") {
    text_table table{{"SERVER"}};
    table.add({"1"}, tone::strong);
    table.add({"2"}, tone::bad);
    table.add({"3"});
    CHECK(table.text() == "SERVER\n1\n2\n3\n");
    CHECK(table.text({.colours = true}) == "SERVER\n\x1b[1m1\x1b[m\n\x1b[31m2\x1b[m\n3\n");
}

TEST_CASE("what another machine said cannot break the table") {
    text_table table{{"A", "B"}};
    table.add({"two\nlines\x1b[2J", std::string(5000, 'x')});
    const std::string text = table.text();
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(std::count(text.begin(), text.end(), '\n') == 2);
    CHECK(text.size() < 300);
}

namespace {

wire::status_reply status_of_three() {
    wire::status_reply status;
    status.request = request_id{9};
    status.cluster = cluster_id{};
    status.epoch = epoch{7};
    status.primary = server_id{3};
    status.quorum = true;
    status.config_index = log_index{12};
    status.commit = log_index{10423};
    status.tolerates = 0;
    status.answered_by = server_id{1};
    status.servers.push_back({.id = server_id{1},
                              .address = "127.0.0.1:7401",
                              .role = wire::server_role::backup,
                              .state = wire::server_state::in_sync,
                              .match = log_index{10423},
                              .lag = 0,
                              .priority = std::uint16_t{1},
                              .version = "0.1.0"});
    status.servers.push_back(
        {.id = server_id{2}, .address = "127.0.0.1:7402", .state = wire::server_state::down});
    return status;
}

} // namespace

TEST_CASE("the state of a cluster at a glance") {
    CHECK(status_text(status_of_three()) ==
          "cluster 00000000000000000000000000000000  epoch 7  primary server 3  quorum yes"
          "  0 more may die\n"
          "SERVER  ADDRESS         ROLE    STATE    MATCH  LAG  PRIO  VERSION  HEARD\n"
          "1       127.0.0.1:7401  backup  in_sync  10423  0    1     0.1.0    -\n"
          "2       127.0.0.1:7402  -       down     -      -    -     -        -\n"
          "answered by server 1\n");
}

TEST_CASE("on a terminal of 80 columns a table of servers shows whole addresses") {
    wire::status_reply status = status_of_three();
    status.servers.front().match = log_index{9'999'999};
    status.servers.back().last_heard = wall_time{std::chrono::milliseconds{1'795'000'000'000}};
    const std::string text = status_text(status, {.columns = 80});
    CAPTURE(text);
    CHECK(text.find("127.0.0.1:7402  ") != std::string::npos);
}

TEST_CASE("a server that belongs to no cluster says so") {
    wire::status_reply status;
    status.answered_by = server_id{1};
    status.clients = 2;
    status.max_clients = 64;
    CHECK(status_text(status).starts_with("no cluster yet\nSERVER"));
    CHECK(
        status_text(status).ends_with("answered by server 1: 2 of 64 places for clients taken\n"));
}

TEST_CASE("the JSON of a status has the keys that scripts rely on, in one line") {
    CHECK(
        status_json(status_of_three())
            .starts_with(
                R"({"cluster":"00000000000000000000000000000000","epoch":7,"primary":3,"quorum":true,)"
                R"("config_index":12,"commit":10423,"tolerates":0,"servers":[{"id":1,)"
                R"("address":"127.0.0.1:7401","role":"backup","state":"in_sync","match":10423,"lag":0,)"
                R"("priority":1,"version":"0.1.0","last_heard":null},{"id":2,)"));
    CHECK(status_json(wire::status_reply{})
              .starts_with(R"({"cluster":null,"epoch":0,"primary":null,"quorum":null,)"));
    const std::string text = status_json(status_of_three());
    CHECK(text.find("request") == std::string::npos);
    CHECK(text.find('\n') == text.size() - 1);
}
