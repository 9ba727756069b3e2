#include "commands/kv.hpp"

#include "base/text.hpp"
#include "base64.hpp"
#include "commands/commands.hpp"
#include "services/kv/bodies.hpp"
#include "wire/json.hpp"
#include "writing.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace almenara::cli {

namespace asio = boost::asio;
namespace kv = services::kv::body;

namespace {

/// Not the same as an empty value, which would be written over what is there.
complaint cannot_read(int why) {
    if (why == EINTR) { // By a signal that ends the command.
        return complaint_about_interrupt("-", wire::result_code::cancelled);
    }
    return complaint{
        exit_code::failed, errc::malformed, "-",
        fmt::format("the standard input cannot be read: {}", std::generic_category().message(why)),
        "Nothing was written. Give a file or a pipe, as in '... - < FILE'."};
}

} // namespace

outcome<base::byte_vector> read_value(std::string_view typed, int input) {
    if (typed != "-") {
        const auto bytes = base::as_bytes(typed);
        return base::byte_vector{bytes.begin(), bytes.end()};
    }
    // One byte more than the largest value is enough to be told that it is too large.
    base::byte_vector value(kv::service::largest_value + 1);
    std::size_t size = 0;
    while (size < value.size()) {
        const ssize_t got = ::read(input, value.data() + size, value.size() - size);
        if (got < 0 && errno == EAGAIN) { // Whoever has it too may have said not to wait.
            ::pollfd more{.fd = input, .events = POLLIN, .revents = 0};
            if (::poll(&more, 1, -1) > 0) {
                continue;
            }
        }
        if (got < 0) {
            return cannot_read(errno);
        }
        if (got == 0) {
            break;
        }
        size += static_cast<std::size_t>(got);
    }
    value.resize(size);
    return value;
}

namespace {

/// `kv get colour`, for what is said about it.
std::string subject(const invocation& asked) {
    const std::string key = asked.words.empty() ? std::string{} : asked.words.front();
    return fmt::format("{} {}", asked.what->name, base::escaped(key));
}

/// Why a cas or an add did not write.
std::string reason_of(const kv::service::conflict& why) {
    switch (why.reason) {
    case kv::service::conflict_reason::version:
    case kv::service::conflict_reason::value:
        return why.version == log_index{}
                   ? std::string{"there is no such key"}
                   : fmt::format("the value is another one, of index {}", why.version);
    case kv::service::conflict_reason::not_a_number:
        return "the value is not a whole number";
    case kv::service::conflict_reason::overflow:
        return "the sum does not fit into 64 bits";
    }
    return "it is not as expected";
}

complaint complaint_about_write(const invocation& asked, const client::answer& how) {
    complaint why = complaint_about(subject(asked), how, asked.timeout);
    if (const auto conflict = kv::in<kv::service::conflict>(how.body)) {
        why.why = reason_of(*conflict);
        why.next = conflict->reason == kv::service::conflict_reason::overflow
                       ? "Nothing was written: 'almenara kv put' writes another number."
                       : "Nothing was written: read it again with 'almenara kv get'.";
    } else if (how.code == wire::result_code::not_found) {
        why.why = "there is no such key";
        why.next = "'almenara kv list' shows the keys.";
    }
    if (asked.what->name == "kv cas" && how.code == wire::result_code::conflict) {
        why.swapped = false;
    }
    return why;
}

void print_written(runtime& here, const client::answer& how, const report_of& report) {
    const write_report added = report(how);
    if (here.asked().json) {
        boost::json::object object = written_json(how);
        for (const auto& each : added.json) {
            object[each.key()] = each.value();
        }
        here.out().print(boost::json::serialize(object) + '\n');
        return;
    }
    const std::string text = written_text(how);
    here.out().print(added.text.empty() ? text + '\n' : added.text + '\n' + text + '\n');
}

} // namespace

asio::awaitable<exit_code> write_once(runtime& here, base::byte_vector body, report_of report) {
    runtime::cluster cluster{here};
    const client::answer how = co_await cluster.write(std::move(body), here.deadline());
    exit_code exit = exit_code::ok;
    if (how.code == wire::result_code::ok) {
        print_written(here, how, report);
    } else {
        const complaint why = complaint_about_write(here.asked(), how);
        exit = here.fail_write(why, how);
    }
    co_await cluster.close();
    co_return exit == exit_code::ok ? here.done() : exit;
}

