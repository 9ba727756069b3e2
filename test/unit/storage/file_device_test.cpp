#include "storage/file_device.hpp"

#include "storage/file_reader.hpp"
#include "support/results.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <filesystem>
#include <string>

#include <unistd.h>

/// What happens to real files.
namespace almenara::storage {

namespace {

namespace fs = std::filesystem;
using test::content_of;
using test::failure_of;
using test::says;
using test::temporary_directory;
using test::value_of;
using test::write_file;

constexpr core::file_name meta{.kind = core::file_kind::meta};
constexpr core::file_name fresh{.kind = core::file_kind::unfinished, .number = 1};
constexpr core::file_name spare{.kind = core::file_kind::blank_spare, .number = 1};
constexpr core::file_name first{.kind = core::file_kind::segment, .number = 1};
constexpr core::file_name second{.kind = core::file_kind::segment, .number = 2};

base::byte_vector blocks(std::size_t count, char of) {
    return base::byte_vector(count * core::block_size, static_cast<std::byte>(of));
}

struct stand {
    temporary_directory place;
    std::unique_ptr<device> disk = value_of(file_device::open_directory(place.path()));

    void execute(const core::device_operation& operation) {
        if (const auto done = disk->execute(operation); !done) {
            FAIL(done.error());
        }
    }
    [[nodiscard]] std::size_t open_files() const {
        return dynamic_cast<const file_device&>(*disk).open_files();
    }
};

} // namespace

TEST_CASE("E.3 a new file is full of zeros that were written") {
    stand s;
    constexpr std::uint64_t size = (std::uint64_t{3} << 20U) + core::block_size;
    s.execute(core::create_file{.file = fresh, .size = size});
    s.execute(core::sync_file{.file = fresh});
    const std::string path = s.place / "spare.0000000000000001.new";
    CHECK(content_of(path) == std::string(size, '\0'));
    CHECK((fs::status(path).permissions() & fs::perms::all) ==
          (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("E.3 a file that is being filled is given up when nobody waits for it any more") {
    stand s;
    s.disk->cut_short();
    const auto done = s.disk->execute(core::create_file{.file = fresh, .size = 1U << 20U});
    CHECK(says(failure_of(done), "filling"));
    CHECK(says(failure_of(done), "given up"));
    // A start removes what is left of it.
    CHECK(content_of(s.place / "spare.0000000000000001.new").size() < 1U << 20U);
}

TEST_CASE("a file is written under the name that it has by then") {
    stand s;
    s.execute(core::create_file{.file = fresh, .size = 8 * core::block_size});
    s.execute(core::write_blocks{.file = fresh, .offset = 0, .bytes = blocks(1, 'a')});
    s.execute(core::rename_file{.from = fresh, .to = first});
    s.execute(core::sync_directory{});
    s.execute(
        core::write_blocks{.file = first, .offset = 2 * core::block_size, .bytes = blocks(2, 'b')});
    s.execute(core::sync_file{.file = first});
    const std::string content = content_of(s.place / "log.0000000000000001");
    CHECK(content.size() == 8 * core::block_size);
    CHECK(content[0] == 'a');
    CHECK(content[core::block_size] == '\0');
    CHECK(content[4 * core::block_size - 1] == 'b');
    CHECK_FALSE(fs::exists(s.place / "spare.0000000000000001.new"));
}

TEST_CASE("only what is written stays open") {
    stand s;
    s.execute(core::create_file{.file = fresh, .size = core::block_size});
    CHECK(s.open_files() == 1);
    s.execute(core::rename_file{.from = fresh, .to = spare});
    CHECK(s.open_files() == 0);
    s.execute(core::write_blocks{.file = spare, .offset = 0, .bytes = blocks(1, 'a')});
    s.execute(core::rename_file{.from = spare, .to = first});
    s.execute(core::create_file{.file = fresh, .size = core::block_size});
    s.execute(core::rename_file{.from = fresh, .to = second});
    CHECK(s.open_files() == 1);
    s.execute(core::remove_file{.file = second});
    CHECK(s.open_files() == 0);
}

TEST_CASE("style 9 a failure says what was being done to which file") {
    stand s;
    const auto says_both = [&](const core::device_operation& operation, std::string_view what) {
        const error failure = failure_of(s.disk->execute(operation));
        CHECK(says(failure, what));
        CHECK(says(failure, s.place / "log.0000000000000001"));
        CHECK(failure.cause);
    };
    says_both(core::write_blocks{.file = first, .offset = 0, .bytes = blocks(1, 'a')}, "opening");
    says_both(core::rename_file{.from = first, .to = second}, "renaming");
    says_both(core::remove_file{.file = first}, "removing");
    s.execute(core::create_file{.file = first, .size = core::block_size});
    says_both(core::create_file{.file = first, .size = core::block_size}, "creating");
    CHECK(says(failure_of(file_device::open_directory(s.place / "nowhere")), "nowhere"));
}

TEST_CASE("of a directory only the log's own files are listed") {
    stand s;
    s.execute(core::create_file{.file = second, .size = 2 * core::block_size});
    s.execute(core::create_file{.file = meta, .size = core::block_size});
    write_file(s.place / "notes.txt", "mine");
    const auto found = value_of(s.disk->list());
    REQUIRE(found.size() == 2);
    CHECK(found[0].name == meta);
    CHECK(found[1].name == second);
    CHECK(found[1].size == 2 * core::block_size);
    fs::create_directory(s.place / "log.0000000000000007");
    CHECK(says(failure_of(s.disk->list()), "log.0000000000000007"));
}

TEST_CASE("E.1 a file is read past the cache, wherever its parts are") {
    const temporary_directory place;
    std::string text;
    for (std::size_t i = 0; i < (std::size_t{3} << 20U) + 777; ++i) {
        text.push_back(static_cast<char>(i * 31 + i / 4096));
    }
    write_file(place / "file", text);
    const auto where = GENERATE(read_from::medium, read_from::cache);
    const auto file = value_of(open_to_read(place / "file", where));
    CHECK(file->size() == text.size());
    const auto part = [&](std::uint64_t offset, std::size_t length) {
        base::byte_vector into(length);
        REQUIRE(file->read(offset, into));
        return base::as_text(into) == std::string_view{text}.substr(offset, length);
    };
    CHECK(part(0, core::block_size));
    CHECK(part(core::block_size, std::size_t{2} << 20U));
    CHECK(part(5, 1));
    CHECK(part(4095, 4098));
    CHECK(part(text.size() - 777, 777));
    CHECK(part(0, text.size()));
    base::byte_vector beyond(core::block_size);
    CHECK_FALSE(file->read(text.size() - 1, beyond));
}

TEST_CASE("E.1 a file system that does not read past its cache is still read") {
    if (!fs::exists("/dev/shm")) {
        WARN("there is no /dev/shm: not tested");
        return;
    }
    const std::string path = "/dev/shm/almenara-" + std::to_string(::getpid());
    write_file(path, std::string(8192, 'x'));
    const auto file = value_of(open_to_read(path, read_from::medium));
    base::byte_vector into(4096);
    CHECK(file->read(4096, into));
    CHECK(into.back() == std::byte{'x'});
    fs::remove(path);
}

} // namespace almenara::storage
