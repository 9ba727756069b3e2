#include "storage/data_directory.hpp"

#include "support/bytes.hpp"
#include "support/child.hpp"
#include "support/results.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace almenara::storage {

namespace {

namespace fs = std::filesystem;
using test::failure_of;
using test::says;
using test::temporary_directory;
using test::value_of;
using test::write_file;

constexpr std::optional<server_id> any_id;

/// What an identity file holds.
base::byte_vector as_file(const identity_record& identity) {
    base::byte_vector bytes;
    wire::append_message<storage_records>(identity, bytes);
    return bytes;
}

void write_identity(const std::string& directory, base::byte_view bytes) {
    write_file(directory + "/identity", base::as_text(bytes));
}

base::byte_vector identity_in(const std::string& directory) {
    return value_of(read_file(directory + "/identity", 4096)).value();
}

/// Everything that could be changed in a directory: names, contents and rights.
std::map<std::string, std::string> picture_of(const std::string& directory) {
    std::map<std::string, std::string> picture;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
        const auto mode = static_cast<unsigned>(entry.status().permissions());
        std::string content;
        if (entry.is_regular_file()) {
            content = test::content_of(entry.path().string());
        }
        picture[entry.path().string()] = std::to_string(mode) + content;
    }
    return picture;
}

unsigned mode_of(const std::string& path) {
    struct stat facts{};
    REQUIRE(::stat(path.c_str(), &facts) == 0);
    return facts.st_mode & 07777U;
}

/// Refused by open() and by check(), in the same words, and nothing is changed.
error refusal_of(const std::string& path, std::optional<server_id> wanted = any_id) {
    const auto before = picture_of(path);
    const error failure = failure_of(data_directory::open(path, wanted));
    CHECK(failure_of(data_directory::check(path, wanted)) == failure);
    CHECK(picture_of(path) == before);
    CHECK(says(failure, path));
    return failure;
}

} // namespace

TEST_CASE("B.1 a directory that is not there is made, for its owner only, with an identity") {
    const temporary_directory place;
    const std::string path = place / "data";
    CHECK(data_directory::check(path, any_id));
    CHECK_FALSE(fs::exists(path));

    const auto directory = value_of(data_directory::open(path, any_id));
    CHECK(directory.is_new());
    CHECK(directory.path() == path);
    CHECK(directory.server() == server_id{1});
    CHECK(directory.uuid() != data_uuid{});
    CHECK(mode_of(path) == 0700);
    CHECK(mode_of(path + "/identity") == 0600);
    CHECK(mode_of(path + "/almenara.lock") == 0600);
}

TEST_CASE("B.1 a new directory belongs to the server that was asked for") {
    const temporary_directory place;
    CHECK(value_of(data_directory::open(place.path(), server_id{3})).server() == server_id{3});
    CHECK(value_of(data_directory::open(place.path(), any_id)).server() == server_id{3});
}

TEST_CASE("B.1 a directory has the same identity at each start") {
    const temporary_directory place;
    const data_uuid uuid = value_of(data_directory::open(place.path(), any_id)).uuid();
    const auto again = value_of(data_directory::open(place.path(), any_id));
    CHECK_FALSE(again.is_new());
    CHECK(again.uuid() == uuid);
    CHECK(data_directory::check(place.path(), any_id));
}

TEST_CASE("B.1 two directories have two identities") {
    const temporary_directory one;
    const temporary_directory two;
    CHECK(value_of(data_directory::open(one.path(), any_id)).uuid() !=
          value_of(data_directory::open(two.path(), any_id)).uuid());
}

TEST_CASE("a directory of another server is refused") {
    const temporary_directory place;
    REQUIRE(data_directory::open(place.path(), server_id{3}).has_value());
    const error failure = refusal_of(place.path(), server_id{4});
    CHECK(failure.code == errc::conflict);
    CHECK(says(failure, "belongs to server 3, not to server 4"));
    CHECK(data_directory::check(place.path(), server_id{3}));
}

TEST_CASE("B.12.3 whose a directory is can be told before it is taken") {
    const temporary_directory place;
    const std::string path = place / "data";
    CHECK_FALSE(value_of(data_directory::look(path, any_id)).has_value());
    CHECK_FALSE(fs::exists(path));
    const auto directory = value_of(data_directory::open(path, server_id{3}));
    const auto owner = value_of(data_directory::look(path, any_id)).value();
    CHECK(owner.server == server_id{3});
    CHECK_FALSE(owner.cluster.has_value());
    const cluster_record told{.servers = {}, .options = {"confirm=all"}, .secret = std::nullopt};
    REQUIRE(directory.write_cluster(told).has_value());
    CHECK(value_of(data_directory::look(path, any_id)).value().cluster == told);
    CHECK(says(failure_of(data_directory::look(path, server_id{4})), "belongs to server 3"));
}

TEST_CASE("a directory with other people's files is refused and stays as it is") {
    const temporary_directory place;
    write_file(place / "letter.txt", "dear all");
    const error failure = refusal_of(place.path());
    CHECK(failure.code == errc::conflict);
    CHECK(says(failure, "it holds 'letter.txt'"));
    CHECK(says(failure, "Give an empty or a new directory"));
}

TEST_CASE("a directory that holds a lock of somebody else is refused and stays as it is") {
    const temporary_directory place;
    write_file(place / "lock", "of apt");
    CHECK(says(refusal_of(place.path()), "it holds 'lock'"));
}

TEST_CASE("a foreign file's name can steer no terminal") {
    const temporary_directory place;
    write_file(place / "\x1b[2J", "");
    const error failure = failure_of(data_directory::open(place.path(), any_id));
    CHECK(failure.message().find('\x1b') == std::string::npos);
}