namespace {

write_report nothing_more(const client::answer&) {
    return {};
}

write_report was_swapped(const client::answer&) {
    write_report report;
    report.json["swapped"] = true;
    return report;
}

write_report the_sum(const client::answer& how) {
    write_report report;
    if (const auto sum = kv::in<kv::service::added>(how.body)) {
        report.text = fmt::format("{}", sum->value);
        report.json["value"] = sum->value;
    }
    return report;
}

exit_code refuse(runtime& here, const complaint& what) {
    here.out().complain(what, here.asked().json);
    return what.exit;
}

/// As the servers would say it.
complaint too_large(std::string about, std::string why, std::string next) {
    return complaint{exit_code::failed, errc::too_large, std::move(about), std::move(why),
                     std::move(next)};
}

/// B.13, before anything is sent: the servers would refuse it too.
std::optional<complaint> why_not_a_key(std::string_view key) {
    const std::string why = fmt::format("a key has 1 to {} bytes, and this one {}",
                                        kv::service::largest_key, key.size());
    if (key.empty()) {
        return usage_complaint("KEY", why, "Write the key.");
    }
    if (key.size() > kv::service::largest_key) {
        return too_large("KEY", why, "Take a shorter name.");
    }
    return std::nullopt;
}

asio::awaitable<exit_code> write_value(runtime& here,
                                       const invocation& asked,
                                       std::size_t size,
                                       base::byte_vector body,
                                       report_of report) {
    const std::optional<complaint> wrong = why_not_a_key(asked.words.front());
    if (wrong) {
        co_return refuse(here, *wrong);
    }
    if (size > kv::service::largest_value) {
        std::string why = fmt::format("a value has at most {} bytes", kv::service::largest_value);
        const complaint what = too_large("VALUE", std::move(why), "Cut it into several keys.");
        co_return refuse(here, what);
    }
    co_return co_await write_once(here, std::move(body), std::move(report));
}

/// Whether one of the values stands where the commands themselves come from.
bool misses_input(const runtime& here, const invocation& asked) {
    const auto& words = asked.words;
    return !here.owns_input() && std::find(words.begin() + 1, words.end(), "-") != words.end();
}

asio::awaitable<exit_code> fail(runtime& here, complaint why) {
    co_return refuse(here, why);
}

asio::awaitable<exit_code> refuse_input(runtime& here) {
    return fail(here, usage_complaint("-", "the commands themselves come from the standard input",
                                      "Write the value, or run this command by itself."));
}

asio::awaitable<exit_code> put(runtime& here, const invocation& asked) {
    if (misses_input(here, asked)) {
        return refuse_input(here);
    }
    auto value = read_value(asked.words[1], STDIN_FILENO);
    if (!value) {
        return fail(here, value.error());
    }
    const std::size_t size = value->size();
    base::byte_vector body = kv::put(asked.words[0], *std::move(value));
    report_of report = nothing_more;
    return write_value(here, asked, size, std::move(body), std::move(report));
}

asio::awaitable<exit_code> cas(runtime& here, const invocation& asked) {
    if (misses_input(here, asked)) {
        return refuse_input(here);
    }
    auto value = read_value(asked.words[2], STDIN_FILENO);
    auto expected = read_value(asked.words[1], STDIN_FILENO);
    if (!value || !expected) {
        return fail(here, value ? expected.error() : value.error());
    }
    const std::size_t size = value->size();
    base::byte_vector body =
        kv::cas(asked.words[0], {.expected = *std::move(expected), .value = *std::move(value)});
    report_of report = was_swapped;
    return write_value(here, asked, size, std::move(body), std::move(report));
}

/// A whole number with its sign, or nothing.
std::optional<std::int64_t> parse_delta(std::string_view text) {
    const bool is_negative = text.starts_with('-');
    const std::string_view digits = text.substr(is_negative || text.starts_with('+') ? 1 : 0);
    const std::uint64_t most = std::uint64_t{INT64_MAX} + (is_negative ? 1 : 0);
    const auto size = base::parse_number(digits, 0, most);
    if (!size) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(is_negative ? std::uint64_t{0} - *size : *size);
}

asio::awaitable<exit_code> add(runtime& here, const invocation& asked) {
    const auto delta = parse_delta(asked.words[1]);
    if (!delta) {
        std::string why =
            fmt::format("'{}' is not a whole number of 64 bits", base::escaped(asked.words[1]));
        const complaint what =
            usage_complaint("DELTA", std::move(why), "Write for example 5 or -5.");
        co_return refuse(here, what);
    }
    report_of report = the_sum;
    base::byte_vector body = kv::add(asked.words[0], *delta);
    co_return co_await write_value(here, asked, 0, std::move(body), std::move(report));
}

asio::awaitable<exit_code> remove(runtime& here, const invocation& asked) {
    report_of report = nothing_more;
    base::byte_vector body = kv::remove(asked.words[0]);
    return write_value(here, asked, 0, std::move(body), std::move(report));
}

/// JSON holds text only: other bytes are shown so that people can read them, and told as they are.
boost::json::object json_about(const std::string& key) {
    boost::json::object object;
    object["key"] = wire::json_text(key);
    if (!base::is_utf8(key)) {
        object["key_base64"] = to_base64(base::as_bytes(key));
    }
    return object;
}

asio::awaitable<exit_code> get(runtime& here, const invocation& asked) {
    const std::optional<complaint> wrong = why_not_a_key(asked.words.front());
    if (wrong) {
        co_return refuse(here, *wrong);
    }
    runtime::cluster cluster{here};
    base::byte_vector body = kv::get(asked.words[0]);
    const client::answer how = co_await cluster.read(std::move(body), here.deadline());
    const auto found = kv::in<kv::service::value>(how.body);
    exit_code exit = exit_code::ok;
    if (how.code != wire::result_code::ok || !found) {
        const complaint why = complaint_about_write(asked, how);
        exit = here.interrupted() ? exit_code::interrupted : why.exit;
        if (!here.interrupted()) {
            here.out().complain(why, asked.json);
        }
    } else if (asked.json) {
        boost::json::object object = json_about(asked.words[0]);
        object["value_base64"] = to_base64(found->bytes);
        object["index"] = found->version.value();
        here.out().print(boost::json::serialize(object) + '\n');
    } else {
        // As it is, for pipes; a terminal and a shell's output get a line of its own.
        here.out().print(base::as_text(found->bytes));
        if (here.out().out_is_terminal() || !here.owns_input()) {
            here.out().print("\n");
        }
    }
    co_await cluster.close();
    co_return exit == exit_code::ok ? here.done() : exit;
}

std::string line_about(const kv::service::listed_key& each, bool json) {
    if (!json) {
        const std::string key = base::escaped(each.key);
        return each.value ? fmt::format("{}\t{}\t{}\n", key, each.version,
                                        base::escaped(base::as_text(*each.value)))
                          : fmt::format("{}\t{}\n", key, each.version);
    }
    boost::json::object object = json_about(each.key);
    if (each.value) {
        object["value_base64"] = to_base64(*each.value);
    }
    object["index"] = each.version.value();
    return boost::json::serialize(object) + '\n';
}

asio::awaitable<exit_code> list(runtime& here, const invocation& asked) {
    runtime::cluster cluster{here};
    kv::service::list question;
    question.prefix = asked.words.empty() ? std::string{} : asked.words.front();
    question.with_values = asked.has("values");
    exit_code exit = exit_code::ok;
    while (!here.must_stop()) {
        base::byte_vector body = kv::list(question);
        const client::answer how = co_await cluster.read(std::move(body), here.deadline());
        const auto page = kv::in<kv::service::page>(how.body);
        if (how.code != wire::result_code::ok || !page) {
            exit = here.fail(subject(asked), how);
            break;
        }
        std::string lines;
        for (const kv::service::listed_key& each : page->keys) {
            lines += line_about(each, asked.json);
        }
        here.out().print(lines);
        if (!page->more_after) {
            break;
        }
        question.after = page->more_after;
        here.begin_round();
    }
    co_await cluster.close();
    co_return exit == exit_code::ok ? here.done() : exit;
}

constexpr std::array<example, 2> put_examples{{
    {"almenara --plaintext kv put colour blue", "keep a value"},
    {"almenara --plaintext kv put picture - < picture.png", "the same from a file"},
}};
constexpr std::array<example, 2> get_examples{{
    {"almenara --plaintext kv get colour", "the value, as it is"},
    {"almenara --plaintext kv get colour --json", "with its index"},
}};
constexpr std::array<example, 1> cas_examples{{
    {"almenara --plaintext kv cas colour blue green", "if it is still blue; else exit code 4"},
}};
constexpr std::array<example, 2> add_examples{{
    {"almenara --plaintext kv add visitors 1", "count"},
    {"almenara --plaintext kv add visitors -5", "count down"},
}};
constexpr std::array<example, 1> remove_examples{{
    {"almenara --plaintext kv rm colour", "exit code 3 if it is not there"},
}};
constexpr std::array<example, 2> list_examples{{
    {"almenara --plaintext kv list", "all keys"},
    {"almenara --plaintext kv list user/ --values --json", "those that begin so, and their values"},
}};
constexpr std::array<option, 1> list_options{{
    {"values", 0, value_kind::none, "", "with their values", "", ""},
}};

} // namespace

