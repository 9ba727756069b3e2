#include "storage/file.hpp"

#include "support/child.hpp"
#include "support/results.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <filesystem>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>

namespace almenara::storage {

namespace {

namespace fs = std::filesystem;
using test::failure_of;
using test::says;
using test::temporary_directory;
using test::value_of;
using test::write_file;

/// The text of a file that is there.
std::string text_of(const std::string& path, std::size_t largest = 1000) {
    const auto content = value_of(read_file(path, largest));
    REQUIRE(content);
    return std::string{base::as_text(*content)};
}

mode_t mode_of(const std::string& path) {
    struct stat facts{};
    REQUIRE(::stat(path.c_str(), &facts) == 0);
    return facts.st_mode & 07777U;
}

} // namespace

TEST_CASE("a descriptor is closed by its one owner") {
    int number = -1;
    {
        descriptor file{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
        REQUIRE(file);
        number = file.number();
        descriptor moved{std::move(file)};
        CHECK(moved.number() == number);
        descriptor assigned;
        CHECK_FALSE(assigned);
        assigned = std::move(moved);
        CHECK(assigned.number() == number);
    }
    CHECK(::fcntl(number, F_GETFD) == -1);
}

TEST_CASE("a file is read as a whole up to its limit") {
    const temporary_directory place;
    const std::string path = place / "file";
    const auto size = GENERATE(0U, 1U, 999U, 1000U);
    write_file(path, std::string(size, 'x'));
    CHECK(text_of(path) == std::string(size, 'x'));
}

TEST_CASE("style 11 a file that is longer than its limit is refused, not cut") {
    const temporary_directory place;
    write_file(place / "file", std::string(1001, 'x'));
    const error failure = failure_of(read_file(place / "file", 1000));
    CHECK(failure.code == errc::too_large);
    CHECK(says(failure, place / "file"));
    CHECK(says(failure, "1000 bytes"));
}

TEST_CASE("a file that is not there is no failure") {
    const temporary_directory place;
    CHECK_FALSE(value_of(read_file(place / "file", 1000)));
}

TEST_CASE("a file that cannot be read is a failure that names it") {
    const temporary_directory place;
    const error failure = failure_of(read_file(place.path(), 1000));
    CHECK(failure.code == errc::system_failed);
    CHECK(failure.cause == std::errc::is_a_directory);
    CHECK(says(failure, place.path()));
}

TEST_CASE("E.1 a file is made and replaced as a whole, for its owner only") {
    const temporary_directory place;
    const std::string path = place / "file";
    REQUIRE(replace_file(place.path(), "file", base::as_bytes("first, and long")));
    CHECK(text_of(path) == "first, and long");
    CHECK(mode_of(path) == 0600);

    REQUIRE(replace_file(place.path(), "file", base::as_bytes("second")));
    CHECK(text_of(path) == "second");
    CHECK(mode_of(path) == 0600);
    CHECK_FALSE(fs::exists(path + ".new"));
}

TEST_CASE("E.1 what a crash left beside a file is not in the way") {
    const temporary_directory place;
    write_file(place / "file", "old");
    write_file(place / "file.new", "the half of something that was longer than what comes now");
    REQUIRE(replace_file(place.path(), "file", base::as_bytes("new")));
    CHECK(text_of(place / "file") == "new");
    CHECK_FALSE(fs::exists(place / "file.new"));
}

TEST_CASE("E.1 a file that cannot be replaced stays as it was") {
    const temporary_directory place;
    write_file(place / "file", "old");
    fs::create_directory(place / "file.new");
    const error failure = failure_of(replace_file(place.path(), "file", base::as_bytes("new")));
    CHECK(failure.code == errc::system_failed);
    CHECK(says(failure, place / "file.new"));
    CHECK(text_of(place / "file") == "old");
}

TEST_CASE("E.1 a full disk is a failure and not half a file") {
    const temporary_directory place;
    write_file(place / "file", "old");
    fs::create_symlink("/dev/full", place / "file.new");
    const error failure = failure_of(replace_file(place.path(), "file", base::as_bytes("new")));
    CHECK(failure.cause == std::errc::no_space_on_device);
    CHECK(text_of(place / "file") == "old");
}

TEST_CASE("a directory that is not there or not writable is a failure that names it") {
    const temporary_directory place;
    const error missing = failure_of(replace_file(place / "nowhere", "file", {}));
    CHECK(missing.cause == std::errc::no_such_file_or_directory);
    CHECK(says(missing, place / "nowhere"));

    fs::permissions(place.path(), fs::perms::others_read | fs::perms::others_exec);
    const auto end = test::in_child([&] {
        if (!test::become_ordinary_user()) {
            return 2;
        }
        const auto outcome = replace_file(place.path(), "file", {});
        return !outcome && outcome.error().cause == std::errc::permission_denied ? 0 : 1;
    });
    CHECK(end.exit_code == 0);
    fs::permissions(place.path(), fs::perms::owner_all);
}

} // namespace almenara::storage
