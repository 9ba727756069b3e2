#include "shell/interpreter.hpp"

#include "base/text.hpp"
#include "base/version.hpp"
#include "commands/commands.hpp"
#include "net/clock.hpp"
#include "shell/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <variant>

namespace almenara::cli {

namespace asio = boost::asio;

namespace {

constexpr std::array<std::string_view, 2> words_to_leave{"exit", "quit"};

bool leaves(const std::string& word) {
    return std::find(words_to_leave.begin(), words_to_leave.end(), word) != words_to_leave.end();
}

constexpr std::string_view help_about_leaving =
    "Usage: exit\n"
    "       quit\n\n"
    "Leave the shell, and say goodbye to the servers. In a script: with the exit code that it has\n"
    "until then. At a terminal Ctrl-D does the same.\n";

bool asks_for_help(std::span<const std::string> words) {
    return std::any_of(words.begin(), words.end(),
                       [](const std::string& each) { return each == "--help" || each == "-h"; });
}

bool asks_about_leaving(std::span<const std::string> words) {
    const bool helps = words.size() == 2 && words.front() == "help" && leaves(words.back());
    return helps || (leaves(words.front()) && asks_for_help(words));
}

std::vector<std::string_view> words_of(const shell_settings& how) {
    std::vector<std::string_view> words{words_to_leave.begin(), words_to_leave.end()};
    if (how.extra != nullptr) {
        for (const extra_commands::entry& each : how.extra->list()) {
            words.push_back(each.name);
        }
    }
    return words;
}

std::string lines_about(std::span<const extra_commands::entry> entries) {
    std::size_t widest = 0;
    for (const auto& each : entries) {
        widest = std::max(widest, each.name.size() + 1 + each.words.size());
    }
    std::string text;
    for (const auto& each : entries) {
        const std::string left = fmt::format("{} {}", each.name, each.words);
        text += fmt::format("  {:<{}}  {}\n", left, widest, each.summary);
    }
    return text;
}

} // namespace

interpreter::interpreter(asio::any_io_executor executor, console& out, const shell_settings& how)
    : executor_(std::move(executor)),
      out_(out),
      how_(how),
      own_words_(words_of(how)),
      cluster_(executor_, client_options(how.start, client::all_ways, out)) {
    cluster_.listen([this](const client::news& what) { tell(what); });
    cluster_.listen_to_notes([this](const std::string& note) { out_.say(warning_about(note)); });
    if (how_.extra != nullptr) {
        how_.extra->set_voice([this](const std::string& line) { out_.say(line); });
    }
}

interpreter::~interpreter() {
    if (how_.extra != nullptr) {
        how_.extra->set_voice({});
    }
}

void interpreter::tell(const client::news& what) {
    if (std::holds_alternative<client::primary_lost>(what)) {
        has_primary_ = false;
    } else if (std::holds_alternative<client::reconnected>(what)) {
        has_primary_ = true;
    }
    const std::string warning = warning_about(what);
    if (const std::string line = warning.empty() ? line_about(what) : warning; !line.empty()) {
        out_.say(line);
    }
}

void interpreter::interrupt() {
    if (running_ != nullptr) {
        running_->interrupt();
    } else if (runs_extra_) {
        how_.extra->interrupt();
    }
}

std::optional<instant> interpreter::waits_since() const {
    return running_ == nullptr ? std::nullopt : running_->waits_since();
}

const extra_commands::entry* interpreter::find_extra(std::string_view word) const {
    if (how_.extra == nullptr) {
        return nullptr;
    }
    const auto all = how_.extra->list();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == word; });
    return found == all.end() ? nullptr : &*found;
}

const extra_commands::entry* interpreter::explained_extra(
    std::span<const std::string> words) const {
    if (words.size() > 1 && words.front() == "help") {
        return find_extra(words[1]);
    }
    return asks_for_help(words) ? find_extra(words.front()) : nullptr;
}

