#include "log/log.hpp"

#include "base/text.hpp"
#include "base/time.hpp"
#include "log/console_writer.hpp"

#include <boost/log/attributes/attribute_value_impl.hpp>
#include <boost/log/attributes/value_extraction.hpp>
#include <boost/log/core.hpp>
#include <boost/log/keywords/file_name.hpp>
#include <boost/log/keywords/max_files.hpp>
#include <boost/log/keywords/open_mode.hpp>
#include <boost/log/keywords/rotation_size.hpp>
#include <boost/log/keywords/target.hpp>
#include <boost/log/keywords/target_file_name.hpp>
#include <boost/log/sinks/async_frontend.hpp>
#include <boost/log/sinks/basic_sink_backend.hpp>
#include <boost/log/sinks/bounded_fifo_queue.hpp>
#include <boost/log/sinks/text_file_backend.hpp>
#include <boost/log/sources/logger.hpp>
#include <boost/log/sources/record_ostream.hpp>
#include <boost/log/utility/exception_handler.hpp>
#include <boost/log/utility/formatting_ostream.hpp>
#include <boost/make_shared.hpp>
#include <boost/smart_ptr/shared_ptr.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace almenara::log {

namespace {

namespace attributes = boost::log::attributes;
namespace keywords = boost::log::keywords;
namespace sinks = boost::log::sinks;

struct level_name {
    level severity;
    std::string_view name;
    char journal_priority; ///< of syslog(3)
};

constexpr std::array<level_name, 5> levels{{
    {level::debug, "debug", '7'},
    {level::info, "info", '6'},
    {level::notice, "notice", '5'},
    {level::warning, "warning", '4'},
    {level::error, "error", '3'},
}};

const level_name& entry(level severity) {
    return levels.at(static_cast<std::size_t>(severity));
}

/// Lines that were not written, until somebody says so.
std::atomic<std::uint64_t> dropped_lines{0};

/// A queue had no room for the line that this thread is handing over.
thread_local bool found_no_room = false;

/// Policy of the queues between callers and the writing threads: when one is full the new line is
/// dropped, and nobody waits.
class drop_newest {
  public:
    template <class Lock>
    static bool on_overflow(const boost::log::record_view&, Lock&) {
        found_no_room = true;
        return false;
    }
    static void on_queue_space_available() {}
    static void interrupt() {}
};

/// What went wrong in a writing thread, until a caller says so. Once for each log that is opened:
/// what is broken is so for every line.
class trouble {
  public:
    void note(const std::exception& failure) {
        const std::lock_guard lock{mutex_};
        if (!std::exchange(noted_, true)) {
            unsaid_ = failure.what();
            is_unsaid_ = true;
        }
    }

    [[nodiscard]] std::optional<std::string> take() {
        if (!is_unsaid_) {
            return std::nullopt;
        }
        const std::lock_guard lock{mutex_};
        is_unsaid_ = false;
        return std::exchange(unsaid_, std::nullopt);
    }

  private:
    std::mutex mutex_;
    bool noted_ = false;
    std::optional<std::string> unsaid_;
    std::atomic<bool> is_unsaid_{false};
};

constexpr std::size_t longest_queue = 8192;
using queue = sinks::bounded_fifo_queue<longest_queue, drop_newest>;

class console_backend
    : public sinks::basic_formatted_sink_backend<char, sinks::synchronized_feeding> {
  public:
    void consume(const boost::log::record_view&, const std::string& line) {
        writer_.write(line + '\n');
    }
    void hurry() { writer_.hurry(); }

  private:
    console_writer writer_;
};

using console_sink = sinks::asynchronous_sink<console_backend, queue>;
using file_sink = sinks::asynchronous_sink<sinks::text_file_backend, queue>;

/// What a line carries beside its text.
struct line_facts {
    level severity = level::info;
    wall_time at;
};

wall_time wall_now() {
    return wall_time{std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now().time_since_epoch())};
}

constexpr const char* facts_name = "Facts";

