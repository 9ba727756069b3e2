#include "support/check/bench_history.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace almenara::test::check {

namespace {

namespace json = boost::json;

/// The fields of a line. What is missing, or not what it should be, is remembered.
class fields {
  public:
    explicit fields(const json::object& line) : line_(line) {}

    [[nodiscard]] std::string text(std::string_view name) {
        const json::value* const found = line_.if_contains(name);
        if (found == nullptr || !found->is_string()) {
            refuse(name);
            return {};
        }
        return std::string{found->get_string()};
    }
    [[nodiscard]] std::uint64_t number(std::string_view name) {
        const json::value* const found = line_.if_contains(name);
        if (found != nullptr && found->is_uint64()) {
            return found->get_uint64();
        }
        if (found != nullptr && found->is_int64() && found->get_int64() >= 0) {
            return static_cast<std::uint64_t>(found->get_int64());
        }
        refuse(name);
        return 0;
    }
    [[nodiscard]] bool yes(std::string_view name) {
        const json::value* const found = line_.if_contains(name);
        if (found == nullptr || !found->is_bool()) {
            refuse(name);
            return false;
        }
        return found->get_bool();
    }

    void refuse(std::string_view name) {
        if (wrong_.empty()) {
            wrong_ = name;
        }
    }
    [[nodiscard]] const std::string& wrong() const { return wrong_; }

  private:
    const json::object& line_;
    std::string wrong_;
};

instant at(std::uint64_t nanoseconds) {
    return instant{duration{static_cast<std::int64_t>(nanoseconds)}};
}

request asked_in(fields& line) {
    request asked{.key = line.text("key")};
    const std::string what = line.text("op");
    if (what == "get") {
        return asked;
    }
    asked.what = what == "cas" ? verb::cas : verb::put;
    asked.value = line.text("value");
    if (asked.what == verb::cas) {
        asked.expected = log_index{line.number("expected_version")};
    } else if (what != "put") {
        line.refuse("op");
    }
    return asked;
}

reply heard_in(fields& line, outcome code) {
    return {.code = code,
            .index = log_index{line.number("index")},
            .version = log_index{line.number("version")}};
}

/// What came back to who was answered.
reply answer_in(fields& line, const request& asked) {
    reply heard = heard_in(line, outcome::done);
    if (asked.what != verb::get) {
        return heard;
    }
    if (line.yes("found")) {
        heard.value = line.text("read");
    } else {
        heard.code = outcome::not_found;
    }
    return heard;
}

/// Nothing: it certainly had no effect.
std::optional<operation> operation_in(fields& line) {
    operation one{.client = client_number{static_cast<std::uint32_t>(line.number("client"))},
                  .seq = line.number("seq"),
                  .request = asked_in(line),
                  .called = at(line.number("call_ns"))};
    const std::string how = line.text("outcome");
    if (how == "unknown") {
        one.reply.code = outcome::uncertain;
        return one;
    }
    one.returned = at(line.number("return_ns"));
    if (how == "ok") {
        one.reply = answer_in(line, one.request);
        return one;
    }
    if (how != "failed") {
        line.refuse("outcome");
    }
    if (line.text("code") == "conflict") {
        one.reply = heard_in(line, outcome::conflict);
        return one;
    }
    return std::nullopt;
}

/// The lines stand in the order of their ends.
history in_order_of_asking(std::vector<operation> all) {
    const auto asked_before = [](const operation& a, const operation& b) {
        return std::tie(a.called, a.client, a.seq) < std::tie(b.called, b.client, b.seq);
    };
    std::sort(all.begin(), all.end(), asked_before);
    history heard;
    for (operation& one : all) {
        reply told = std::exchange(one.reply, {});
        const std::optional<instant> returned = std::exchange(one.returned, std::nullopt);
        const auto ticket = heard.called(std::move(one));
        if (returned) {
            heard.returned(ticket, *returned, std::move(told));
        } else {
            heard.given_up(ticket);
        }
    }
    return heard;
}

} // namespace

result<history> read_bench_history(std::string_view text) {
    std::vector<operation> all;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        boost::system::error_code no_json;
        const json::value parsed = json::parse(text.substr(0, end), no_json);
        if (no_json || !parsed.is_object()) {
            return error{errc::malformed, fmt::format("line {} is no JSON object", number)};
        }
        fields line{parsed.get_object()};
        std::optional<operation> one = operation_in(line);
        if (!line.wrong().empty()) {
            return error{errc::malformed, fmt::format("line {}: \"{}\" is missing or cannot be",
                                                      number, line.wrong())};
        }
        if (one) {
            all.push_back(*std::move(one));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return in_order_of_asking(std::move(all));
}

} // namespace almenara::test::check
