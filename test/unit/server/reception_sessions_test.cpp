#include "server/reception.hpp"
#include "unit/server/reception_stand.hpp"
#include "wire/beacon.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>

namespace almenara::server {

namespace {

using namespace std::chrono_literals;
using state::result_code;
using test::reception_stand;

constexpr connection_id ann{1};
constexpr connection_id bob{2};

wire::login login_of(std::string user, std::optional<std::uint8_t> nonce = {}) {
    wire::login what{.request = request_id{3}, .user = std::move(user), .device_name = "laptop"};
    if (nonce) {
        what.nonce = test::id_number<open_nonce>(*nonce);
    }
    return what;
}

wire::attach attach_of(session_id session, wire::attach_mode mode = wire::attach_mode::service) {
    return {.request = request_id{4}, .mode = mode, .session = session};
}

wire::session_close close_of(session_id session) {
    return {.request = request_id{5}, .session = session};
}

} // namespace

// -- Login ----------------------------------------------------------------------------------------

TEST_CASE("F: with trust a user is believed by any server") {
    reception_stand server;
    server.says(ann, login_of("ann"));
    const auto told = server.hears<wire::login_ok>(ann);
    CHECK(told.request == request_id{3});
    CHECK(told.user == "ann");
    CHECK_FALSE(told.administrator);
    CHECK_FALSE(told.session);
    CHECK_FALSE(told.device);
}

TEST_CASE("F: the user admin is the administrator") {
    reception_stand server;
    server.says(ann, login_of("admin"));
    CHECK(server.hears<wire::login_ok>(ann).administrator);
    server.says(ann, login_of("Admin"));
    CHECK_FALSE(server.hears<wire::login_ok>(ann).administrator);
}

TEST_CASE("F: who says a name that nobody can have is told so") {
    const std::string bad = GENERATE(as<std::string>{}, "", std::string(65, 'x'), "a b");
    CAPTURE(bad);
    reception_stand server;
    server.takes_office(1);
    server.says(ann, login_of(bad, 1));
    const auto told = server.hears<wire::error_reply>(ann);
    CHECK(told.code == result_code::invalid);
    CHECK(told.request == request_id{3});
    CHECK_FALSE(told.text.empty());
}

TEST_CASE("C.0: a login with a nonce opens a session in the same round trip") {
    reception_stand server;
    server.takes_office(7);
    server.says(ann, login_of("ann", 1));
    CHECK(server.hears_nothing(ann)); // B.5.6
    server.confirms_all();
    const leaving told = server.hears_any(ann);
    const auto& opened = std::get<wire::login_ok>(told.what);
    CHECK(opened.request == request_id{3});
    CHECK(opened.user == "ann");
    CHECK(opened.device);
    REQUIRE(opened.session);
    CHECK(opened.window == 256);
    CHECK(opened.epoch == epoch{7});
    CHECK(told.rests_on == server.last());
    CHECK(told.session == *opened.session);
}

TEST_CASE("C.1: the same user and nonce find the same session and device at every primary") {
    reception_stand first;
    first.takes_office(1);
    first.says(ann, login_of("ann", 1));
    first.says(bob, login_of("ann", 1)); // on its way: both are told
    first.confirms_all();
    const auto opened = first.hears<wire::login_ok>(ann);
    CHECK(first.hears<wire::login_ok>(bob).session == opened.session);

    reception_stand second;
    second.copies(first, first.last());
    second.takes_office(2);
    second.says(bob, login_of("ann", 1));
    const auto again = second.hears<wire::login_ok>(bob);
    CHECK(again.session == opened.session);
    CHECK(again.device == opened.device);
    CHECK(again.user == "ann");

    const log_index before = second.last();
    second.says(bob, login_of("ben", 1));
    second.confirms_all();
    CHECK(second.last() > before);
    const auto other = second.hears<wire::login_ok>(bob);
    CHECK(other.session != opened.session);
    CHECK(other.device != opened.device);
    CHECK(other.user == "ben");
}

TEST_CASE("C.1: a device is made of the nonce and the user alone") {
    reception_stand server;
    server.takes_office(1);
    server.says(ann, login_of("ann", 1));
    server.confirms_all();
    const auto told = server.hears<wire::login_ok>(ann);
    REQUIRE(told.device);
    const device_id::rep device = told.device->value();
    // SHA-256 of 15 zeros, 1 and "ann".
    CHECK(base::to_hex(device) == "640ce5f7945bce689820b0afa3586f37");
}

TEST_CASE("C.2: whoever logs in with a device is given what a beacon is known by, at any server") {
    reception_stand backup;
    const base::key256 key{{std::byte{5}}};
    wire::login what = login_of("ann");
    what.device = test::id_number<device_nonce>(1);
    backup.says(ann, what);
    CHECK_FALSE(backup.hears<wire::login_ok>(ann).beacon); // It has no key to make it from.

    backup.hall().announces_with(key);
    backup.says(ann, what);
    const auto told = backup.hears<wire::login_ok>(ann);
    CHECK_FALSE(told.session);
    REQUIRE(told.device);
    REQUIRE(told.beacon);
    CHECK(told.beacon->tag == wire::tag_of(*told.device));
    CHECK(told.beacon->key == wire::beacon_key(key, told.beacon->tag));

    reception_stand primary;
    primary.hall().announces_with(key);
    primary.takes_office(1);
    what.nonce = test::id_number<open_nonce>(2);
    primary.says(ann, what);
    primary.confirms_all();
    const auto opened = primary.hears<wire::login_ok>(ann);
    CHECK(opened.device == told.device);
    REQUIRE(opened.beacon);
    CHECK(opened.beacon->key == told.beacon->key);

    primary.says(bob, login_of("ann"));
    CHECK_FALSE(primary.hears<wire::login_ok>(bob).beacon); // It names no device.
}

TEST_CASE("C.2: a device is here from its ATTACH to the end of its connection") {
    reception_stand server;
    server.hall().announces_with(base::key256{{std::byte{5}}});
    server.takes_office(1);
    server.says(ann, login_of("ann", 1));
    server.confirms_all();
    const auto opened = server.hears<wire::login_ok>(ann);
    CHECK(server.hall().take_attendance().empty());

    using changes = std::vector<attendance::change>;
    const device_tag device = wire::tag_of(*opened.device);
    server.attaches(ann, *opened.session);
    CHECK(server.hall().take_attendance() == changes{{device, true}});
    // The session is heard over another connection now.
    server.attaches(bob, *opened.session);
    server.hall().connection_ended(ann);
    CHECK(server.hall().take_attendance().empty());
    server.hall().connection_ended(bob);
    CHECK(server.hall().take_attendance() == changes{{device, false}});

    server.attaches(bob, *opened.session);
    server.leaves_office();
    CHECK(server.hall().take_attendance().empty());
}

TEST_CASE("C.0: a backup sends who wants a session to the primary") {
    reception_stand server;
    server.hears_of_primary(server_id{2}, 5);
    server.says(ann, login_of("ann", 1));
    server.says(ann, attach_of({}));
    server.says(ann, close_of({}));
    CHECK(server.hears<wire::redirect>(ann).request == request_id{3});
    CHECK(server.hears<wire::redirect>(ann).request == request_id{4});
    CHECK(server.hears<wire::redirect>(ann).primary->id == server_id{2});
}

TEST_CASE("B.10: who wants a session while the office is handed over is held") {
    reception_stand server;
    server.takes_office(1);
    server.drains = true;
    server.says(ann, login_of("ann", 1));
    CHECK(server.hears_nothing(ann));
    server.leaves_office();
    server.hears_of_primary(server_id{2}, 2);
    CHECK(server.hears<wire::redirect>(ann).primary->id == server_id{2});
}

TEST_CASE("style 11: who is turned away is told so") {
    reception_stand server{{}, {.pending_entries = 1}};
    server.takes_office(1);
    server.says(ann, login_of("ann", 1));
    server.says(bob, login_of("bob", 2));
    const auto told = server.hears<wire::error_reply>(bob);
    CHECK(told.code == result_code::busy);
    CHECK(told.epoch == epoch{1});
}

// -- Attach ---------------------------------------------------------------------------------------

TEST_CASE("C.1: a session listens to its newest attach, and the older connection is closed") {
    reception_stand server;
    server.takes_office(1);
    const session_id session = server.has_session(ann);
    server.says(ann, server.puts(session, 1));
    server.confirms_all();
    static_cast<void>(server.hears_any(ann));

    server.says(bob, attach_of(session));
    const auto told = server.hears<wire::attached>(bob);
    CHECK(told.request == request_id{4});
    CHECK(told.last_known == sequence{1});
    CHECK(told.epoch == epoch{1});
    CHECK(server.closed() == std::vector{ann});
    CHECK(server.saw_times(sighting::kind::session_attached) == 2);

    const log_index before = server.last();
    server.says(ann, server.puts(session, 2));
    CHECK(server.last() == before);
}

TEST_CASE("C.1: attaching again over the same connection closes nothing") {
    reception_stand server;
    server.takes_office(1);
    const session_id session = server.has_session(ann);
    server.attaches(ann, session);
    CHECK(server.closed().empty());
}

TEST_CASE("C.1: a new office knows no attachment of the old one") {
    reception_stand server;
    server.takes_office(1);
    const session_id session = server.has_session(ann);
    server.leaves_office();
    server.takes_office(2);
    server.says(ann, server.puts(session, 1));
    CHECK(server.closed() == std::vector{ann});
}

TEST_CASE("C.0: a session that is gone is said to be so behind a probe round") {
    reception_stand server;
    server.takes_office(1);
    server.says(ann, attach_of(test::id_number<session_id>(77)));
    CHECK(server.hears_nothing(ann));
    server.probes_return();
    const auto told = server.hears<wire::error_reply>(ann);
    CHECK(told.code == result_code::session_expired);
    CHECK(told.request == request_id{4});
}

TEST_CASE("C.3: a standby connection is taken by a backup and attaches when that rules") {
    reception_stand first;
    first.takes_office(1);
    const session_id session = first.has_session(ann);

    reception_stand second;
    second.copies(first, first.last());
    second.hears_of_primary(server_id{2}, 1);
    second.says(bob, attach_of(session, wire::attach_mode::standby));
    CHECK(second.hears<wire::attached>(bob).epoch == epoch{1});

    second.takes_office(2);
    second.says(bob, attach_of(session));
    static_cast<void>(second.hears<wire::attached>(bob));
    second.says(bob, second.puts(session, 1));
    second.confirms_all();
    CHECK(second.hears<wire::operation_result>(bob).code == result_code::ok);
}

TEST_CASE("C.3: a standby connection does not take a session away") {
    reception_stand server;
    server.takes_office(1);
    const session_id session = server.has_session(ann);
    server.says(bob, attach_of(session, wire::attach_mode::standby));
    static_cast<void>(server.hears<wire::attached>(bob));
    CHECK(server.closed().empty());
    server.says(bob, server.puts(session, 1));
    CHECK(server.closed() == std::vector{bob});
}

TEST_CASE("an attach of a kind that only newer servers know is refused") {
    reception_stand server;
    server.takes_office(1);
    server.says(ann, attach_of({}, static_cast<wire::attach_mode>(7)));
    CHECK(server.hears<wire::error_reply>(ann).code == result_code::unsupported);
}

// -- The end of a session -------------------------------------------------------------------------

TEST_CASE("C.1: a session that its client closes is no more") {
    reception_stand server;
    server.takes_office(1);
    const session_id session = server.has_session(ann);
    server.says(ann, close_of(session));
    CHECK(server.hears_nothing(ann));
    server.confirms_all();
    const auto told = server.hears<wire::session_closed>(ann);
    CHECK(told.request == request_id{5});
    CHECK(told.session == session);
    CHECK(told.index == server.last());
    CHECK(told.epoch == epoch{1});

    server.says(bob, close_of(session));
    server.probes_return();
    CHECK(server.hears<wire::session_closed>(bob).index == log_index{});
}

TEST_CASE("C.1: only who speaks for a session closes it") {
    reception_stand server;
    server.takes_office(1);
    const session_id session = server.has_session(ann);
    const log_index before = server.last();
    server.says(bob, close_of(session));
    CHECK(server.closed() == std::vector{bob});
    CHECK(server.last() == before);
}

TEST_CASE("C.1: a session with unanswered operations is not closed") {
    reception_stand server;
    server.takes_office(1);
    const session_id session = server.has_session(ann);
    server.says(ann, server.puts(session, 1));
    server.says(ann, close_of(session));
    CHECK(server.hears<wire::error_reply>(ann).code == result_code::busy);
}

TEST_CASE("C.1, I28: what nobody uses expires, what is attached or in use does not") {
    reception_stand server{{.sweep_every = 1s}, {.idle = 10s, .touch = 1h}};
    server.takes_office(1);
    const session_id kept = server.has_session(ann, 1);
    server.says(bob, login_of("bob", 2));
    server.confirms_all();
    const auto idle = server.hears<wire::login_ok>(bob).session.value();
    REQUIRE(server.hall().wake());

    const log_index before = server.last();
    server.waits(2s);
    CHECK(server.last() == before);
    server.waits(20s);
    CHECK(server.last() == before.next());
    server.confirms_all();
    server.says(bob, attach_of(idle));
    server.probes_return();
    CHECK(server.hears<wire::error_reply>(bob).code == result_code::session_expired);
    server.attaches(bob, kept);
}

TEST_CASE("C.2: whoever is on the way to a new primary loses its place to nobody for 5 s") {
    // With the limits that ship: a look through so many sessions takes longer.
    constexpr std::size_t limit = state::limits{}.sessions;
    reception_stand server;
    server.takes_office(1);
    const session_id oldest = server.has_session(ann, 1);
    server.waits(1ms);
    const auto login_number = [](std::size_t number) {
        wire::login what = login_of("bob");
        open_nonce::rep nonce{std::byte{2}};
        nonce[1] = static_cast<std::byte>(number);
        nonce[2] = static_cast<std::byte>(number >> 8U);
        what.nonce = open_nonce{nonce};
        return what;
    };
    for (std::size_t number = 1; number < limit; ++number) {
        server.says(bob, login_number(number));
    }
    server.confirms_all();
    server.leaves_office();
    server.takes_office(2);

    for (std::size_t second = 1; second <= 5; ++second) {
        server.waits(1s);
        server.says(bob, login_number(limit + second));
        server.confirms_all();
    }
    server.attaches(ann, oldest);

    server.leaves_office();
    server.takes_office(3);
    for (std::size_t second = 0; second < 60; ++second) {
        server.waits(1s);
        server.confirms_all();
    }
    server.says(ann, attach_of(oldest));
    server.probes_return();
    CHECK(server.hears<wire::error_reply>(ann).code == result_code::session_expired);
}

TEST_CASE("C.1: nobody sweeps outside of office or while it is handed over") {
    reception_stand server{{.sweep_every = 1s}, {.idle = 10s, .touch = 1h}};
    server.takes_office(1);
    server.says(bob, login_of("bob", 2));
    server.confirms_all();
    const log_index before = server.last();
    server.drains = true;
    server.waits(100s);
    CHECK(server.last() == before);
    server.leaves_office();
    server.waits(100s);
    CHECK(server.last() == before);
    CHECK_FALSE(server.hall().wake());
}

} // namespace almenara::server