TEST_CASE("what a start that was cut short left behind is no foreign file") {
    const temporary_directory place;
    write_file(place / "almenara.lock", "4711\n");
    write_file(place / "identity.new", "half of an ident");
    write_file(place / "admin.sock", "");
    fs::create_directory(place / "lost+found");
    CHECK(value_of(data_directory::open(place.path(), any_id)).is_new());
    CHECK_FALSE(fs::exists(place / "identity.new"));
    CHECK_FALSE(value_of(data_directory::open(place.path(), any_id)).is_new());
}

TEST_CASE("a directory serves one process at a time") {
    const temporary_directory place;
    {
        const auto first = value_of(data_directory::open(place.path(), any_id));
        const error failure = failure_of(data_directory::open(place.path(), any_id));
        CHECK(failure.code == errc::conflict);
        CHECK(says(failure, "in use by process " + std::to_string(::getpid())));
        CHECK(says(failure, place.path()));
        // To ask whether the configuration is good, nobody has to stop.
        CHECK(data_directory::check(place.path(), any_id));
    }
    CHECK(data_directory::open(place.path(), any_id).has_value());
}

TEST_CASE("the lock of a process that died holds nobody up") {
    const temporary_directory place;
    const auto end = test::in_child([&] {
        const auto held = data_directory::open(place.path(), any_id);
        ::_exit(held ? 0 : 1);
        return 2;
    });
    REQUIRE(end.exit_code == 0);
    CHECK(data_directory::open(place.path(), any_id).has_value());
}

TEST_CASE("an identity with any bit turned is refused and never another identity") {
    const temporary_directory place;
    REQUIRE(data_directory::open(place.path(), server_id{3}).has_value());
    const base::byte_vector good = identity_in(place.path());
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        CAPTURE(bit);
        write_identity(place.path(), test::with_bit_flipped(good, bit));
        const error failure = failure_of(data_directory::open(place.path(), any_id));
        CHECK(failure.code == errc::malformed);
    }
    write_identity(place.path(), good);
    CHECK(value_of(data_directory::open(place.path(), any_id)).server() == server_id{3});
}

TEST_CASE("an identity that is too short or too long is refused") {
    const temporary_directory place;
    REQUIRE(data_directory::open(place.path(), any_id).has_value());
    const base::byte_vector good = identity_in(place.path());
    for (std::size_t size = 0; size < good.size(); ++size) {
        CAPTURE(size);
        write_identity(place.path(), base::byte_view{good}.first(size));
        const error failure = refusal_of(place.path());
        CHECK(failure.code == errc::malformed);
        CHECK(says(failure, "Restore it from a backup, or give a new directory"));
    }
    base::byte_vector longer = good;
    longer.push_back(std::byte{0});
    write_identity(place.path(), longer);
    CHECK(refusal_of(place.path()).code == errc::malformed);
    longer.resize(5000);
    write_identity(place.path(), longer);
    CHECK(refusal_of(place.path()).code == errc::too_large);
}

TEST_CASE("an identity that is another kind of record is refused") {
    const temporary_directory place;
    base::byte_vector bytes;
    wire::append_frame({.type = wire::message_type{0x0402}, .flags = {wire::frame_flag::ignorable}},
                       identity_record{.server = server_id{1}}, bytes);
    write_identity(place.path(), bytes);
    CHECK(refusal_of(place.path()).code == errc::malformed);
}

TEST_CASE("a directory that a newer version wrote is refused, with the versions' numbers") {
    const temporary_directory place;
    constexpr std::uint16_t newer = directory_format + 1;
    write_identity(place.path(), as_file({.format = newer, .server = server_id{1}}));
    const error failure = refusal_of(place.path());
    CHECK(failure.code == errc::unsupported);
    CHECK(says(failure, "newer version (format " + std::to_string(newer)));
    CHECK(says(failure, "Install that version"));
}

TEST_CASE("a file in place of the directory is refused") {
    const temporary_directory place;
    write_file(place / "data", "a file");
    for (const auto& failure : {failure_of(data_directory::open(place / "data", any_id)),
                                failure_of(data_directory::check(place / "data", any_id))}) {
        CHECK(failure.code == errc::conflict);
        CHECK(says(failure, "'" + (place / "data") + "' is a file"));
        CHECK(says(failure, "Give a directory"));
    }
    CHECK(test::content_of(place / "data") == "a file");
}

TEST_CASE("a directory without a parent is not made") {
    const temporary_directory place;
    const error failure = failure_of(data_directory::open(place / "a/b", any_id));
    CHECK(failure.cause == std::errc::no_such_file_or_directory);
    CHECK(says(failure, place / "a/b"));
    CHECK(says(failure, "Make the directory above it first, or give another path"));
    CHECK_FALSE(fs::exists(place / "a"));
}

TEST_CASE("a directory that may not be read or written is refused with the system's reason") {
    const temporary_directory place;
    const std::string path = place / "data";
    REQUIRE(fs::create_directory(path));
    fs::permissions(place.path(), fs::perms::owner_all | fs::perms::others_exec);
    const auto mode = GENERATE(0000U, 0555U);
    fs::permissions(path, static_cast<fs::perms>(mode));
    const auto end = test::in_child([&] {
        if (!test::become_ordinary_user()) {
            return 2;
        }
        const auto outcome = data_directory::open(path, any_id);
        if (outcome || outcome.error().cause != std::errc::permission_denied) {
            return 1;
        }
        return says(outcome.error(), path) ? 0 : 1;
    });
    CHECK(end.exit_code == 0);
    CHECK(end.errors == "");
    fs::permissions(path, fs::perms::owner_all);
    CHECK(fs::is_empty(path));
}

} // namespace almenara::storage