constinit const command kv_put_command{
    .name = "kv put",
    .words = "KEY VALUE|-",
    .fewest_words = 2,
    .most_words = 2,
    .summary = "Keep a value under a key; - reads it from stdin.",
    .examples = put_examples,
    .options = {},
    .run = put,
};
constinit const command kv_get_command{
    .name = "kv get",
    .words = "KEY",
    .fewest_words = 1,
    .most_words = 1,
    .summary = "Print the value of a key.",
    .examples = get_examples,
    .options = {},
    .run = get,
};
constinit const command kv_cas_command{
    .name = "kv cas",
    .words = "KEY EXPECTED NEW",
    .fewest_words = 3,
    .most_words = 3,
    .summary = "Change a value if it is the expected one.",
    .examples = cas_examples,
    .options = {},
    .run = cas,
};
constinit const command kv_add_command{
    .name = "kv add",
    .words = "KEY DELTA",
    .fewest_words = 2,
    .most_words = 2,
    .summary = "Add to a whole number and print the sum.",
    .examples = add_examples,
    .options = {},
    .run = add,
};
constinit const command kv_remove_command{
    .name = "kv rm",
    .words = "KEY",
    .fewest_words = 1,
    .most_words = 1,
    .summary = "Remove a key.",
    .examples = remove_examples,
    .options = {},
    .run = remove,
};
constinit const command kv_list_command{
    .name = "kv list",
    .words = "[PREFIX]",
    .most_words = 1,
    .summary = "List keys, with the index of their last write.",
    .examples = list_examples,
    .options = list_options,
    .run = list,
};

} // namespace almenara::cli
