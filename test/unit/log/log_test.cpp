#include "log/log.hpp"

#include "support/child.hpp"
#include "support/lines.hpp"
#include "support/results.hpp"
#include "support/temporary_directory.hpp"
#include "support/wait.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/// There is one log in a process, and it writes to stderr: each case runs in a child of its own.
namespace almenara::log {

namespace {

namespace fs = std::filesystem;
using test::lines_of;
using test::says;
using test::temporary_directory;

/// What stands on stderr when this was logged.
std::string console(const options& wanted, const std::function<void()>& work) {
    const auto end = test::in_child([&] {
        if (!open(wanted)) {
            return 1;
        }
        work();
        close();
        return 0;
    });
    CAPTURE(end.errors);
    CHECK(end.exit_code == 0);
    CHECK(end.signal == 0);
    return end.errors;
}

constexpr std::array every_level{level::debug, level::info, level::notice, level::warning,
                                 level::error};

void say_on_every_level() {
    for (const level severity : every_level) {
        write(severity, to_string(severity));
    }
}

/// `12:34:56.789`
bool is_clock(std::string_view text) {
    constexpr std::string_view form = "00:00:00.000";
    return text.size() == form.size() &&
           std::equal(text.begin(), text.end(), form.begin(), [](char is, char like) {
               return like == '0' ? is >= '0' && is <= '9' : is == like;
           });
}

/// The log file and those that it was before, the oldest first.
std::vector<std::string> files_in(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory)) {
        names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace

TEST_CASE("log levels have names that are read again") {
    for (const level severity : every_level) {
        CHECK(test::value_of(parse_level(to_string(severity))) == severity);
    }
    for (const std::string_view text : {"", "Debug", "warn", "6", "info "}) {
        CHECK(says(test::failure_of(parse_level(text)), "use debug, info, notice, warning or"));
    }
}

TEST_CASE("log for the journal, each line begins with its priority") {
    CHECK(console({.lowest = level::debug}, say_on_every_level) ==
          "<7>debug\n<6>info\n<5>notice\n<4>warning\n<3>error\n");
}

TEST_CASE("log for people, each line begins with the time and the level") {
    const auto lines = lines_of(
        console({.lowest = level::debug, .console = console_style::human}, say_on_every_level));
    REQUIRE(lines.size() == every_level.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string name{to_string(every_level[i])};
        std::string expected = " " + name + std::string(7 - name.size(), ' ') + "  " + name;
        CHECK(is_clock(std::string_view{lines[i]}.substr(0, 12)));
        CHECK(lines[i].substr(12) == expected);
    }
}

TEST_CASE("log the style follows where stderr goes") {
    int outside = -1;
    int inside = -1;
    REQUIRE(::openpty(&outside, &inside, nullptr, nullptr, nullptr) == 0);
    const auto to_terminal = test::in_child([inside] {
        ::dup2(inside, STDERR_FILENO);
        return console_style_for_stderr() == console_style::human ? 0 : 1;
    });
    CHECK(to_terminal.exit_code == 0);
    ::close(outside);
    ::close(inside);
    const auto to_pipe =
        test::in_child([] { return console_style_for_stderr() == console_style::journal ? 0 : 1; });
    CHECK(to_pipe.exit_code == 0);
}

TEST_CASE("log only what is at least as bad as wanted is written, and that can change") {
    const std::string text = console({.lowest = level::warning}, [] {
        say_on_every_level();
        set_lowest(level::notice);
        notice("from {} on", "here");
        info("still not");
        set_lowest(level::error);
        warning("no more");
    });
    CHECK(text == "<4>warning\n<3>error\n<5>from here on\n");
}

TEST_CASE("log a level that nobody wants is known before anything is formatted") {
    const auto end = test::in_child([] {
        return open({.lowest = level::error}) && is_wanted(level::error) &&
                       !is_wanted(level::warning)
                   ? 0
                   : 1;
    });
    CHECK(end.exit_code == 0);
}

TEST_CASE("F a line of the log is one line, whatever a peer sent") {
    const std::string text = console({}, [] {
        info("name is {}", "evil\n<3>all is lost\r\x1b[2J\xff");
        write(level::info, std::string("nul\0nul", 7));
        info("Müller");
    });
    CHECK(text == "<6>name is evil\\n<3>all is lost\\r\\x1b[2J\\xff\n"
                  "<6>nul\\x00nul\n"
                  "<6>Müller\n");
}

TEST_CASE("log without being open, nothing is written and nothing breaks") {
    const auto end = test::in_child([] {
        error("nobody {}", "hears");
        close();
        return is_wanted(level::error) ? 1 : 0;
    });
    CHECK(end.exit_code == 0);
    CHECK(end.errors.empty());
}

TEST_CASE("log it can be closed and opened again") {
    const std::string text = console({}, [] {
        info("one");
        close();
        info("lost");
        close();
        if (open({.lowest = level::debug}) && open({.lowest = level::debug})) {
            debug("two");
        }
    });
    CHECK(text == "<6>one\n<7>two\n");
}

TEST_CASE("log a long line is written as a whole") {
    const std::string line(100'000, 'x');
    CHECK(console({}, [&] { write(level::info, line); }) == "<6>" + line + "\n");
}

TEST_CASE("log a file has the date, and goes on after a restart") {
    const temporary_directory place;
    const options wanted{.file = file_options{.path = place / "server.log"}};
    for (const std::string_view word : {"one", "two"}) {
        CHECK(console(wanted, [&] { write(level::notice, word); }) ==
              "<5>" + std::string{word} + "\n");
    }
    const auto lines = lines_of(test::content_of(place / "server.log"));
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].find("Z notice   one") == 24 - 1);
    CHECK(lines[1].substr(24) == " notice   two");
    CHECK(lines[1].substr(10, 1) == "T");
    CHECK(files_in(place.path()) == std::vector<std::string>{"server.log"});
}

TEST_CASE("log a file is rotated at its size, and so many are kept") {
    const temporary_directory place;
    constexpr std::size_t rotate_at = 10'000;
    const options wanted{
        .file = file_options{.path = place / "server.log", .rotate_at = rotate_at, .kept = 3}};
    console(wanted, [] {
        for (int i = 0; i < 2000; ++i) {
            info("line {:04}: some words that make it longer", i);
        }
    });
    const auto names = files_in(place.path());
    CHECK(names.size() == 4);
    CHECK(names.front() == "server.log");
    for (const std::string& name : names) {
        CHECK(fs::file_size(place / name) <= rotate_at);
        CHECK(name.find("server.log") == 0);
    }
    // The last lines are those that are kept, each of them once.
    int number = 2000;
    std::string all;
    for (auto name = names.begin() + 1; name != names.end(); ++name) {
        all += test::content_of(place / *name);
    }
    all += test::content_of(place / names.front());
    const auto lines = lines_of(all);
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        REQUIRE(line->find(fmt::format("line {:04}: ", --number)) != std::string::npos);
    }
}

