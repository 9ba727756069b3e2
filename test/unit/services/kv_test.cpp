#include "base/random.hpp"
#include "services/body.hpp"
#include "services/kv/messages.hpp"
#include "services/kv/service.hpp"
#include "state/memory_key_space.hpp"
#include "state/transaction.hpp"
#include "support/printing.hpp"
#include "unit/state/little_server.hpp"

#include <catch2/catch_all.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

// The key-value service: what scripts may rely on.
namespace almenara::services::kv {

namespace {

using state::result_code;
using test::bytes_of;

/// A state to operate on, entry by entry.
class shelf {
  public:
    template <class Request>
    state::reply says(const Request& request) {
        return says_bytes(body_of<kv_messages>(request));
    }
    state::reply says_bytes(const base::byte_vector& body) {
        index_ = index_.next();
        state::transaction rows{base_};
        const state::reply told = told_by(service_.execute({.index = index_}, rows, body));
        if (told.code != result_code::ok) {
            rows.forget_changes();
        }
        base_.apply({.index = index_}, rows.take_changes());
        return told;
    }
    template <class Request>
    [[nodiscard]] state::reply asks(const Request& request) const {
        return asks_bytes(body_of<kv_messages>(request));
    }
    [[nodiscard]] state::reply asks_bytes(const base::byte_vector& body) const {
        return told_by(service_.query(base_, body));
    }

    /// A write that must succeed; gives its version.
    template <class Request>
    log_index does(const Request& request) {
        const state::reply told = says(request);
        REQUIRE(told.code == result_code::ok);
        return index_;
    }
    log_index has(std::string_view key, std::string_view value) {
        return does(put{.key = std::string{key}, .value = bytes_of(value)});
    }

    [[nodiscard]] log_index index() const { return index_; }
    [[nodiscard]] std::size_t size() const { return base_.size(); }

    [[nodiscard]] std::string text(const std::string& key) const {
        const state::reply found = asks(get{key});
        return found.code == result_code::ok
                   ? std::string{base::as_text(test::kv_message<value>(found).bytes)}
                   : std::string{"none"};
    }

  private:
    static state::reply told_by(state::outcome&& result) {
        if (auto* const done = std::get_if<state::done>(&result)) {
            return {.code = result_code::ok, .body = std::move(done->body)};
        }
        auto& refusal = std::get<state::refused>(result);
        return {.code = refusal.code, .body = std::move(refusal.body)};
    }

