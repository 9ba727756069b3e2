#include "server/journal.hpp"

#include "support/child.hpp"
#include "support/lines.hpp"
#include "support/results.hpp"
#include "support/temporary_directory.hpp"
#include "support/wait.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/stat.h>

namespace almenara::server {

namespace {

namespace fs = std::filesystem;
using test::content_of;
using test::failure_of;
using test::lines_of;
using test::says;
using test::temporary_directory;
using test::value_of;
using test::write_file;

constexpr journal_bounds small{.file_size = 64U << 10U, .files = 3, .waiting = 1U << 20U};

/// A journal in a folder of its own, and what stands in its files.
class notebook {
  public:
    [[nodiscard]] std::string path() const { return place_ / "journal"; }
    [[nodiscard]] std::string file(const std::string& name) const { return path() + "/" + name; }

    [[nodiscard]] std::unique_ptr<journal> open(const journal_bounds& bounds = {}) const {
        return value_of(journal::open(path(), server_id{3}, bounds));
    }

    /// The journal's life: opened, told so many records, closed.
    void note(std::uint64_t first, std::uint64_t last, const journal_bounds& bounds = {}) const {
        const auto opened = open(bounds);
        for (std::uint64_t number = first; number <= last; ++number) {
            opened->write(hlc_stamp{number}, log::level::info, "counted", {{"number", number}});
        }
    }

    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& entry : fs::directory_iterator{path()}) {
            all.push_back(entry.path().filename().string());
        }
        std::sort(all.begin(), all.end());
        return all;
    }

    [[nodiscard]] std::vector<boost::json::value> records() const {
        std::vector<boost::json::value> all;
        for (const std::string& name : names()) {
            for (const std::string& line : lines_of(content_of(file(name)))) {
                CAPTURE(name, line);
                all.push_back(boost::json::parse(line));
            }
        }
        return all;
    }

  private:
    temporary_directory place_;
};

std::vector<std::uint64_t> stamps_of(const std::vector<boost::json::value>& records) {
    std::vector<std::uint64_t> all;
    for (const auto& record : records) {
        all.push_back(record.at("hlc").to_number<std::uint64_t>());
    }
    return all;
}

/// All from the first to the last, in order and once.
std::vector<std::uint64_t> from_to(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> all;
    for (std::uint64_t number = first; number <= last; ++number) {
        all.push_back(number);
    }
    return all;
}

} // namespace

TEST_CASE("a journal's record is one line with stamp, server, level, event and fields") {
    const notebook book;
    book.open()->write(hlc_stamp{(1'700'000'000'000ULL << 16U) + 7}, log::level::warning,
                       "term_began", {{"epoch", 4}, {"why", "two\nlines"}});
    CHECK(content_of(book.file("00000001.ndjson")) ==
          R"({"hlc":111411200000000007,"server":3,"level":"warning","event":"term_began",)"
          R"("fields":{"epoch":4,"why":"two\nlines"}})"
          "\n");
}

TEST_CASE("a journal is made for its owner only and goes on where it ended") {
    const notebook book;
    book.note(1, 10);
    book.note(11, 20);
    CHECK(book.names() == std::vector<std::string>{"00000001.ndjson"});
    CHECK(stamps_of(book.records()) == from_to(1, 20));
    struct stat facts{};
    REQUIRE(::stat(book.path().c_str(), &facts) == 0);
    CHECK((facts.st_mode & 07777U) == 0700U);
    REQUIRE(::stat(book.file("00000001.ndjson").c_str(), &facts) == 0);
    CHECK((facts.st_mode & 07777U) == 0600U);
}

TEST_CASE("a journal holds so many files of such a size: the newest records") {
    const notebook book;
    constexpr std::uint64_t last = 8000; // some 10 files
    book.note(1, last, small);
    CHECK(book.names().size() == small.files);
    for (const std::string& name : book.names()) {
        CHECK(fs::file_size(book.file(name)) <= small.file_size);
        CHECK(fs::file_size(book.file(name)) > small.file_size / 4);
    }
    const auto kept = stamps_of(book.records());
    CHECK(kept.size() < last);
    CHECK(kept == from_to(kept.front(), last));
}

TEST_CASE("a torn last line of a journal is cut off, and nothing else") {
    const std::size_t torn = GENERATE(1U, 20U, 40000U);
    CAPTURE(torn);
    const notebook book;
    book.note(1, 3);
    const std::string whole = content_of(book.file("00000001.ndjson"));
    write_file(book.file("00000001.ndjson"), whole + std::string(torn, '{'));
    book.note(4, 4);
    CHECK(stamps_of(book.records()) == from_to(1, 4));
}

TEST_CASE("a journal's file without one whole line is begun again") {
    const notebook book;
    fs::create_directory(book.path());
    write_file(book.file("00000007.ndjson"), R"({"hlc":1,"ser)");
    book.note(2, 3);
    CHECK(book.names() == std::vector<std::string>{"00000007.ndjson"});
    CHECK(stamps_of(book.records()) == from_to(2, 3));
}

