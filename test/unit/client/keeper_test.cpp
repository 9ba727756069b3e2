#include "client/keeper.hpp"

#include "base/bytes.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace almenara;
using namespace std::chrono_literals;
using client::failover;
using client::keep_order;
using client::keeper;
using client::recollection;

namespace fs = std::filesystem;

namespace {

const cluster_id ours{{std::byte{0x3f}, std::byte{0x2a}}};
const cluster_id another{{std::byte{0x77}}};
const session_id first_session{{std::byte{1}}};
const session_id second_session{{std::byte{2}}};

base::byte_vector bytes_of(std::string_view text) {
    const auto bytes = base::as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

client::keep_operation operation(sequence::rep seq, std::string_view body = "body") {
    return {{.seq = sequence{seq}, .body = bytes_of(body)}};
}

/// A keeper and a core that it answers, which is not asked anything here.
struct kept_client {
    explicit kept_client(const std::string& directory, std::string user = "anna")
        : files(directory, std::move(user)) {}

    recollection enter(cluster_id cluster = ours) { return files.enter(cluster); }

    template <class... Orders>
    void keep(Orders... what) {
        std::vector<keep_order> orders{std::move(what)...};
        files.execute(orders, core);
    }
    void open_session(session_id session) {
        keep(client::keep_session{.session = session, .window = 256, .next = sequence{1}});
    }

    keeper files;
    failover core{{.servers = {"a:1"}, .user = "anna", .keeps_state = true}, instant{1h}};
};

struct place {
    test::temporary_directory home;
    std::string directory = home / "almenara";
    std::string cluster = directory + "/clusters/3f2a0000000000000000000000000000";
    std::string user = cluster + "/users/anna";

    [[nodiscard]] std::vector<std::string> sessions() const {
        return client::names_in(user + "/sessions");
    }
    [[nodiscard]] std::string session(
        const std::string& name = "01000000000000000000000000000000") const {
        return user + "/sessions/" + name;
    }
};

unsigned mode_of(const std::string& path) {
    struct stat facts{};
    REQUIRE(::stat(path.c_str(), &facts) == 0);
    return facts.st_mode & 07777U;
}

std::string all_of(const std::vector<std::string>& notes) {
    std::string text;
    for (const std::string& each : notes) {
        text += each + "\n";
    }
    return text;
}

/// One session with operation 1 answered, 2 and 3 open.
void leave_two_open(const place& here) {
    kept_client first{here.directory};
    first.enter();
    first.open_session(first_session);
    first.keep(operation(1), operation(2, "two"), operation(3, "three"),
               client::forget_operation{sequence{1}});
}

/// What is kept was written before the machine was started.
void turn_off_the_machine(const place& here) {
    std::string bytes = test::content_of(here.session());
    auto header = client::read_session_file(base::as_bytes(bytes))->header;
    header.boot ^= 1U;
    bytes.replace(0, client::session_header_size, base::as_text(client::encode_header(header)));
    test::write_file(here.session(), bytes);
}

} // namespace

TEST_CASE("C.1: the device is made once, for each user and cluster") {
    const place here;
    const auto made = kept_client{here.directory}.enter();
    CHECK_FALSE(made.trouble);
    CHECK(made.device != device_nonce{});
    CHECK(kept_client{here.directory}.enter().device == made.device);
    CHECK(kept_client(here.directory, "bert").enter().device != made.device);
    CHECK(kept_client{here.directory}.enter(another).device != made.device);
}

TEST_CASE("C.3: nobody else may read what is kept") {
    const place here;
    leave_two_open(here);
    for (const fs::directory_entry& each : fs::recursive_directory_iterator{here.directory}) {
        CAPTURE(each.path());
        CHECK(mode_of(each.path()) == (each.is_directory() ? 0700U : 0600U));
    }
    CHECK(mode_of(here.directory) == 0700U);
}

TEST_CASE("C.3: what was open when a client ended is there for the next one") {
    const place here;
    leave_two_open(here);
    kept_client next{here.directory};
    const auto found = next.enter();
    REQUIRE(found.session);
    CHECK(found.session->session == first_session);
    CHECK(found.session->window == 256);
    CHECK(found.session->next == sequence{4});
    REQUIRE(found.session->open.size() == 2);
    CHECK(found.session->open[0].seq == sequence{2});
    CHECK(found.session->open[0].body == bytes_of("two"));
    CHECK(found.session->open[1].seq == sequence{3});
    next.keep(client::forget_operation{sequence{2}}, client::forget_operation{sequence{3}});
    next.files.leave();
    CHECK(fs::file_size(here.session()) == client::session_header_size);
    CHECK(next.files.take_notes().empty());
}

TEST_CASE(
    "C.1: two clients at the same time have two sessions, and the next one takes a free one") {
    const place here;
    kept_client first{here.directory};
    CHECK_FALSE(first.enter().session);
    first.open_session(first_session);
    {
        kept_client second{here.directory};
        CHECK_FALSE(second.enter().session);
        second.open_session(second_session);
        CHECK(here.sessions().size() == 2);
    }
    kept_client third{here.directory};
    REQUIRE(third.enter().session);
    kept_client fourth{here.directory};
    CHECK_FALSE(fourth.enter().session);
}

TEST_CASE("C.3: of the free sessions the one that waits for an answer is taken") {
    const place here;
    leave_two_open(here);
    {
        kept_client busy{here.directory};
        busy.enter();
        kept_client second{here.directory};
        second.enter();
        second.open_session(session_id{}); // its name comes before the other's
    }
    const auto found = kept_client{here.directory}.enter();
    CHECK(found.session->session == first_session);
    CHECK(found.session->open.size() == 2);
}

TEST_CASE("C.3: the file is cut when nothing is open and it has grown") {
    const place here;
    kept_client one{here.directory};
    one.enter();
    one.open_session(first_session);
    const std::string large(10'000, 'x');
    std::uintmax_t largest = 0;
    for (sequence::rep seq = 1; seq <= 100; ++seq) {
        one.keep(operation(seq, large));
        largest = std::max(largest, fs::file_size(here.session()));
        one.keep(client::forget_operation{sequence{seq}});
    }
    CHECK(largest > client::session_file::enough_to_cut);
    CHECK(largest < client::session_file::enough_to_cut + 2 * large.size());
    one.files.leave();
    kept_client held{here.directory};
    CHECK_FALSE(held.enter().session); // The first one still has it.
}

TEST_CASE("C.1: numbers are never used again, whichever way they were kept") {
    const place here;
    {
        kept_client one{here.directory};
        one.enter();
        one.open_session(first_session);
        one.keep(operation(1), client::forget_operation{sequence{1}});
        one.files.leave();
    }
    {
        kept_client one{here.directory};
        CHECK(one.enter().session->next == sequence{2});
        one.keep(client::keep_numbers{sequence{300}});
    }
    CHECK(kept_client{here.directory}.enter().session->next == sequence{300});
}

TEST_CASE("C.3: a client that is killed while it writes down loses nothing that it has sent") {
    const place here;
    leave_two_open(here);
    // Wherever it was: operation 3 is not whole, so it was not sent.
    const std::size_t whole = fs::file_size(here.session());
    const std::size_t third = client::record_head_size + sizeof(sequence::rep) + 5;
    const std::string bytes = test::content_of(here.session());
    for (std::size_t torn = 1; torn <= third; ++torn) {
        CAPTURE(torn);
        test::write_file(here.session(), bytes.substr(0, whole - torn));
        kept_client next{here.directory};
        const auto found = next.enter();
        REQUIRE(found.session);
        REQUIRE(found.session->open.size() == 1);
        CHECK(found.session->open[0].seq == sequence{2});
        CHECK(found.lost.empty());
        CHECK(next.files.take_notes().empty());
        next.keep(operation(3, "another"));
        const auto after =
            client::read_session_file(base::as_bytes(test::content_of(here.session())));
        CHECK_FALSE(after->damage);
        CHECK(after->open.size() == 2);
    }
}

TEST_CASE("C.3: a torn or rotten file is given up and set aside, and what is lost is said") {
    const place here;
    leave_two_open(here);
    fs::resize_file(here.session(), fs::file_size(here.session()) - 1);
    turn_off_the_machine(here);
    kept_client next{here.directory};
    const auto found = next.enter();
    CHECK_FALSE(found.session);
    CHECK_FALSE(found.trouble);
    REQUIRE(found.lost.size() == 1);
    CHECK(found.lost[0].seq == sequence{2});
    const std::string notes = all_of(next.files.take_notes());
    CHECK(notes.find("its last record is torn") != std::string::npos);
    CHECK(notes.find(".damaged") != std::string::npos);
    CHECK(notes.find("Its session is given up") != std::string::npos);
    CHECK(here.sessions() == std::vector<std::string>{"01000000000000000000000000000000.damaged"});
    CHECK_FALSE(kept_client{here.directory}.enter().session);
}

TEST_CASE("C.3: a header that cannot be read, and a file under another's name, are given up") {
    const place here;
    leave_two_open(here);
    fs::copy_file(here.session(), here.session("02000000000000000000000000000000"));
    test::write_file(here.session(), "something else");
    fs::permissions(here.session("02000000000000000000000000000000"),
                    fs::perms::owner_read | fs::perms::owner_write);
    kept_client next{here.directory};
    const auto found = next.enter();
    CHECK_FALSE(found.session);
    CHECK(found.lost.size() == 2);
    const std::string notes = all_of(next.files.take_notes());
    CHECK(notes.find("ends within its header") != std::string::npos);
    CHECK(notes.find("another session's") != std::string::npos);
}

TEST_CASE("C.3: a damaged cluster file is set aside and learned again") {
    const place here;
    {
        kept_client one{here.directory};
        one.enter();
        client::keep_cluster what;
        what.what.id = ours;
        what.what.seen = epoch{7};
        what.what.names = {"a:1"};
        one.keep(what);
    }
    CHECK(kept_client{here.directory}.files.hint({"a:1"})->seen == epoch{7});
    CHECK(kept_client{here.directory}.enter().seen == epoch{7});
    test::write_file(here.cluster + "/cluster",
                     GENERATE(std::string{"epoch 99\n"}, std::string(300'000, 'x')));
    kept_client next{here.directory};
    CHECK_FALSE(next.files.hint({"a:1"}));
    CHECK(fs::exists(here.cluster + "/cluster.damaged"));
    const std::string notes = all_of(next.files.take_notes());
    CHECK(notes.find("learned again") != std::string::npos);
    CHECK_FALSE(next.enter().trouble);
}

TEST_CASE("C.3: a directory in the place of a file is told once, with what to do") {
    const place here;
    leave_two_open(here);
    fs::remove(here.cluster + "/cluster");
    fs::create_directory(here.cluster + "/cluster");
    kept_client next{here.directory};
    CHECK_FALSE(next.files.hint({"a:1"}));
    next.enter();
    std::vector<std::string> notes = next.files.take_notes();
    next.keep(client::keep_numbers{sequence{300}});
    for (std::string& more : next.files.take_notes()) {
        notes.push_back(std::move(more));
    }
    REQUIRE(notes.size() == 1);
    CHECK(notes.front().find("it is no regular file. Remove it") != std::string::npos);
}

TEST_CASE("C.1: a damaged device file is set aside, and another device is made") {
    const place here;
    const auto before = kept_client{here.directory}.enter().device;
    test::write_file(here.user + "/device",
                     GENERATE(std::string{"almenara device 1\n"}, std::string(300'000, 'x')));
    kept_client next{here.directory};
    const auto found = next.enter();
    CHECK_FALSE(found.trouble);
    CHECK(found.device != before);
    CHECK(fs::exists(here.user + "/device.damaged"));
    CHECK(all_of(next.files.take_notes()).find("another device") != std::string::npos);
    CHECK(kept_client{here.directory}.enter().device == found.device);
}

TEST_CASE("C.3: what others may read is refused, with what to do") {
    const place here;
    leave_two_open(here);
    const auto open_to_others = [](const std::string& path) {
        fs::permissions(path, fs::perms::group_read | fs::perms::others_read,
                        fs::perm_options::add);
    };
    SECTION("a session") {
        open_to_others(here.session());
        kept_client next{here.directory};
        CHECK_FALSE(next.enter().session);
        CHECK(all_of(next.files.take_notes()).find("Run 'chmod 600 " + here.session()) !=
              std::string::npos);
        CHECK(fs::exists(here.session()));
    }
    SECTION("the device") {
        open_to_others(here.user + "/device");
        const auto found = kept_client{here.directory}.enter();
        REQUIRE(found.trouble);
        CHECK(found.trouble->why.find("mode 0644") != std::string::npos);
        CHECK(found.trouble->why.find("Run 'chmod 600 ") != std::string::npos);
    }
    SECTION("a directory") {
        open_to_others(here.user);
        const auto found = kept_client{here.directory}.enter();
        REQUIRE(found.trouble);
        CHECK(found.trouble->why.find("Run 'chmod 700 " + here.user) != std::string::npos);
    }
    SECTION("a link to somewhere else") {
        fs::rename(here.user + "/device", here.home / "device");
        fs::create_symlink(here.home / "device", here.user + "/device");
        CHECK(kept_client{here.directory}.enter().trouble);
    }
}

TEST_CASE("C.3: files of another user are refused, and so is a place that cannot be written") {
    if (::geteuid() == 0) {
        const place here;
        leave_two_open(here);
        REQUIRE(::chown((here.user + "/device").c_str(), 65534, 65534) == 0);
        const auto found = kept_client{here.directory}.enter();
        REQUIRE(found.trouble);
        CHECK(found.trouble->why.find("another user (uid 65534)") != std::string::npos);
    }
    // Nothing can be made in there, not even by root.
    const auto found = kept_client{"/proc/almenara"}.enter();
    REQUIRE(found.trouble);
    CHECK(found.trouble->kind == client::failure_kind::not_kept);
    CHECK(found.trouble->why.find("/proc/almenara") != std::string::npos);
    const auto below_nothing = kept_client{"/proc/almenara/further/down"}.enter();
    REQUIRE(below_nothing.trouble);
    CHECK(below_nothing.trouble->why.find("making the directory '/proc/almenara/further'") !=
          std::string::npos);
    const auto homeless = kept_client{""}.enter();
    REQUIRE(homeless.trouble);
    CHECK(homeless.trouble->why.find("there is no home directory. Set HOME") != std::string::npos);
    const test::temporary_directory home;
    test::write_file(home / "file", "");
    CHECK(kept_client{home / "file"}.enter().trouble);
}

TEST_CASE("C.3: on a full disk nothing is half written, and it goes on when there is room") {
    const place here;
    kept_client one{here.directory};
    one.enter();
    one.open_session(first_session);
    one.keep(operation(1, "small"));
    const auto before = fs::file_size(here.session());
    // The kernel refuses to let a file grow beyond that, as it does on a full disk.
    struct rlimit usual{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &usual) == 0);
    const struct rlimit little{before + 100, usual.rlim_max};
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &little) == 0);
    one.keep(operation(2, std::string(1000, 'x')));
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &usual) == 0);
    std::signal(SIGXFSZ, handler);
    CHECK(fs::file_size(here.session()) == before);
    one.keep(operation(3, "again"));
    const auto read = client::read_session_file(base::as_bytes(test::content_of(here.session())));
    REQUIRE(read.has_value());
    CHECK_FALSE(read->damage);
    REQUIRE(read->open.size() == 2);
    CHECK(read->open[1].operation.seq == sequence{3});
}

TEST_CASE("C.3: of two clusters that had the same name the one that was used last is meant") {
    const place here;
    client::keep_cluster what;
    what.what.names = {"a:1"};
    what.what.id = ours;
    kept_client{here.directory}.enter();
    for (const cluster_id cluster : {ours, another, ours}) {
        kept_client one{here.directory};
        one.enter(cluster);
        what.what.id = cluster;
        one.keep(what);
        CHECK(kept_client{here.directory}.files.hint({"a:1"})->id == cluster);
    }
    CHECK_FALSE(kept_client{here.directory}.files.hint({"b:2"}));
}

TEST_CASE("C.3: clusters that were not used for long are forgotten, unless they owe an answer") {
    const place here;
    leave_two_open(here);
    for (unsigned i = 0; i < 2 * keeper::most_clusters; ++i) {
        cluster_id::rep id{};
        id[0] = std::byte{0xcc};
        id[1] = static_cast<std::byte>(i);
        kept_client one{here.directory};
        one.enter(cluster_id{id});
        one.keep();
        one.files.leave();
    }
    const auto names = client::names_in(here.directory + "/clusters");
    CHECK(names.size() <= keeper::most_clusters + 2);
    CHECK(fs::exists(here.session()));
}

TEST_CASE("C.3: a user's name never leaves its directory") {
    CHECK(client::directory_name("anna") == "anna");
    CHECK(client::directory_name("Anna.Ek@example-1+x_y") == "Anna.Ek@example-1+x_y");
    CHECK(client::directory_name("..") == "%2e.");
    CHECK(client::directory_name("../x/y") == "%2e.%2fx%2fy");
    CHECK(client::directory_name("%2e") == "%252e");
    CHECK(client::directory_name("\xc3\xa4") == "%c3%a4");
    const place here;
    const auto found = kept_client(here.directory, std::string(65, 'x')).enter();
    CHECK(found.trouble);
}

TEST_CASE("C.1: a logout leaves what other processes use") {
    const place here;
    kept_client busy{here.directory};
    busy.enter();
    busy.open_session(first_session);
    kept_client other{here.directory};
    other.enter();
    other.open_session(second_session);
    CHECK(other.files.forget_user().value() == 1);
    CHECK(here.sessions().size() == 1);
    CHECK_FALSE(fs::exists(here.user + "/device"));
    CHECK(busy.files.forget_user().value() == 0);
    CHECK_FALSE(fs::exists(here.user));
    CHECK(fs::exists(here.cluster));
}
