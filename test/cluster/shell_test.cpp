#include "cluster/client_program.hpp"
#include "cluster/cluster.hpp"
#include "support/terminal_program.hpp"
#include "support/wait.hpp"

#include <catch2/catch_all.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <sys/stat.h>

using namespace almenara;
using namespace almenara::test;

// The shell as a person has it: a terminal, keys, and what is to be seen there.

namespace {

constexpr std::string_view tab = "\t";
constexpr std::string_view enter = "\r";
constexpr std::string_view ctrl_c = "\x03";
constexpr std::string_view ctrl_d = "\x04";
constexpr std::string_view ctrl_r = "\x12";
constexpr std::string_view ctrl_z = "\x1a";
constexpr std::string_view up = "\x1b[A";

/// Somebody's home and servers. Each shell that is opened there has the same history.
class desk {
  public:
    explicit desk(std::size_t servers = 1) : all({.servers = servers}) {
        all.start_all();
        office = all.wait_until_in_sync();
    }

    [[nodiscard]] program shell(std::vector<std::string> options = {}) const {
        program what{.words = {ALMENARA_CLIENT, "--plaintext", "-u", "anna"}};
        const auto servers = naming(all.addresses());
        what.words.insert(what.words.end(), servers.begin(), servers.end());
        what.words.insert(what.words.end(), options.begin(), options.end());
        what.environment = {{"TERM", "xterm"},
                            {"LC_ALL", "C.UTF-8"},
                            {"HOME", home.path()},
                            {"XDG_STATE_HOME", home / "state"}};
        return what;
    }
    [[nodiscard]] std::string history() const { return home / "state/almenara/history"; }

    temporary_directory home;
    cluster all;
    cluster::office office;
};

/// A shell that has greeted.
class person : public terminal_program {
  public:
    explicit person(const desk& at, terminal_screen::size size = {}) : person(at.shell(), size) {}
    explicit person(const program& what, terminal_screen::size size = {})
        : terminal_program(what, size) {
        wait_for_line("almenara>");
    }

    void wait_for_lines(std::size_t count, std::string_view beginning) {
        eventually([&] { return lines_with(beginning) == count; },
                   std::string{"so many lines began with "} + std::string{beginning});
    }
    void run(std::string_view line) {
        type(line);
        type(enter);
    }
    void leave() {
        type(ctrl_d);
        CHECK(wait() == good_exit);
        CHECK(is_as_before());
    }
};

/// 0: nobody shows that.
int number_behind(const terminal_screen& screen, std::string_view text) {
    for (const std::string& line : screen.lines()) {
        if (const auto place = line.find(text); place != std::string::npos) {
            return std::stoi(line.substr(place + text.size()));
        }
    }
    return 0;
}

} // namespace

TEST_CASE("a shell at a terminal runs what is typed, and Ctrl-D leaves it with a goodbye") {
    desk here;
    person anna{here};
    anna.wait_for("'help' shows what can be done");
    anna.run("kv put colour 'dark blue'");
    anna.wait_for("index ");
    anna.run("kv get colour");
    anna.wait_for_lines(1, "dark blue");
    anna.run("kv get shape");
    anna.wait_for("almenara: kv get shape: there is no such key.");
    CHECK(anna.screen().takes_pastes());
    anna.leave();
    CHECK_FALSE(anna.screen().takes_pastes());
}

TEST_CASE("Tab completes verbs, options and keys that only the servers know") {
    desk here;
    person anna{here};
    anna.run("kv put fruit/apple 1");
    anna.run("kv put fruit/pear 2");
    anna.run("kv put 'my key' 3");
    anna.wait_for_lines(3, "index ");
    anna.type("clu");
    anna.type(tab);
    anna.wait_for_line("almenara> cluster");
    anna.type("tr");
    anna.type(tab);
    anna.wait_for_line("almenara> cluster transfer");
    anna.type(ctrl_c);
    anna.wait_for_line("almenara>");
    anna.type("kv list --va");
    anna.type(tab);
    anna.wait_for_line("almenara> kv list --values");
    anna.type(ctrl_c);
    anna.wait_for_line("almenara>");
    anna.type("kv get fr");
    anna.type(tab);
    anna.wait_for_line("almenara> kv get fruit/");
    anna.type(tab);
    anna.wait_for("fruit/apple  fruit/pear");
    anna.wait_for_line("almenara> kv get fruit/");
    anna.type("p");
    anna.type(tab);
    anna.wait_for_line("almenara> kv get fruit/pear");
    anna.type(ctrl_c);
    anna.wait_for_line("almenara>");
    anna.type("kv get my");
    anna.type(tab);
    anna.wait_for_line("almenara> kv get 'my key'");
    anna.type(enter);
    anna.wait_for_lines(1, "3");
    anna.leave();
}