TEST_CASE("the log says so when a journal's line was torn") {
    const notebook book;
    fs::create_directory(book.path());
    write_file(book.file("00000001.ndjson"), "{\"hlc\"");
    const auto end = test::in_child([&] {
        if (!log::open({})) {
            return 1;
        }
        book.note(1, 1);
        log::close();
        return 0;
    });
    CHECK(end.exit_code == 0);
    CHECK(end.errors.find("the journal's last line was torn: 6 bytes are cut off") !=
          std::string::npos);
}

TEST_CASE("what lies beside a journal's files is left alone") {
    const notebook book;
    fs::create_directory(book.path());
    for (const char* const name : {"notes.txt", "x1.ndjson", ".ndjson", "1.ndjson.old"}) {
        write_file(book.file(name), "mine");
    }
    book.note(1, 8000, small);
    for (const char* const name : {"notes.txt", "x1.ndjson", ".ndjson", "1.ndjson.old"}) {
        CHECK(content_of(book.file(name)) == "mine");
    }
}

TEST_CASE("a journal that cannot be opened says why") {
    const notebook book;
    SECTION("a file in place of the folder") {
        write_file(book.path(), "");
        CHECK(says(failure_of(journal::open(book.path(), server_id{3})), "opening the journal"));
    }
    SECTION("a folder in place of a file") {
        fs::create_directories(book.file("00000001.ndjson"));
        CHECK(says(failure_of(journal::open(book.path(), server_id{3})), "00000001.ndjson"));
    }
    SECTION("a pipe in place of a file") {
        fs::create_directory(book.path());
        REQUIRE(::mkfifo(book.file("00000001.ndjson").c_str(), 0600) == 0);
        CHECK(says(failure_of(journal::open(book.path(), server_id{3})), "00000001.ndjson"));
    }
}

TEST_CASE("records that find no room in the queue are counted, in the journal too") {
    const notebook book;
    {
        const auto opened = book.open({.waiting = 0});
        for (std::uint64_t number = 1; number <= 17; ++number) {
            opened->write(hlc_stamp{number}, log::level::info, "counted", {});
        }
        CHECK(opened->dropped() == 17);
    }
    const auto records = book.records();
    REQUIRE(records.size() == 1);
    CHECK(records[0].at("event") == "records_dropped");
    CHECK(records[0].at("level") == "warning");
    CHECK(records[0].at("hlc") == 17);
    CHECK(records[0].at("fields").at("records") == 17);
}

TEST_CASE("the fields of a record that is too long are left out") {
    const notebook book;
    {
        const auto opened = book.open();
        opened->write(hlc_stamp{1}, log::level::info, "long",
                      {{"text", std::string(journal::longest_line, 'x')}});
        opened->write(hlc_stamp{2}, log::level::info, "short", {});
    }
    const auto records = book.records();
    REQUIRE(records.size() == 2);
    CHECK(records[0].at("event") == "long");
    CHECK(records[0].at("fields").at("left_out_bytes").to_number<std::size_t>() >
          journal::longest_line);
    CHECK(records[1].at("event") == "short");
}

TEST_CASE("a full disk ends no server: whole lines stay, the loss is counted and said") {
    const notebook book;
    const auto end = test::in_child([&] {
        // As if the disk were full in the middle of a line.
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit full{.rlim_cur = 100, .rlim_max = RLIM_INFINITY};
        const rlimit empty{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
        if (!log::open({}) || ::setrlimit(RLIMIT_FSIZE, &full) != 0) {
            return 1;
        }
        {
            const auto opened = book.open();
            opened->write(hlc_stamp{1}, log::level::info, "a", {});
            opened->write(hlc_stamp{2}, log::level::info, "b", {{"text", std::string(200, 'x')}});
            test::eventually([&] { return opened->dropped() >= 1; }, "the disk was full");
            static_cast<void>(::setrlimit(RLIMIT_FSIZE, &empty));
            opened->write(hlc_stamp{3}, log::level::info, "c", {});
        }
        log::close();
        return 0;
    });
    CAPTURE(end.errors);
    CHECK(end.exit_code == 0);
    CHECK(end.errors.find("the journal cannot be written, records are missing in it: writing '") !=
          std::string::npos);
    const auto records = book.records();
    REQUIRE(records.size() >= 2);
    // Whether the first two went out together is the scheduler's choice.
    std::uint64_t lost = 0;
    for (const auto& record : records) {
        if (record.at("event") == "records_dropped") {
            lost += record.at("fields").at("records").to_number<std::uint64_t>();
        }
    }
    CHECK(lost >= 1);
    const auto gaps = std::count_if(records.begin(), records.end(), [](const auto& record) {
        return record.at("event") == "records_dropped";
    });
    CHECK(records.size() - static_cast<std::size_t>(gaps) + lost == 3);
    CHECK(records.back().at("event") == "c");
}

} // namespace almenara::server
