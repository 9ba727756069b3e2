#include "server/journal.hpp"

#include "base/check.hpp"
#include "storage/no_signals.hpp"

#include <boost/json/serialize.hpp>

#include <utility>

#include <pthread.h>

namespace almenara::server {

namespace {

/// Lines of this many bytes go out in one call. With the longest line it is well below the size of
/// a file.
constexpr std::size_t enough_text = 32U << 10U;

} // namespace

result<std::unique_ptr<journal>> journal::open(const std::string& directory,
                                               server_id self,
                                               const journal_bounds& bounds) {
    ALMENARA_CHECK(bounds.file_size >= enough_text + longest_line && bounds.files > 0);
    auto files = journal_files::open(directory, bounds);
    if (!files) {
        return while_doing("opening the journal", files.error());
    }
    if (files->torn() > 0) {
        log::notice("the journal's last line was torn: {} bytes are cut off", files->torn());
    }
    return std::unique_ptr<journal>{new journal{std::move(*files), self, bounds.waiting}};
}

journal::journal(journal_files files, server_id self, std::size_t most_waiting)
    : files_(std::move(files)), self_(self), most_waiting_(most_waiting) {
    const storage::no_signals meanwhile;
    thread_ = std::thread{[this] {
        ::pthread_setname_np(::pthread_self(), "journal");
        loop();
    }};
}

journal::~journal() {
    {
        const std::lock_guard held{mutex_};
        ends_ = true;
    }
    woken_.notify_one();
    thread_.join();
}

void journal::write(hlc_stamp at,
                    log::level severity,
                    std::string_view event,
                    boost::json::object fields) {
    record next{
        .at = at, .severity = severity, .event = std::string{event}, .fields = std::move(fields)};
    bool was_empty = false;
    {
        const std::lock_guard held{mutex_};
        if (waiting_.records.size() >= most_waiting_) {
            ++dropped_;
            ++waiting_.dropped;
            waiting_.last_dropped = at;
            return;
        }
        was_empty = waiting_.records.empty();
        waiting_.records.push_back(std::move(next));
    }
    if (was_empty) {
        woken_.notify_one();
    }
}

std::uint64_t journal::dropped() const {
    const std::lock_guard held{mutex_};
    return dropped_;
}

void journal::loop() {
    batch next;
    while (wait_for_work(next)) {
        write_out(next);
        next = {};
    }
}

bool journal::wait_for_work(batch& next) {
    std::unique_lock held{mutex_};
    woken_.wait(held, [this] { return ends_ || !waiting_.records.empty(); });
    std::swap(next, waiting_);
    return !next.records.empty() || next.dropped > 0;
}

void journal::write_out(const batch& taken) {
    for (const record& one : taken.records) {
        if (text_.empty() && lost_ > 0) {
            say_gap(one.at);
        }
        add_line(one);
        ++records_in_text_;
        if (text_.size() >= enough_text) {
            flush_text();
        }
    }
    flush_text();
    if (taken.dropped > 0) {
        lost_ += taken.dropped;
        say_gap(taken.last_dropped);
        flush_text();
    }
}

void journal::say_gap(hlc_stamp at) {
    add_line({.at = at,
              .severity = log::level::warning,
              .event = "records_dropped",
              .fields = {{"records", lost_}}});
    text_says_gap_ = true;
}

void journal::add_line(const record& one) {
    boost::json::object line{{"hlc", one.at.value()},
                             {"server", self_.value()},
                             {"level", log::to_string(one.severity)},
                             {"event", one.event},
                             {"fields", one.fields}};
    std::string text = boost::json::serialize(line);
    if (text.size() > longest_line) {
        line["fields"] = boost::json::object{{"left_out_bytes", text.size()}};
        text = boost::json::serialize(line);
    }
    text_ += text;
    text_ += '\n';
}

void journal::flush_text() {
    const std::uint64_t records = std::exchange(records_in_text_, 0);
    const bool says_gap = std::exchange(text_says_gap_, false);
    const auto written = files_.append(std::exchange(text_, {}));
    if (written) {
        lost_ = says_gap ? 0 : lost_;
        trouble_is_said_ = false;
        return;
    }
    lost_ += records;
    if (!std::exchange(trouble_is_said_, true)) {
        log::error("the journal cannot be written, records are missing in it: {}",
                   written.error().message());
    }
    const std::lock_guard held{mutex_};
    dropped_ += records;
}

} // namespace almenara::server
