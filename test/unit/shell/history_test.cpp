#include "shell/history_file.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

using namespace almenara;
using namespace almenara::cli;

namespace {

using lines = std::vector<std::string>;

unsigned mode_of(const std::string& path) {
    struct ::stat about{};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    return about.st_mode & 0777U;
}

constexpr std::string_view no_file =
    "it is no regular file. Remove it, or let XDG_STATE_HOME name another directory";

} // namespace

TEST_CASE("a history has each line once, where it was typed last") {
    line_history history;
    for (const std::string line : {"one", "two", "one", "", "  ", " secret", "\t"}) {
        history.add(line);
    }
    CHECK(history.lines() == lines{"two", "one"});
    for (std::size_t i = 0; i < line_history::most_lines; ++i) {
        history.add(std::to_string(i));
    }
    CHECK(history.lines().size() == line_history::most_lines);
    CHECK(history.lines().front() == "0");
}

TEST_CASE("a history keeps no line that is as long as a value") {
    line_history history;
    CHECK(history.add(std::string(line_history::longest_line, 'x')));
    CHECK_FALSE(history.add(std::string(line_history::longest_line + 1, 'x')));
    CHECK(history.lines().size() == 1);
}

TEST_CASE("a history is kept in a file that only its owner reads") {
    const test::temporary_directory home;
    const std::string path = home / "state/almenara/history";
    {
        history_file file{path};
        CHECK(file.history().lines().empty());
        CHECK(file.add("kv put a 1"));
        CHECK_FALSE(file.add(" kv put secret 1"));
        CHECK(file.add("status"));
        CHECK_FALSE(file.take_trouble());
    }
    CHECK(mode_of(path) == 0600U);
    CHECK(mode_of(home / "state/almenara") == 0700U);
    CHECK(mode_of(home / "state") == 0700U);
    CHECK(history_file{path}.history().lines() == lines{"kv put a 1", "status"});
}

TEST_CASE("what two shells type is in the next one's history") {
    const test::temporary_directory home;
    const std::string path = home / "history";
    history_file one{path};
    history_file other{path};
    one.add("status");
    other.add("ping");
    one.add("whoami");
    CHECK(history_file{path}.history().lines() == lines{"status", "ping", "whoami"});
}

TEST_CASE("a line is never joined to one whose end is missing") {
    const test::temporary_directory home;
    const std::string path = home / "history";
    test::write_file(path, "kv get tail");
    {
        history_file file{path};
        CHECK(file.add("kv get a"));
        test::write_file(path, "kv get a\nkv ge"); // Another shell's disk was full.
        CHECK(file.add("kv get b"));
    }
    CHECK(history_file{path}.history().lines() == lines{"kv get a", "kv ge", "kv get b"});
}

TEST_CASE("a history that has grown is tidied up when a shell begins") {
    const test::temporary_directory home;
    const std::string path = home / "history";
    std::string text;
    for (std::size_t i = 0; i <= 2 * line_history::most_lines; ++i) {
        text += "line " + std::to_string(i) + "\n";
    }
    test::write_file(path, text);
    const history_file file{path};
    CHECK(file.history().lines().size() == line_history::most_lines);
    const std::string kept = test::content_of(path);
    CHECK(kept.starts_with("line 1001\n"));
    CHECK(kept.ends_with("line 2000\n"));
    CHECK(mode_of(path) == 0600U);
}

TEST_CASE("a link that is put in a history's place later is not followed") {
    const test::temporary_directory home;
    const std::string path = home / "history";
    history_file file{path};
    test::write_file(home / "other", "");
    std::filesystem::remove(path);
    std::filesystem::create_symlink(home / "other", path);
    CHECK(file.add("status"));
    CHECK(test::content_of(home / "other").empty());
    CHECK(file.take_trouble().has_value());
}

TEST_CASE("without a place a history is kept in memory, and says why once") {
    const test::temporary_directory home;
    std::optional<std::string> path = home / "history";
    std::string why;
    SECTION("no home") {
        path = std::nullopt;
        why = "neither XDG_STATE_HOME nor HOME names a directory. Set one of them";
    }
    SECTION("nothing can be made there") {
        path = "/proc/almenara/history";
        why = "making the directory '/proc/almenara': No such file or directory. Let "
              "XDG_STATE_HOME name another directory";
    }
    SECTION("it is a directory") {
        std::filesystem::create_directory(*path);
        why = no_file;
    }
    SECTION("it is a pipe, to which nobody writes") {
        REQUIRE(::mkfifo(path->c_str(), 0600) == 0);
        why = no_file;
    }
    SECTION("it is a link to another file") {
        test::write_file(home / "other", "");
        std::filesystem::create_symlink(home / "other", *path);
        why = no_file;
    }
    SECTION("it is longer than any history") {
        test::write_file(*path, "");
        std::filesystem::resize_file(*path, std::uintmax_t{1} << 30U);
        why = "it is longer than 16777216 bytes. Remove it, or let XDG_STATE_HOME name another "
              "directory";
    }
    SECTION("others may write beside it") {
        std::filesystem::permissions(home.path(), std::filesystem::perms::all);
        why = "others may use it (mode 0777). Let only yourself use it (chmod 700), or let "
              "XDG_STATE_HOME name another directory";
    }
    SECTION("a link leads to its directory") {
        std::filesystem::create_directory(home / "there");
        std::filesystem::create_directory_symlink(home / "there", home / "link");
        path = home / "link/history";
        why = "it is no directory. Let only yourself use it (chmod 700), or let XDG_STATE_HOME "
              "name another directory";
    }
    history_file file{path};
    CHECK(file.add("status"));
    CHECK(file.history().lines() == lines{"status"});
    const auto trouble = file.take_trouble();
    REQUIRE(trouble.has_value());
    CHECK(trouble->starts_with("the history is not kept: "));
    CHECK(trouble->ends_with(why));
    CHECK_FALSE(file.take_trouble().has_value());
}