TEST_CASE("Tab does not take the keys of one page for all keys") {
    desk here;
    // Two of these values fill a page.
    const std::string large(120'000, 'x');
    for (const std::string key : {"img1", "img10", "img2"}) {
        const auto put = almenara_says(
            {"-s", here.all.address(server_id{1}), "-u", "anna", "kv", "put", key, large});
        REQUIRE(put.status == good_exit);
    }
    person anna{here};
    anna.run("kv put other 1"); // A shell that is not connected yet completes nothing.
    anna.wait_for_lines(1, "index ");
    anna.type("kv rm im");
    anna.type(tab);
    anna.wait_for_line("almenara> kv rm img");
    anna.type(tab);
    anna.wait_for("img1   img10  img2");
    anna.wait_for_line("almenara> kv rm img");
    anna.type(ctrl_c);
    anna.wait_for_line("almenara>");
    anna.leave();
}

TEST_CASE("what was typed is there again in the next shell, and nobody else can read it") {
    desk here;
    {
        person anna{here};
        anna.run("kv put first 1");
        anna.run(" kv put secret 2");
        anna.run("kv put Größe 3");
        anna.wait_for_lines(3, "index ");
        anna.leave();
    }
    struct ::stat about{};
    REQUIRE(::stat(here.history().c_str(), &about) == 0);
    CHECK((about.st_mode & 0777U) == 0600U);
    CHECK(content_of(here.history()) == "kv put first 1\nkv put Größe 3\n");
    REQUIRE(::stat((here.home / "state/almenara").c_str(), &about) == 0);
    CHECK((about.st_mode & 0777U) == 0700U);
    person anna{here};
    anna.type(up);
    anna.wait_for_line("almenara> kv put Größe 3");
    anna.type(up);
    anna.wait_for_line("almenara> kv put first 1");
    anna.type(ctrl_c);
    anna.wait_for_line("almenara>");
    anna.leave();
}

TEST_CASE("a shell without a place for its history works, and says so once") {
    desk here;
    program what = here.shell();
    SECTION("no home") {
        what.environment["HOME"] = "";
        what.environment["XDG_STATE_HOME"] = "";
    }
    SECTION("no directory can be made there") {
        what.environment["XDG_STATE_HOME"] = "/proc";
    }
    person anna{what};
    anna.wait_for("almenara: the history is not kept: ");
    anna.run("kv put first 1");
    anna.wait_for("index ");
    anna.type(up);
    anna.wait_for_line("almenara> kv put first 1");
    CHECK(anna.lines_with("almenara: the history is not kept: ") == 1);
    anna.type(ctrl_c);
    anna.wait_for_line("almenara>");
    anna.leave();
}

TEST_CASE("a shell reads no settings and no history that have no end, and says so once") {
    desk here;
    program what = here.shell();
    const auto pipe_at = [](const std::string& path) {
        REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    };
    std::string told = "almenara: the line editor's settings are not read: ";
    SECTION("a pipe as ~/.editrc") {
        pipe_at(here.home / ".editrc");
    }
    SECTION("a device as EDITRC") {
        what.environment["EDITRC"] = "/dev/zero";
    }
    SECTION("a pipe as the history") {
        std::filesystem::create_directories(here.home / "state");
        REQUIRE(::mkdir((here.home / "state/almenara").c_str(), 0700) == 0);
        pipe_at(here.history());
        told = "almenara: the history is not kept: ";
    }
    person anna{what, {.rows = 24, .columns = 200}};
    anna.wait_for(": it is no regular file. ");
    anna.run("kv put first 1");
    anna.wait_for("index ");
    anna.wait_for_line("almenara>");
    CHECK(anna.lines_with(told) == 1);
    anna.leave();
}

TEST_CASE("a line that comes meanwhile leaves what is being typed whole") {
    desk here{3};
    person anna{here, {.rows = 24, .columns = 40}};
    anna.run("kv put colour blue");
    anna.wait_for("index ");
    anna.wait_for_line("almenara>");
    // Longer than the window is wide: the cursor is in its second row.
    anna.type("kv put sentence 'one that is long enough'");
    anna.wait_for_line("ong enough'");
    here.all.kill({here.office.primary});
    anna.wait_for("reconnected to server ");
    anna.wait_for_line("ong enough'");
    CHECK(anna.lines_with("almenara> kv put sentence 'one that is l") == 1);
    CHECK(anna.lines_with("primary lost; holding 0 operations...") == 1);
    anna.type(enter);
    anna.wait_for_lines(2, "index ");
    anna.leave();
}

TEST_CASE("a line that comes in the middle of a search leaves it whole, and it goes on") {
    desk here{3};
    person anna{here};
    anna.run("kv put colour blue");
    anna.run("kv put shape round");
    anna.wait_for_lines(2, "index ");
    anna.wait_for_line("almenara>");
    anna.type(ctrl_r);
    anna.type("col");
    anna.wait_for_line("almenara> kv put colour blue");
    anna.wait_for("bck:col");
    here.all.kill({here.office.primary});
    anna.wait_for("reconnected to server ");
    anna.wait_for_line("almenara> kv put colour blue");
    CHECK(anna.lines_with("bck:col") == 1);
    anna.type("o");
    anna.wait_for("bck:colo");
    anna.type(enter);
    anna.wait_for_lines(3, "index ");
    anna.leave();
}

TEST_CASE("what is pasted runs when Enter is pressed, line by line") {
    desk here;
    person anna{here};
    anna.paste("kv put a 1\nkv put b 2\n");
    anna.wait_for_line("kv put b 2");
    CHECK(anna.lines_with("index ") == 0);
    anna.type(enter);
    anna.wait_for_lines(2, "index ");
    anna.run("kv get b");
    anna.wait_for_lines(1, "2");
    anna.type(up);
    anna.wait_for_line("almenara> kv get b");
    anna.type(up);
    anna.wait_for_line("almenara> kv put b 2");
    anna.type(ctrl_c);
    anna.wait_for_line("almenara>");
    anna.leave();
}

TEST_CASE("the largest value can be pasted") {
    desk here;
    person anna{here};
    anna.paste("kv put big " + std::string(250'000, 'x') + "y");
    anna.wait_for("xxy");
    anna.type(enter);
    anna.wait_for("index ");
    anna.wait_for_line("almenara>");
    anna.run("kv add big 1");
    anna.wait_for("almenara: kv add big: ");
    anna.leave();
}

TEST_CASE("a paste that is too long is dropped as a whole, and a line says so") {
    desk here;
    person anna{here};
    anna.run("kv put colour blue");
    anna.wait_for("index ");
    anna.wait_for_line("almenara>");
    anna.type("kv get col");
    anna.wait_for_line("almenara> kv get col");
    anna.paste("\nkv put pasted 1\nkv put a " + std::string(1U << 20U, 'x'));
    anna.wait_for_lines(1, "almenara: what was pasted has more than 1 MiB");
    anna.wait_for_line("almenara> kv get col");
    anna.run("our");
    anna.wait_for_lines(1, "blue");
    anna.run("kv get pasted");
    anna.wait_for("almenara: kv get pasted: there is no such key.");
    anna.leave();
}

TEST_CASE("nothing of a paste runs in which there is a Ctrl-C") {
    desk here;
    person anna{here};
    SECTION("at once") {
        anna.type("\x1b[200~abc\x03kv put pasted 1\nkv put pasted 2\r");
    }
    SECTION("in pieces") {
        anna.type("\x1b[200~abc");
        anna.type("\x03kv put pasted 1\nkv put pasted 2\r");
    }
    SECTION("with its end") {
        anna.type("\x1b[200~abc\x03kv put pasted 1\nkv put pasted 2\r\x1b[201~");
    }
    SECTION("behind what was typed") {
        anna.type("kv put\x1b[200~ pasted 1\n\x03 2\r\x1b[201~");
    }
    anna.wait_for("^C");
    anna.wait_for_line("almenara>");
    anna.run("kv put behind 1");
    anna.wait_for("index ");
    anna.run("kv get pasted");
    anna.wait_for("almenara: kv get pasted: there is no such key.");
    CHECK(anna.lines_with("index ") == 1);
    anna.leave();
}

TEST_CASE("the key that quits is left out of a paste, and typed it leaves the shell") {
    desk here;
    person anna{here};
    anna.type("kv put colour ");
    anna.wait_for_line("almenara> kv put colour");
    anna.paste("bl\x1cue");
    anna.wait_for_line("almenara> kv put colour blue");
    anna.type(enter);
    anna.wait_for("index ");
    anna.wait_for_line("almenara>");
    anna.type("half a li");
    anna.wait_for_line("almenara> half a li");
    anna.type("\x1c\x15kv put behind 1\r");
    CHECK(anna.wait() == exit_status{.code = 130});
    CHECK(anna.is_as_before());
    CHECK_FALSE(anna.screen().takes_pastes());
    CHECK(anna.lines_with("index ") == 1);
}

TEST_CASE("Ctrl-C ends a paste whose end never comes, and keys are keys again") {
    desk here;
    person anna{here};
    // More than the system holds: the shell has read the beginning.
    anna.type("\x1b[200~" + std::string(200'000, 'x'));
    anna.type(ctrl_c);
    anna.wait_for("Ctrl-C again leaves");
    anna.wait_for_line("almenara>");
    SECTION("Enter") {
        anna.run("kv put colour blue");
        anna.wait_for("index ");
        anna.leave();
    }
    SECTION("Ctrl-D") {
        anna.leave();
    }
    SECTION("Ctrl-C") {
        anna.type(ctrl_c);
        CHECK(anna.wait() == exit_status{.code = 130});
        CHECK(anna.is_as_before());
    }
}

TEST_CASE("Ctrl-C at the prompt clears the line, and again leaves") {
    desk here;
    person anna{here};
    anna.type("kv put colour");
    anna.wait_for_line("almenara> kv put colour");
    anna.type(ctrl_c);
    anna.wait_for("almenara> kv put colour^C");
    anna.wait_for_line("almenara>");
    SECTION("whoever types goes on") {
        anna.run("kv put colour blue");
        anna.wait_for("index ");
        anna.type(ctrl_c);
        anna.wait_for("Ctrl-C again leaves");
        anna.wait_for_line("almenara>");
        anna.leave();
    }
    SECTION("again") {
        anna.type(ctrl_c);
        CHECK(anna.wait() == exit_status{.code = 130});
        CHECK(anna.is_as_before());
    }
}

TEST_CASE("Ctrl-C gives up a command that waits, and the shell goes on") {
    desk here{3};
    person anna{here};
    anna.run("kv put colour blue");
    anna.wait_for("index ");
    for (const server_id id : here.all.ids()) {
        here.all.pause(id);
    }
    anna.run("kv put colour red");
    anna.wait_for("waiting for ");
    anna.type(ctrl_c);
    anna.wait_for("interrupted, and it may have happened or happen yet.");
    anna.wait_for_line("almenara>");
    CHECK(anna.lines_with("waiting for ") == 0);
    for (const server_id id : here.all.ids()) {
        here.all.resume(id);
    }
    anna.run("kv put shape round");
    anna.wait_for_lines(2, "index ");
    anna.leave();
}

TEST_CASE("a demo's server that ends by itself leaves what is being typed whole") {
    temporary_directory home;
    person anna{{.words = {ALMENARA_CLIENT, "demo", "--servers", "1"},
                 .environment = {{"TERM", "xterm"},
                                 {"LC_ALL", "C.UTF-8"},
                                 {"HOME", home.path()},
                                 {"TMPDIR", home.path()},
                                 {"XDG_STATE_HOME", home / "state"}}}};
    anna.run("servers");
    anna.wait_for(": runs, process ");
    anna.wait_for_line("almenara>");
    const int server = number_behind(anna.screen(), ": runs, process ");
    REQUIRE(server > 0);
    anna.type("kv put colour");
    anna.wait_for_line("almenara> kv put colour");
    REQUIRE(::kill(server, SIGKILL) == 0);
    anna.wait_for_lines(1, "server 1: signal 9 ended it, see ");
    anna.wait_for_line("almenara> kv put colour");
    anna.type(ctrl_c);
    anna.wait_for_line("almenara>");
    anna.leave();
}

TEST_CASE("in a narrow window what is told of a wait is gone when the wait is over") {
    desk here;
    person anna{here, {.rows = 24, .columns = 20}};
    here.all.pause(here.office.primary);
    anna.run("kv get colour");
    anna.wait_for("waiting for ");
    eventually([&] { return anna.screen().cursor_line().starts_with("waiting for "); },
               "it stands in one line");
    here.all.resume(here.office.primary);
    anna.wait_for("shows the keys");
    anna.wait_for_line("almenara>");
    CHECK(anna.lines_with("waiting for ") == 0);
    anna.leave();
}

TEST_CASE("a window that changes its size wraps the line anew") {
    desk here;
    person anna{here};
    anna.type("kv put a ");
    anna.wait_for_line("almenara> kv put a");
    anna.resize({.rows = 24, .columns = 30});
    anna.type("'0123456789 0123456789'");
    anna.wait_for_line(" 0123456789'");
    anna.type(enter);
    anna.wait_for("index ");
    anna.run("kv get a");
    anna.wait_for_lines(1, "0123456789 0123456789");
    anna.leave();
}

TEST_CASE("Ctrl-Z gives the terminal back, and fg goes on in the line that was typed") {
    desk here;
    person anna{here};
    anna.type("kv put colour bl");
    anna.wait_for_line("almenara> kv put colour bl");
    anna.type(ctrl_z);
    eventually([&] { return anna.is_stopped(); }, "the shell stopped");
    CHECK(anna.is_as_before());
    CHECK_FALSE(anna.screen().takes_pastes());
    anna.send(SIGCONT);
    eventually([&] { return anna.screen().takes_pastes(); }, "the shell went on");
    anna.type("ue");
    anna.wait_for_line("almenara> kv put colour blue");
    anna.type(enter);
    anna.wait_for("index ");
    anna.leave();
}

TEST_CASE("a table fits the window") {
    desk here{3};
    person anna{here, {.rows = 24, .columns = 70}};
    anna.run("status");
    anna.wait_for("answered by server ");
    anna.wait_for_line("almenara>");
    CHECK(anna.lines_with("SERVER  ADDRESS ") == 1);
    for (const std::string id :
         {"1       127.0.0.1:", "2       127.0.0.1:", "3       127.0.0.1:"}) {
        CHECK(anna.lines_with(id) == 1);
    }
    anna.leave();
}

TEST_CASE("the terminal is as before on every way out") {
    desk here;
    person anna{here};
    anna.type("half a li");
    anna.wait_for_line("almenara> half a li");
    CHECK_FALSE(anna.is_as_before());
    const int signal = GENERATE(SIGTERM, SIGHUP, SIGQUIT);
    anna.send(signal);
    CHECK(anna.wait() == exit_status{.code = 130});
    CHECK(anna.is_as_before());
    CHECK_FALSE(anna.screen().takes_pastes());
}

TEST_CASE("a terminal that takes nothing does not stop the connection") {
    desk here;
    person anna{here, {.rows = 200, .columns = 80}};
    const auto elsewhere = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"-s", here.all.address(server_id{1}), "-u", "anna", "kv"});
        return almenara_says(words).status == good_exit;
    };
    CHECK(elsewhere({"put", "big", std::string(100'000, 'x')}));
    std::string lines;
    for (int i = 0; i < 150; ++i) {
        lines += "kv get big\n";
    }
    anna.paste(lines + "kv put done 1");
    anna.wait_for_line("kv put done 1");
    anna.stop_reading(true);
    anna.type(enter);
    eventually([&] { return elsewhere({"get", "done"}); }, "all lines ran, although nobody looks");
    anna.stop_reading(false);
    anna.wait_for("lines were left out here: the terminal did not take them in time.");
    anna.leave();
}

TEST_CASE("a terminal that can do nothing gets plain lines") {
    desk here;
    program what = here.shell();
    what.environment["TERM"] = GENERATE("dumb", "emacs");
    person anna{what};
    anna.run("kv put colour blue");
    anna.wait_for("index ");
    anna.wait_for_line("almenara>");
    CHECK_FALSE(anna.screen().takes_pastes());
    anna.type(ctrl_c);
    anna.wait_for("Ctrl-C again leaves");
    anna.wait_for_line("almenara>");
    anna.leave();
}

TEST_CASE("a person's own ~/.editrc cannot take the keys from the shell") {
    desk here;
    std::ofstream{here.home / ".editrc"} << "edit off\nbind ^_ ed-insert\n";
    person anna{here};
    anna.type("kv put colour");
    anna.wait_for_line("almenara> kv put colour");
    anna.type(ctrl_c);
    anna.wait_for("almenara> kv put colour^C");
    anna.wait_for_line("almenara>");
    anna.leave();
}