line_facts facts_of(const boost::log::record_view& record) {
    const auto facts = boost::log::extract<line_facts>(facts_name, record);
    return facts ? *facts : line_facts{};
}

std::string_view text_of(const boost::log::record_view& record) {
    const auto text = boost::log::extract<std::string>("Message", record);
    return text ? std::string_view{*text} : std::string_view{};
}

std::string journal_line(const line_facts& facts, std::string_view text) {
    return fmt::format("<{}>{}", entry(facts.severity).journal_priority, text);
}

std::string human_line(const line_facts& facts, std::string_view text) {
    constexpr std::size_t clock_begin = 11;
    constexpr std::size_t clock_length = 12;
    return fmt::format("{} {:<7}  {}", to_string(facts.at).substr(clock_begin, clock_length),
                       entry(facts.severity).name, text);
}

void format_for_journal(const boost::log::record_view& record,
                        boost::log::formatting_ostream& out) {
    out << journal_line(facts_of(record), text_of(record));
}

void format_for_human(const boost::log::record_view& record, boost::log::formatting_ostream& out) {
    out << human_line(facts_of(record), text_of(record));
}

void format_for_file(const boost::log::record_view& record, boost::log::formatting_ostream& out) {
    const line_facts facts = facts_of(record);
    out << fmt::format("{} {:<7}  {}", to_string(facts.at), entry(facts.severity).name,
                       text_of(record));
}

boost::shared_ptr<console_sink> make_console(const boost::shared_ptr<console_backend>& backend,
                                             console_style style) {
    auto sink = boost::make_shared<console_sink>(backend);
    sink->set_formatter(style == console_style::human ? &format_for_human : &format_for_journal);
    return sink;
}

boost::shared_ptr<file_sink> make_file(const file_options& wanted) {
    const std::filesystem::path path = std::filesystem::absolute(wanted.path);
    auto backend = boost::make_shared<sinks::text_file_backend>(
        keywords::file_name = path.string(), keywords::target_file_name = path.string() + ".%5N",
        keywords::rotation_size = wanted.rotate_at,
        keywords::open_mode = std::ios_base::out | std::ios_base::app);
    backend->set_file_collector(sinks::file::make_collector(
        keywords::target = path.parent_path().string(), keywords::max_files = wanted.kept));
    backend->scan_for_files();
    // A restart goes on in the same file; only its size closes it.
    backend->enable_final_rotation(false);
    backend->auto_flush(true);
    auto sink = boost::make_shared<file_sink>(backend);
    sink->set_formatter(&format_for_file);
    return sink;
}

/// Boost.Log would say it late and by an exception in its own thread.
result<void> check_writable(const std::string& path) {
    if (std::filesystem::path{path}.filename().string().find('%') != std::string::npos) {
        return almenara::error{errc::invalid,
                               fmt::format("opening the log file '{}': a percent sign in its name "
                                           "would become a date or a number. Choose another name",
                                           path)};
    }
    // A pipe would wait for its reader, and a device would be renamed at the first rotation.
    struct stat facts{};
    if (::stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode)) {
        return almenara::error{errc::invalid,
                               fmt::format("opening the log file '{}': it is a pipe or a device. "
                                           "Give a regular file, or the path of a new one",
                                           path)};
    }
    constexpr mode_t owner_only = 0600;
    const int file =
        ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
               owner_only);
    if (file < 0) {
        return last_system_error(fmt::format("opening the log file '{}'", path));
    }
    ::close(file);
    return {};
}

/// The log of this process.
struct open_log {
    /// Not by way of its sink, which locks it while a line is being written.
    boost::shared_ptr<console_backend> console_end = boost::make_shared<console_backend>();
    boost::shared_ptr<console_sink> console;
    boost::shared_ptr<file_sink> file;
    boost::log::sources::logger_mt source;
    trouble file_trouble;
};

std::unique_ptr<open_log> the_log;
/// Apart from it: last words may be said while it is being closed.
std::atomic<bool> is_open{false};
std::atomic<console_style> style{console_style::journal};
std::atomic<level> lowest_level{level::info};