TEST_CASE("log rotation goes on after a restart, and the kept ones are counted over both") {
    const temporary_directory place;
    const options wanted{
        .file = file_options{.path = place / "server.log", .rotate_at = 1000, .kept = 2}};
    for (int round = 0; round < 5; ++round) {
        console(wanted, [round] {
            for (int i = 0; i < 50; ++i) {
                info("round {}, line {}: some words that make it longer", round, i);
            }
        });
    }
    CHECK(files_in(place.path()).size() == 3);
    CHECK(test::content_of(place / "server.log").find("round 4, line 49") != std::string::npos);
}

TEST_CASE("log a file's name with a percent sign is refused, a directory's is just a name") {
    const temporary_directory place;
    const std::string directory = place / "100%N";
    fs::create_directory(directory);
    console({.file = file_options{.path = directory + "/server.log"}}, [] { info("hello"); });
    CHECK(test::content_of(directory + "/server.log").find("hello") != std::string::npos);

    // Boost.Log would write to another file than the one that was asked for.
    const auto end = test::in_child([&] {
        const auto opened = open({.file = file_options{.path = directory + "/%Y.log"}});
        return !opened && says(opened.error(), "percent sign") ? 0 : 1;
    });
    CHECK(end.exit_code == 0);
    CHECK(files_in(directory) == std::vector<std::string>{"server.log"});
}

TEST_CASE("log a file that cannot be written is refused at the start") {
    const temporary_directory place;
    const std::string path = place / "nowhere/server.log";
    const auto end = test::in_child([&] {
        const auto opened = open({.file = file_options{.path = path}});
        return !opened && says(opened.error(), "'" + path + "'") &&
                       opened.error().cause == std::errc::no_such_file_or_directory
                   ? 0
                   : 1;
    });
    CHECK(end.exit_code == 0);
    CHECK(end.errors.empty());
}

