#include "shell/history_file.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <string>
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

TEST_CASE("without a place a history is kept in memory, and says why once") {
    std::optional<std::string> path;
    SECTION("no home") {
        path = std::nullopt;
    }
    SECTION("nothing can be made there") {
        path = "/proc/almenara/history";
    }
    SECTION("it is a directory") {
        path = "/proc";
    }
    history_file file{path};
    CHECK(file.add("status"));
    CHECK(file.history().lines() == lines{"status"});
    const auto trouble = file.take_trouble();
    REQUIRE(trouble.has_value());
    CHECK(trouble->starts_with("the history is not kept: "));
    CHECK_FALSE(file.take_trouble().has_value());
}
