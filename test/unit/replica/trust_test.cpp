#include "support/replica_start.hpp"
#include "unit/replica/stand.hpp"

#include <string>
#include <utility>
#include <vector>

// B.12: servers that begin a cluster were told the same, and have its secret.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::one;
using test::stand;
using test::three;
using test::two;

base::key256 key(unsigned char filling) {
    std::array<std::byte, 32> bytes{};
    bytes.fill(std::byte{filling});
    return base::key256{bytes};
}

start_state with(start_state start, std::optional<base::key256> secret) {
    start.secret = std::move(secret);
    return start;
}

start_state founding(server_id self) {
    return test::empty_start(test::cluster_of(3), self);
}

/// What a server says to one that it dials.
greeting greeting_from(start_state start, server_id to) {
    stand s{std::move(start)};
    s.step(connection_opened{.connection = connection_id{9}, .kind = {}, .dialled = to});
    return s.last_said<hello>(to).from;
}

/// What server 2 makes of a HELLO of server 3; nothing: it is taken.
std::optional<link_reject> answer_of(start_state start, const greeting& hello) {
    stand s{std::move(start)};
    s.accept(hello);
    if (s.count<link_reject>(three) == 0) {
        CHECK(s.count<hello_ok>(three) == 1);
        return std::nullopt;
    }
    return s.last_said<link_reject>(three);
}

void check_refused(const std::optional<link_reject>& said,
                   link_reject_code code,
                   const std::string& words) {
    REQUIRE(said);
    CHECK(said->code == code);
    CHECK(said->text.find(words) != std::string::npos);
}

} // namespace

TEST_CASE("B.12: servers with the same secret are linked, before and after the cluster began") {
    CHECK_FALSE(
        answer_of(with(founding(two), key(1)), greeting_from(with(founding(three), key(1)), two)));
    const auto config = test::cluster_of(3);
    CHECK_FALSE(answer_of(with(test::first_start(config, two), key(1)),
                          greeting_from(with(test::first_start(config, three), key(1)), two)));
}

TEST_CASE("B.12: another secret, or none, is refused and said") {
    const auto config = test::cluster_of(3);
    const auto start = GENERATE(as<start_state (*)(const cluster_config&, server_id)>{},
                                &test::empty_start, &test::first_start);
    check_refused(answer_of(with(start(config, two), key(1)),
                            greeting_from(with(start(config, three), key(2)), two)),
                  link_reject_code::other_secret, "servers 2 and 3 have different cluster secrets");
    check_refused(answer_of(with(start(config, two), key(1)),
                            greeting_from(with(start(config, three), {}), two)),
                  link_reject_code::other_secret, "server 3 has no cluster secret");
    check_refused(answer_of(with(start(config, two), {}),
                            greeting_from(with(start(config, three), key(2)), two)),
                  link_reject_code::other_secret, "server 2 has no cluster secret");
}

TEST_CASE("B.12: a proof is of one server, one process and one connection") {
    greeting heard = greeting_from(with(founding(three), key(1)), two);
    SECTION("said by another server") {
        heard.server = one;
    }
    SECTION("with another disk") {
        heard.uuid = test::disk_of(server_id{300});
    }
    SECTION("by another process") {
        heard.incarnation = incarnation{4242};
    }
    SECTION("on another kind of connection") {
        heard.kind = connection_kind::bulk;
    }
    SECTION("in the answer to somebody else") {
        heard.session.dialler = incarnation{4242};
    }
    stand s{with(founding(two), key(1))};
    s.accept(heard);
    CHECK(s.last_said<link_reject>(heard.server).code == link_reject_code::other_secret);
}

TEST_CASE("B.12.3: cluster options that differ are refused, and the first one is named") {
    const auto chosen = [](server_id self, std::vector<std::string> options) {
        start_state start = founding(self);
        start.options = std::move(options);
        return start;
    };
    const start_state mine = chosen(two, {"confirm=sync-set", "auth=trust"});
    CHECK_FALSE(
        answer_of(mine, greeting_from(chosen(three, {"confirm=sync-set", "auth=trust"}), two)));
    check_refused(answer_of(mine, greeting_from(chosen(three, {"confirm=all", "auth=trust"}), two)),
                  link_reject_code::other_options,
                  "confirm=sync-set at server 2, confirm=all at server 3");
    check_refused(answer_of(mine, greeting_from(chosen(three, {"confirm=sync-set"}), two)),
                  link_reject_code::other_options, "auth=trust at server 2, nothing at server 3");
}

TEST_CASE("B.12.3: what is said of options to a server that belongs to a cluster does not count") {
    const auto config = test::cluster_of(3);
    start_state later = test::first_start(config, three);
    later.options = {"confirm=all"};
    CHECK_FALSE(answer_of(test::first_start(config, two), greeting_from(std::move(later), two)));
}

TEST_CASE("B.12: a list of which one server waits begins when GO is said to any of them") {
    start_state start = founding(three);
    const bool waits_itself = GENERATE(true, false);
    CAPTURE(waits_itself);
    start.waits_for_go = waits_itself;
    stand s{std::move(start)};
    start_state waiting = founding(one);
    waiting.waits_for_go = !waits_itself;
    s.accept(greeting_from(std::move(waiting), three));
    s.accept(greeting_from(founding(two), three));
    s.run(2s);
    CHECK(s.count<init>(one) == 0);

    SECTION("said here, and passed on") {
        s.step(go{});
        CHECK(s.last_said<init_go>(one).nonce == 0);
        CHECK(s.last_said<init_go>(two).nonce == 0);
    }
    SECTION("heard from another server") {
        s.say(one, init_go{.nonce = 0}, epoch{0});
    }
    CHECK(s.count<init>(one) == 1);
    CHECK(s.count<init>(two) == 1);
}

TEST_CASE("B.12: who comes after GO is told, whatever it waits for") {
    stand s{founding(three)};
    s.step(go{});
    start_state waiting = founding(one);
    waiting.waits_for_go = true;
    s.accept(greeting_from(std::move(waiting), three));
    CHECK(s.last_said<init_go>(one).nonce == 0);
    s.accept(greeting_from(founding(two), three));
    s.run(401ms);
    CHECK(s.count<init>(one) >= 1);
}

TEST_CASE("B.12: GO means nothing to a member") {
    stand s{3};
    s.open(three);
    s.step(go{});
    CHECK(s.count<init_go>(three) == 0);
    CHECK(s.role() == role_name::backup);
}

} // namespace almenara::replica