exit_code interpreter::refuse(const complaint& why, std::span<const std::string> words) {
    const bool as_json =
        how_.start.json || std::find(words.begin(), words.end(), "--json") != words.end();
    out_.complain(why, as_json);
    return why.exit;
}

exit_code interpreter::leave(std::span<const std::string> words) {
    if (words.size() > 1) {
        const std::string why = fmt::format("'{}' is a word too many", base::escaped(words[1]));
        return refuse(usage_complaint(words[0], why, "It takes no words."), words);
    }
    left_ = true;
    return exit_code::ok;
}

exit_code interpreter::help_here() {
    std::string text = task_help();
    if (how_.extra != nullptr) {
        text += "Only in this shell:\n";
        text += lines_about(how_.extra->list());
        text += '\n';
    }
    out_.print(text + "exit, quit or Ctrl-D leave the shell.\n");
    return exit_code::ok;
}

asio::awaitable<void> interpreter::come_in() {
    constexpr std::chrono::seconds longest{2};
    if (how_.comes_in_at_once) {
        static_cast<void>(co_await cluster_.log_in(net::monotonic_now() + longest));
    }
}

asio::awaitable<exit_code> interpreter::run(std::string line) {
    auto words = split_line(line);
    if (!words) {
        co_return refuse(words.error(), {});
    }
    // So that an example of the help can be pasted as it stands there.
    if (!words->empty() && words->front() == "almenara") {
        words->erase(words->begin());
    }
    if (words->empty()) {
        co_return exit_code::ok;
    }
    co_return co_await run_words(*std::move(words));
}

asio::awaitable<exit_code> interpreter::run_words(std::vector<std::string> words) {
    if (asks_about_leaving(words)) {
        out_.print(help_about_leaving);
        co_return exit_code::ok;
    }
    if (leaves(words.front())) {
        co_return leave(words);
    }
    if (words.size() == 1 && words.front() == "help") {
        co_return help_here();
    }
    if (const extra_commands::entry* const about = explained_extra(words)) {
        out_.print(lines_about({about, 1}));
        co_return exit_code::ok;
    }
    if (find_extra(words.front()) != nullptr) {
        co_return co_await run_extra(std::move(words));
    }
    const shell_words around{.start = how_.start, .more = own_words_};
    const auto asked = parse_command_line(words, around);
    if (!asked) {
        co_return refuse(asked.error(), words);
    }
    if (asked->version) {
        out_.print(fmt::format("almenara {}\n", version));
        co_return exit_code::ok;
    }
    if (asked->help) {
        out_.print(help_for(*asked));
        co_return exit_code::ok;
    }
    if (asked->what == nullptr) {
        const complaint why = usage_complaint("no command", "there is nothing to do",
                                              "'help' shows what can be done.");
        co_return refuse(why, words);
    }
    if (asked->what->is_shell) {
        const complaint why =
            usage_complaint(std::string{asked->what->name}, "it opens a shell, and this is one",
                            "Leave this one first.");
        co_return refuse(why, words);
    }
    co_return co_await run_command(*asked);
}

bool interpreter::asks_as_shell(const invocation& asked) const {
    const invocation& start = how_.start;
    return asked.user == start.user && asked.servers == start.servers &&
           asked.plaintext == start.plaintext && asked.state_directory == start.state_directory;
}

asio::awaitable<exit_code> interpreter::run_command(const invocation& asked) {
    runtime here{executor_, out_, asked};
    here.serve_shell(asks_as_shell(asked) ? &cluster_ : nullptr);
    running_ = &here;
    const exit_code exit = co_await asked.what->run(here, asked);
    running_ = nullptr;
    co_return exit;
}

asio::awaitable<exit_code> interpreter::run_extra(std::vector<std::string> words) {
    constexpr std::string_view json = "--json";
    const bool as_json = std::erase(words, json) > 0 || how_.start.json;
    runs_extra_ = true;
    const exit_code exit = co_await how_.extra->run(std::move(words), out_, as_json);
    runs_extra_ = false;
    co_return exit;
}

} // namespace almenara::cli