namespace {

/// In a child that is an ordinary user: logs to a file in a directory whose rights are those, and
/// then so many lines. What the child ends with, and what stood on its console.
test::child_end log_in_directory_with(fs::perms rights, int lines) {
    const temporary_directory place;
    fs::permissions(place.path(), fs::perms::all);
    return test::in_child([&] {
        const std::string directory = place / "logs";
        const std::string path = directory + "/server.log";
        if (!test::become_ordinary_user() || !fs::create_directory(directory)) {
            return 2;
        }
        test::write_file(path, "the log of yesterday\n");
        fs::permissions(directory, rights);
        const auto opened = open({.file = file_options{.path = path, .rotate_at = 1000}});
        for (int i = 0; i < lines; ++i) {
            info("line {}: some words that make it longer", i);
        }
        close();
        fs::permissions(directory, fs::perms::owner_all);
        if (!opened) {
            std::fprintf(stderr, "%s\n", opened.error().message().c_str());
            return 1;
        }
        return 0;
    });
}

} // namespace

TEST_CASE("004 a log file that can no longer be rotated ends nobody, and is said once") {
    const auto end = log_in_directory_with(fs::perms::owner_read | fs::perms::owner_exec, 100);
    CAPTURE(end.errors);
    CHECK(end.signal == 0);
    CHECK(end.exit_code == 0);
    CHECK(end.errors.find("<6>line 99: ") != std::string::npos);
    const std::string said = "<3>the log file cannot be written";
    const auto first = end.errors.find(said);
    REQUIRE(first != std::string::npos);
    CHECK(end.errors.find("Permission denied", first) != std::string::npos);
    CHECK(end.errors.find(said, first + 1) == std::string::npos);
}

TEST_CASE("log a directory whose rotated files cannot be counted is refused at the start") {
    const auto end = log_in_directory_with(fs::perms::owner_write | fs::perms::owner_exec, 0);
    CAPTURE(end.errors);
    CHECK(end.exit_code == 1);
    CHECK(end.errors.find("opening the log file '") == 0);
    CHECK(end.errors.find("Permission denied") != std::string::npos);
}

TEST_CASE("log a pipe or a device is refused as a log file, without waiting for a reader") {
    const temporary_directory place;
    REQUIRE(::mkfifo((place / "pipe").c_str(), 0600) == 0);
    for (const std::string& path : {place / "pipe", std::string{"/dev/null"}}) {
        const auto failure = test::failure_of(open({.file = file_options{.path = path}}));
        CHECK(failure.message() == "opening the log file '" + path +
                                       "': it is a pipe or a device. Give a regular file, or the "
                                       "path of a new one");
    }
}

TEST_CASE("004 a full disk under the log file ends nobody") {
    const temporary_directory place;
    const options wanted{.file = file_options{.path = place / "server.log"}};
    const auto lines = lines_of(console(wanted, [] {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit nearly_nothing{.rlim_cur = 100, .rlim_max = 100};
        ::setrlimit(RLIMIT_FSIZE, &nearly_nothing);
        for (int i = 0; i < 100; ++i) {
            info("line {}", i);
        }
    }));
    CHECK(std::count(lines.begin(), lines.end(), "<6>line 99") == 1);
}

namespace {

/// A stderr that nobody reads until somebody does.
class stuck_stderr {
  public:
    stuck_stderr() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            throw std::runtime_error("no pipe");
        }
        reading_ = ends[0];
        ::dup2(ends[1], STDERR_FILENO);
        ::close(ends[1]);
    }
    ~stuck_stderr() { finish(); }
    stuck_stderr(const stuck_stderr&) = delete;
    stuck_stderr& operator=(const stuck_stderr&) = delete;

    void is_read_now() {
        reader_ = std::thread{[this] {
            std::array<char, 65536> chunk{};
            for (ssize_t got = 0; (got = ::read(reading_, chunk.data(), chunk.size())) > 0;) {
                const std::lock_guard lock{mutex_};
                text_.append(chunk.data(), static_cast<std::size_t>(got));
            }
        }};
    }

    /// Whether whoever asks poll() before each write has to wait: the last page is begun.
    [[nodiscard]] bool is_full() const {
        int waiting = 0;
        return ::ioctl(reading_, FIONREAD, &waiting) == 0 &&
               waiting > ::fcntl(reading_, F_GETPIPE_SZ) - 2 * 4096;
    }

    [[nodiscard]] bool shows(std::string_view words) {
        const std::lock_guard lock{mutex_};
        return text_.find(words) != std::string::npos;
    }

    /// Everything that was ever written; stderr is no more.
    std::string finish() {
        if (reader_.joinable()) {
            ::close(STDERR_FILENO);
            reader_.join();
        }
        return text_;
    }

  private:
    int reading_ = -1;
    std::thread reader_;
    std::mutex mutex_;
    std::string text_;
};

/// How many lines the log itself says it has dropped.
std::size_t told_as_dropped(const std::vector<std::string>& lines) {
    std::size_t dropped = 0;
    for (const std::string& line : lines) {
        if (line.find(" log lines were dropped") != std::string::npos) {
            dropped += std::strtoul(line.c_str() + 3, nullptr, 10);
        }
    }
    return dropped;
}

