#include "server/story.hpp"

#include "support/lines.hpp"
#include "support/results.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

// Style 11: what others can cause does not push what was before out of the journal.
namespace almenara::server {

namespace {

using namespace std::chrono_literals;
using replica::note_kind;

/// A story that is told into a journal of its own, and what stands there in the end.
class told_story {
  public:
    void tell(note_kind kind, const std::string& text = "what happened") {
        tale_->tell(teller(), {.kind = kind, .text = text});
    }
    void time_goes_by(duration length) {
        now_ = now_ + length;
        if (const auto due = tale_->left_out_due(); due && *due <= now_) {
            tale_->tell_left_out(teller());
        }
    }
    [[nodiscard]] std::optional<instant> left_out_due() const { return tale_->left_out_due(); }

    /// Ends the story.
    [[nodiscard]] const std::vector<std::string>& lines() {
        if (tale_) {
            tale_.reset();
            lines_ = test::lines_of(test::content_of(place_ / "journal/00000001.ndjson"));
        }
        return lines_;
    }
    [[nodiscard]] std::ptrdiff_t count(const std::string& text) {
        return std::count_if(lines().begin(), lines().end(), [&](const std::string& line) {
            return line.find(text) != std::string::npos;
        });
    }

  private:
    [[nodiscard]] story::teller teller() const {
        return {.at = hlc_stamp{1}, .now = now_, .status = status_};
    }

    test::temporary_directory place_;
    replica::core_status status_;
    instant now_{1h};
    std::optional<story> tale_{std::in_place,
                               test::value_of(journal::open(place_ / "journal", server_id{3}))};
    std::vector<std::string> lines_;
};

} // namespace

TEST_CASE("style 11: what others cause is told some times a second, and how much more there was") {
    const note_kind kind = GENERATE(note_kind::foreign_message, note_kind::link_rejected,
                                    note_kind::link_up, note_kind::link_down);
    told_story s;
    for (int i = 0; i < 1000; ++i) {
        s.tell(kind, "stranger " + std::to_string(i));
    }
    REQUIRE(s.left_out_due());
    s.time_goes_by(999ms);
    s.time_goes_by(1ms);
    CHECK_FALSE(s.left_out_due());
    s.tell(kind, "one later");
    CHECK(s.count("stranger ") == story::told_in_a_second);
    CHECK(s.count("990 more") == 1);
    CHECK(s.count("one later") == 1);
    CHECK(s.lines().size() == story::told_in_a_second + 2);
}

TEST_CASE("style 11: a flood of one kind hides nothing of another") {
    told_story s;
    for (int i = 0; i < 100; ++i) {
        s.tell(note_kind::foreign_message);
        s.tell(note_kind::office_taken);
    }
    s.tell(note_kind::link_down);
    CHECK(s.count("foreign_message") == story::told_in_a_second);
    CHECK(s.count("office_taken") == 100);
    CHECK(s.count("link_down") == 1);
}

TEST_CASE("who is refused comes again and again, and is told once until something has changed") {
    told_story s;
    for (int i = 0; i < 5; ++i) {
        s.tell(note_kind::link_rejected, "another secret");
    }
    s.tell(note_kind::role);
    s.tell(note_kind::link_rejected, "another secret");
    CHECK_FALSE(s.left_out_due());
    CHECK(s.count("another secret") == 2);
}

} // namespace almenara::server