    state::memory_key_space base_;
    service service_;
    log_index index_;
};

conflict conflict_in(const state::reply& told) {
    REQUIRE(told.code == result_code::conflict);
    return test::kv_message<conflict>(told);
}

std::vector<std::string> keys_in(const page& found) {
    std::vector<std::string> keys;
    for (const listed_key& one : found.keys) {
        keys.push_back(one.key);
    }
    return keys;
}

page page_of(const shelf& rows, const list& question) {
    const state::reply told = rows.asks(question);
    REQUIRE(told.code == result_code::ok);
    return test::kv_message<page>(told);
}

using names = std::vector<std::string>;

} // namespace

TEST_CASE("kv put: the value is there, and its version is the index of the write") {
    shelf rows;
    rows.has("other", "x");
    const state::reply told = rows.says(put{.key = "a", .value = bytes_of("1")});
    REQUIRE(told.code == result_code::ok);
    CHECK(test::kv_message<written>(told).version == log_index{2});
    const auto found = test::kv_message<value>(rows.asks(get{"a"}));
    CHECK(found.version == log_index{2});
    CHECK(found.bytes == bytes_of("1"));
}

TEST_CASE("kv versions are fencing tokens: every write of a key has a higher one") {
    shelf rows;
    log_index before;
    for (int round = 0; round < 3; ++round) {
        for (const log_index version :
             {rows.has("a", "same"), rows.does(remove{"a"}), rows.does(add{.key = "a", .delta = 0}),
              rows.does(cas{.key = "a", .expected_value = bytes_of("0"), .value = {}})}) {
            CHECK(version > before);
            before = version;
        }
    }
}

TEST_CASE("kv get: a key that is not there is NOT_FOUND, an empty value is there") {
    shelf rows;
    rows.has("empty", "");
    CHECK(rows.asks(get{"a"}).code == result_code::not_found);
    CHECK(rows.asks(get{"empty"}).code == result_code::ok);
    CHECK(rows.asks(get{"empt"}).code == result_code::not_found);
    CHECK(rows.asks(get{"empty/"}).code == result_code::not_found);
}

TEST_CASE("kv rm: the key is gone; a key that is not there is NOT_FOUND") {
    shelf rows;
    rows.has("a", "1");
    const state::reply told = rows.says(remove{"a"});
    CHECK(test::kv_message<written>(told).version == log_index{2});
    CHECK(rows.text("a") == "none");
    CHECK(rows.says(remove{"a"}).code == result_code::not_found);
}

TEST_CASE("kv cas by version: swapped only if nobody has written meanwhile") {
    shelf rows;
    const log_index first = rows.has("a", "1");
    const log_index second =
        rows.does(cas{.key = "a", .expected_version = first, .value = bytes_of("2")});
    CHECK(rows.text("a") == "2");
    const auto lost =
        conflict_in(rows.says(cas{.key = "a", .expected_version = first, .value = bytes_of("3")}));
    CHECK(lost.reason == conflict_reason::version);
    CHECK(lost.version == second);
    CHECK(rows.text("a") == "2");
}

TEST_CASE("kv cas by version: a value that came back is another version") {
    shelf rows;
    const log_index first = rows.has("a", "1");
    rows.has("a", "2");
    rows.has("a", "1");
    CHECK(rows.says(cas{.key = "a", .expected_version = first, .value = {}}).code ==
          result_code::conflict);
}

TEST_CASE("kv cas by version 0: only who comes first makes the key") {
    shelf rows;
    const log_index first =
        rows.does(cas{.key = "lock", .expected_version = log_index{0}, .value = bytes_of("me")});
    const auto late = conflict_in(
        rows.says(cas{.key = "lock", .expected_version = log_index{0}, .value = bytes_of("you")}));
    CHECK(late.version == first);
    CHECK(rows.text("lock") == "me");
}

TEST_CASE("kv cas by value") {
    shelf rows;
    const log_index first = rows.has("a", "1");
    const auto lost = conflict_in(
        rows.says(cas{.key = "a", .expected_value = bytes_of("0"), .value = bytes_of("3")}));
    CHECK(lost.reason == conflict_reason::value);
    CHECK(lost.version == first);
    rows.does(cas{.key = "a", .expected_value = bytes_of("1"), .value = bytes_of("2")});
    CHECK(rows.text("a") == "2");
}

TEST_CASE("kv cas by version and value: both must be so") {
    shelf rows;
    const log_index version = rows.has("a", "1");
    const cas wrong_value{.key = "a",
                          .expected_version = version,
                          .expected_value = bytes_of("2"),
                          .value = bytes_of("x")};
    CHECK(conflict_in(rows.says(wrong_value)).reason == conflict_reason::value);
    cas right = wrong_value;
    right.expected_value = bytes_of("1");
    rows.does(right);
    CHECK(rows.text("a") == "x");
}

TEST_CASE("kv cas: a key that is not there is NOT_FOUND") {
    shelf rows;
    CHECK(rows.says(cas{.key = "a", .expected_value = bytes_of(""), .value = {}}).code ==
          result_code::not_found);
    CHECK(rows.says(cas{.key = "a", .expected_version = log_index{3}, .value = {}}).code ==
          result_code::not_found);
    CHECK(rows.size() == 0);
}

TEST_CASE("kv add: a counter begins with 0 and is a decimal number for everybody else") {
    shelf rows;
    CHECK(test::kv_message<added>(rows.says(add{.key = "n", .delta = 5})).value == 5);
    const auto told = test::kv_message<added>(rows.says(add{.key = "n", .delta = -47}));
    CHECK(told.value == -42);
    CHECK(told.version == log_index{2});
    CHECK(rows.text("n") == "-42");
    rows.has("n", "7");
    CHECK(test::kv_message<added>(rows.says(add{.key = "n", .delta = 0})).value == 7);
}

TEST_CASE("kv add: what is no number is a CONFLICT and stays") {
    shelf rows;
    const std::string text = GENERATE("", "x", "1x", " 1", "1\n", "+1", "1.5", "--1",
                                      "9223372036854775808", "-9223372036854775809");
    CAPTURE(text);
    const log_index version = rows.has("n", text);
    const auto told = conflict_in(rows.says(add{.key = "n", .delta = 1}));
    CHECK(told.reason == conflict_reason::not_a_number);
    CHECK(told.version == version);
    CHECK(rows.text("n") == text);
}

TEST_CASE("kv add: a sum beyond 64 bits is a CONFLICT, up to there it is exact") {
    using bounds = std::numeric_limits<std::int64_t>;
    shelf rows;
    rows.does(add{.key = "n", .delta = bounds::max()});
    CHECK(conflict_in(rows.says(add{.key = "n", .delta = 1})).reason == conflict_reason::overflow);
    CHECK(rows.text("n") == "9223372036854775807");
    rows.does(add{.key = "n", .delta = bounds::min()});
    CHECK(rows.text("n") == "-1");
    rows.does(add{.key = "n", .delta = bounds::min() + 1});
    CHECK(rows.text("n") == "-9223372036854775808");
    CHECK(conflict_in(rows.says(add{.key = "n", .delta = -1})).reason == conflict_reason::overflow);
    CHECK(conflict_in(rows.says(add{.key = "n", .delta = bounds::min()})).reason ==
          conflict_reason::overflow);
}

TEST_CASE("kv keys have 1 to 512 bytes, values up to 256 KiB") {
    shelf rows;
    const std::string longest(512, 'k');
    const std::string too_long(513, 'k');
    rows.has(longest, std::string(256U << 10U, 'v'));
    CHECK(rows.text(longest).size() == 256U << 10U);
    CHECK(rows.says(put{.key = "a", .value = base::byte_vector((256U << 10U) + 1)}).code ==
          result_code::too_large);
    CHECK(rows.says(cas{.key = "a",
                        .expected_version = log_index{0},
                        .value = base::byte_vector((256U << 10U) + 1)})
              .code == result_code::too_large);
    for (const auto& [key, code] : {std::pair{too_long, result_code::too_large},
                                    std::pair{std::string{}, result_code::invalid}}) {
        CHECK(rows.says(put{.key = key}).code == code);
        CHECK(rows.says(cas{.key = key, .expected_version = log_index{0}}).code == code);
        CHECK(rows.says(add{.key = key}).code == code);
        CHECK(rows.says(remove{key}).code == code);
        CHECK(rows.asks(get{key}).code == code);
    }
    CHECK(rows.asks(list{.prefix = too_long}).code == result_code::too_large);
    CHECK(rows.asks(list{.after = too_long}).code == result_code::too_large);
}

TEST_CASE("kv cas: a value that would not fit beside another one is expected by its version") {
    shelf rows;
    const log_index version = rows.has("a", std::string(largest_value, 'v'));
    cas swap{.key = "a",
             .expected_value = base::byte_vector(largest_expected_value + 1),
             .value = base::byte_vector(largest_value)};
    CHECK(rows.says(swap).code == result_code::too_large);
    swap.expected_value->pop_back();
    CHECK(body_of<kv_messages>(swap).size() <= state::limits{}.largest_body);
    CHECK(rows.says(swap).code == result_code::conflict);
    swap.expected_value.reset();
    swap.expected_version = version;
    rows.does(swap);
}

TEST_CASE("kv cas must say what it expects, and not two things that exclude each other") {
    shelf rows;
    CHECK(rows.says(cas{.key = "a", .value = bytes_of("1")}).code == result_code::invalid);
    CHECK(rows.says(cas{.key = "a",
                        .expected_version = log_index{0},
                        .expected_value = bytes_of(""),
                        .value = bytes_of("1")})
              .code == result_code::invalid);
    CHECK(rows.size() == 0);
}

TEST_CASE("kv any bytes are a key, and keys do not reach other rows") {
    shelf rows;
    const std::string odd{"\0\xff/../session/", 15};
    rows.has(odd, "1");
    CHECK(rows.text(odd) == "1");
    CHECK(keys_in(page_of(rows, {})) == names{odd});
}

TEST_CASE("kv list: keys of a prefix in order, with their versions, values only on request") {
    shelf rows;
    for (const auto* const key : {"b/2", "a", "b/1", "b", "c"}) {
        rows.has(key, key);
    }
    const page found = page_of(rows, {.prefix = "b"});
    CHECK(keys_in(found) == names{"b", "b/1", "b/2"});
    CHECK(found.keys[2].version == log_index{1});
    CHECK_FALSE(found.keys[0].value);
    CHECK_FALSE(found.more_after);
    CHECK(page_of(rows, {.prefix = "b/", .with_values = true}).keys[1].value == bytes_of("b/2"));
    CHECK(keys_in(page_of(rows, {})) == names{"a", "b", "b/1", "b/2", "c"});
    CHECK(page_of(rows, {.prefix = "d"}).keys.empty());
}

TEST_CASE("kv list: pages join without a gap and without doubles") {
    shelf rows;
    names all;
    for (int i = 100; i < 137; ++i) {
        all.push_back("k" + std::to_string(i));
        rows.has(all.back(), "x");
    }
    rows.has("l", "behind the prefix");
    names seen;
    list question{.prefix = "k", .rows = 10};
    for (int pages = 0; pages < 4; ++pages) {
        const page found = page_of(rows, question);
        CHECK(found.keys.size() == (pages < 3 ? 10 : 7));
        CHECK(found.more_after.has_value() == (pages < 3));
        for (const auto& key : keys_in(found)) {
            seen.push_back(key);
        }
        question.after = found.more_after;
    }
    CHECK(seen == all);
}

TEST_CASE("kv list: a page that ends exactly with the last key says that there is no other") {
    shelf rows;
    rows.has("a", "1");
    rows.has("b", "2");
    CHECK_FALSE(page_of(rows, {.rows = 2}).more_after);
    CHECK(page_of(rows, {.rows = 1}).more_after == "a");
}

TEST_CASE("kv list: it goes on behind a key that is gone meanwhile, and never before its prefix") {
    shelf rows;
    rows.has("a", "1");
    rows.has("b", "2");
    rows.has("c", "3");
    CHECK(keys_in(page_of(rows, {.after = "aa"})) == names{"b", "c"});
    CHECK(keys_in(page_of(rows, {.prefix = "c", .after = "a"})) == names{"c"});
    CHECK(page_of(rows, {.prefix = "a", .after = "c"}).keys.empty());
}

TEST_CASE("kv list: a page is bounded in rows and in the bytes that are looked at") {
    shelf rows;
    for (int i = 0; i < 1001; ++i) {
        rows.has("small" + std::to_string(10'000 + i), "");
    }
    const page most = page_of(rows, {.prefix = "small", .rows = 1'000'000});
    CHECK(most.keys.size() == 1000);
    CHECK(most.more_after == "small10999");

    for (const auto* const key : {"large1", "large2", "large3"}) {
        rows.has(key, std::string(200U << 10U, 'v'));
    }
    const page values = page_of(rows, {.prefix = "large", .with_values = true});
    // Two of them would be more than a page: it ends before.
    CHECK(keys_in(values) == names{"large1"});
    CHECK(values.more_after == "large1");
    CHECK(page_of(rows, {.prefix = "large"}).keys.size() == 1);
}

TEST_CASE("kv list: a page fits into one answer; a single row of the largest kind is one") {
    shelf rows;
    const std::string long_key(511, 'k');
    for (const auto* const last : {"1", "2", "3"}) {
        rows.has(long_key + last, std::string(largest_value, 'v'));
    }
    list question{.with_values = true};
    for (const auto* const last : {"1", "2", "3"}) {
        const state::reply told = rows.asks(question);
        CHECK(told.body.size() <= largest_value + 2048);
        const auto found = test::kv_message<page>(told);
        CHECK(keys_in(found) == names{long_key + last});
        question.after = found.more_after;
    }
    CHECK_FALSE(question.after);
}

namespace {

/// Counts what is copied out of it.
class counting_view final : public state::table_view {
  public:
    explicit counting_view(const state::table_view& rows) : rows_(rows) {}
    [[nodiscard]] std::optional<base::byte_vector> get(std::string_view key) const override {
        return rows_.get(key);
    }
    [[nodiscard]] std::vector<state::row> scan(const state::key_range& range,
                                               const state::scan_limit& limit) const override {
        auto found = rows_.scan(range, limit);
        for (const state::row& one : found) {
            bytes += state::size_of(one);
        }
        return found;
    }

    mutable std::size_t bytes = 0;

  private:
    const state::table_view& rows_;
};

} // namespace

TEST_CASE("kv list: a question copies a page and one row more, whatever lies in the rows") {
    state::memory_key_space base;
    std::vector<state::change> changes;
    base::byte_vector row;
    wire::encode(kv_row{.version = log_index{1}, .value = base::byte_vector(100U << 10U)}, row);
    for (const auto* const key : {"kv/1", "kv/2", "kv/3", "kv/4", "kv/5", "kv/6"}) {
        changes.push_back({.kind = state::change_kind::put, .key = key, .bytes = row});
    }
    base.apply({.index = log_index{1}}, changes);
    const counting_view rows{base};
    const service kv;
    REQUIRE(std::holds_alternative<state::done>(kv.query(rows, body_of<kv_messages>(list{}))));
    CHECK(rows.bytes <= largest_page_bytes + row.size() + largest_key);
}

TEST_CASE("kv what is no operation is INVALID, and so are operations as questions") {
    shelf rows;
    rows.has("a", "1");
    CHECK(rows.says(get{"a"}).code == result_code::invalid);
    CHECK(rows.says(written{log_index{1}}).code == result_code::invalid);
    CHECK(rows.says(kv_row{}).code == result_code::invalid);
    CHECK(rows.asks(put{.key = "a", .value = bytes_of("2")}).code == result_code::invalid);
    CHECK(rows.text("a") == "1");
}

TEST_CASE("kv bodies that make no sense are INVALID") {
    shelf rows;
    const auto good = body_of<kv_messages>(put{.key = "a", .value = bytes_of("1")});
    for (std::size_t size = 0; size < good.size(); ++size) {
        const base::byte_vector cut{good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)};
        CHECK(rows.says_bytes(cut).code == result_code::invalid);
        CHECK(rows.asks_bytes(cut).code == result_code::invalid);
    }
    auto longer = good;
    longer.push_back(std::byte{0});
    CHECK(rows.says_bytes(longer).code == result_code::invalid);
    auto unknown = good;
    unknown[1] = std::byte{0x77};
    CHECK(rows.says_bytes(unknown).code == result_code::invalid);
    CHECK(rows.size() == 0);
}

TEST_CASE("kv no body does harm, and a refused one changes nothing") {
    shelf rows;
    rows.has("a", "1");
    base::generator random{1};
    for (int round = 0; round < 20'000; ++round) {
        base::byte_vector body(random.below(24));
        for (std::byte& one : body) {
            one = static_cast<std::byte>(random.below(256));
        }
        if (body.size() >= 2) {
            body[0] = static_cast<std::byte>(random.below(14));
            body[1] = std::byte{0x10};
        }
        const std::size_t before = rows.size();
        if (rows.says_bytes(body).code != result_code::ok) {
            REQUIRE(rows.size() == before);
        }
        static_cast<void>(rows.asks_bytes(body));
    }
}

} // namespace almenara::services::kv