/// Hands a line over to the writing threads; false if one of them has too much to do.
[[nodiscard]] bool put(level severity, std::string_view text) {
    boost::log::record record = the_log->source.open_record();
    if (!record) {
        return true;
    }
    record.attribute_values().insert(
        facts_name, attributes::make_attribute_value(line_facts{severity, wall_now()}));
    record.attribute_values().insert("Message",
                                     attributes::make_attribute_value(base::escaped(text)));
    found_no_room = false;
    the_log->source.push_record(std::move(record));
    return !found_no_room;
}

/// What the log has to say about itself.
void say_own_trouble() {
    if (const auto failure = the_log->file_trouble.take()) {
        const bool was_said = put(
            level::error,
            fmt::format("the log file cannot be written, lines are missing in it: {}", *failure));
        dropped_lines += was_said ? 0 : 1;
    }
    // If there is no room for this either, it is said another time.
    if (const auto dropped = dropped_lines.exchange(0);
        dropped > 0 &&
        !put(level::warning,
             fmt::format("{} log lines were dropped: they came too fast", dropped))) {
        dropped_lines += dropped;
    }
}

template <class Sink>
void end_sink(const boost::shared_ptr<Sink>& sink) {
    if (sink) {
        boost::log::core::get()->remove_sink(sink);
        sink->stop();
        sink->flush();
    }
}

} // namespace

std::string_view to_string(level severity) {
    return entry(severity).name;
}

result<level> parse_level(std::string_view text) {
    for (const level_name& known : levels) {
        if (known.name == text) {
            return known.severity;
        }
    }
    return almenara::error{errc::invalid,
                           fmt::format("'{}' is not a log level: use debug, info, notice, warning "
                                       "or error",
                                       text)};
}

console_style console_style_for_stderr() {
    return ::isatty(STDERR_FILENO) != 0 ? console_style::human : console_style::journal;
}

result<void> open(const options& wanted) {
    close();
    auto opened = std::make_unique<open_log>();
    if (wanted.file) {
        if (auto writable = check_writable(wanted.file->path); !writable) {
            return writable;
        }
        try {
            opened->file = make_file(*wanted.file);
        } catch (const boost::system::system_error& failure) {
            return almenara::error{errc::system_failed,
                                   fmt::format("opening the log file '{}'", wanted.file->path),
                                   failure.code()};
        }
        // A disk that is full ends no server: the console goes on.
        opened->file->set_exception_handler(boost::log::make_exception_handler<std::exception>(
            [&noted = opened->file_trouble](const std::exception& failure) {
                noted.note(failure);
            }));
        boost::log::core::get()->add_sink(opened->file);
    }
    opened->console = make_console(opened->console_end, wanted.console);
    boost::log::core::get()->add_sink(opened->console);
    style = wanted.console;
    lowest_level = wanted.lowest;
    the_log = std::move(opened);
    is_open = true;
    return {};
}

void close() {
    if (!the_log) {
        return;
    }
    end_sink(the_log->file);
    say_own_trouble();
    the_log->console_end->hurry();
    end_sink(the_log->console);
    is_open = false;
    the_log.reset();
}

void last_words(level severity, std::string_view text) {
    if (!is_wanted(severity)) {
        return;
    }
    const line_facts facts{severity, wall_now()};
    const std::string escaped = base::escaped(text);
    console_writer{}.try_write((style == console_style::human ? human_line(facts, escaped)
                                                              : journal_line(facts, escaped)) +
                               '\n');
}

void set_lowest(level lowest) {
    lowest_level = lowest;
}

bool is_wanted(level severity) {
    return is_open && severity >= lowest_level.load(std::memory_order_relaxed);
}

void write(level severity, std::string_view text) {
    if (!is_wanted(severity)) {
        return;
    }
    if (put(severity, text)) {
        say_own_trouble();
    } else {
        ++dropped_lines;
    }
}

} // namespace almenara::log