std::size_t lines_with(const std::vector<std::string>& lines, std::string_view words) {
    return static_cast<std::size_t>(
        std::count_if(lines.begin(), lines.end(), [words](const std::string& line) {
            return line.find(words) != std::string::npos;
        }));
}

} // namespace

TEST_CASE("log last words are written past the queue, if there is room for them") {
    const auto end = test::in_child([] {
        if (!open({})) {
            return 1;
        }
        last_words(level::warning, "leaving\tat once");
        last_words(level::debug, "not wanted");
        std::_Exit(0); // As those do who say last words.
    });
    CHECK(end.exit_code == 0);
    CHECK(end.errors == "<4>leaving\\tat once\n");
}

TEST_CASE("log last words wait for nobody") {
    const auto end = test::in_child([] {
        stuck_stderr console;
        if (!open({})) {
            return 1;
        }
        constexpr std::size_t flood = 30'000;
        for (std::size_t i = 0; i < flood; ++i) {
            info("flood {:040}", i);
        }
        const bool is_full = test::comes_true([&] { return console.is_full(); }, test::patience);
        const auto began = std::chrono::steady_clock::now();
        last_words(level::warning, "leaving at once");
        const auto took = std::chrono::steady_clock::now() - began;
        std::_Exit(is_full && took < std::chrono::milliseconds{500} ? 0 : 3);
    });
    CHECK(end.exit_code == 0);
}

TEST_CASE("004 lines that come too fast are dropped, and exactly so many are told") {
    constexpr std::size_t flood = 30'000;
    const auto end = test::in_child([] {
        stuck_stderr console;
        if (!open({})) {
            return 1;
        }
        for (std::size_t i = 0; i < flood; ++i) {
            info("flood {:040}", i);
        }
        // Nobody waited. Now somebody reads, and what was lost is told with the next line.
        console.is_read_now();
        std::size_t knocks = 0;
        const bool told = test::comes_true(
            [&] {
                info("knock");
                ++knocks;
                return console.shows("log lines were dropped");
            },
            test::patience);
        close();
        const auto lines = lines_of(console.finish());
        const bool all_told =
            lines_with(lines, "flood") + lines_with(lines, "knock") + told_as_dropped(lines) ==
            flood + knocks;
        return told && all_told && told_as_dropped(lines) > 0 ? 0 : 3;
    });
    CHECK(end.exit_code == 0);
    CHECK(end.signal == 0);
}

TEST_CASE("10 a console that nobody reads holds up no end, and the exit code stays") {
    const bool is_terminal = GENERATE(false, true);
    CAPTURE(is_terminal);
    const auto end = test::in_child([&] {
        // Both ends stay open, so that nobody reads and yet somebody could.
        std::array<int, 2> ends{};
        const bool made = is_terminal
                              ? ::openpty(ends.data(), &ends[1], nullptr, nullptr, nullptr) == 0
                              : ::pipe(ends.data()) == 0;
        if (!made || ::dup2(ends[1], STDERR_FILENO) < 0 || !open({})) {
            return 1;
        }
        const std::string line(1000, 'x');
        for (int i = 0; i < 1000; ++i) {
            write(level::error, line);
        }
        close();
        return 42;
    });
    CHECK(end.signal == 0);
    CHECK(end.exit_code == 42);
}

TEST_CASE("10 at the end, a console that is read slowly still gets every line") {
    const auto end = test::in_child([] {
        stuck_stderr console;
        if (!open({})) {
            return 1;
        }
        for (int i = 0; i < 2000; ++i) {
            info("line {:0100}", i);
        }
        // The pipe holds less than this: the log stands before a full one, and then somebody reads.
        std::thread late{[&] {
            if (test::comes_true([&] { return console.is_full(); }, test::patience)) {
                console.is_read_now();
            }
        }};
        close();
        late.join();
        const auto lines = lines_of(console.finish());
        return lines_with(lines, "<6>line ") == 2000 ? 0 : 3;
    });
    CHECK(end.exit_code == 0);
}

TEST_CASE("log the descriptor of stderr is left as it was for those who share it") {
    const auto end = test::in_child([] {
        const int before = ::fcntl(STDERR_FILENO, F_GETFL);
        if (!open({})) {
            return 1;
        }
        info("hello");
        close();
        return ::fcntl(STDERR_FILENO, F_GETFL) == before ? 0 : 3;
    });
    CHECK(end.exit_code == 0);
    CHECK(end.errors == "<6>hello\n");
}

} // namespace almenara::log
