#include "services/kv/service.hpp"

#include "base/check.hpp"
#include "services/body.hpp"
#include "services/kv/messages.hpp"
#include "state/limits.hpp"
#include "wire/codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace almenara::services::kv {

namespace {

using state::done;
using state::outcome;
using state::refused;
using state::result_code;

constexpr std::string_view row_prefix = "kv/";

// Two values and a key must fit into one operation.
static_assert(largest_value + largest_expected_value + largest_key + 256 <=
              state::limits{}.largest_body);

std::string row_key(std::string_view key) {
    std::string row;
    row.reserve(row_prefix.size() + key.size());
    row += row_prefix;
    row += key;
    return row;
}

std::optional<kv_row> find(const state::table_view& rows, std::string_view key) {
    const auto bytes = rows.get(row_key(key));
    if (!bytes) {
        return std::nullopt;
    }
    auto row = wire::decode<kv_row>(*bytes);
    // No entry makes a row that cannot be read (service::accepts).
    ALMENARA_CHECK(row.has_value());
    return std::move(*row);
}

template <wire::described_struct Message>
done answer(const Message& message) {
    return {body_of<kv_messages>(message)};
}

refused conflicts(conflict_reason reason, log_index version) {
    return {.code = result_code::conflict,
            .body = body_of<kv_messages>(conflict{.reason = reason, .version = version})};
}

/// The number that a value is; nothing if it is none, or has anything around it.
std::optional<std::int64_t> number_in(base::byte_view value) {
    const std::string_view text = base::as_text(value);
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

std::optional<std::int64_t> sum(std::int64_t number, const add& what) {
    using bounds = std::numeric_limits<std::int64_t>;
    const bool fits = what.delta >= 0 ? number <= bounds::max() - what.delta
                                      : number >= bounds::min() - what.delta;
    return fits ? std::optional{number + what.delta} : std::nullopt;
}

// -- What follows from the body alone (B.5.2): no entry, whatever the state is --------------------

std::optional<refused> bad_key(std::string_view key) {
    if (key.empty()) {
        return refused{result_code::invalid};
    }
    if (key.size() > largest_key) {
        return refused{result_code::too_large};
    }
    return std::nullopt;
}

std::optional<refused> bad_row(std::string_view key, base::byte_view value) {
    if (value.size() > largest_value) {
        return refused{result_code::too_large};
    }
    return bad_key(key);
}

std::optional<refused> bad(const put& what) {
    return bad_row(what.key, what.value);
}

std::optional<refused> bad(const cas& what) {
    const bool expects_nothing = !what.expected_version && !what.expected_value;
    // It cannot be absent and have a value.
    const bool expects_both = what.expected_version == log_index{0} && what.expected_value;
    if (expects_nothing || expects_both) {
        return refused{result_code::invalid};
    }
    if (what.expected_value && what.expected_value->size() > largest_expected_value) {
        return refused{result_code::too_large};
    }
    return bad_row(what.key, what.value);
}

std::optional<refused> bad(const list& what) {
    if (what.prefix.size() > largest_key || (what.after && what.after->size() > largest_key)) {
        return refused{result_code::too_large};
    }
    return std::nullopt;
}

template <class Request>
std::optional<refused> bad(const Request& what) {
    return bad_key(what.key);
}

// -- Operations -----------------------------------------------------------------------------------

class operation {
  public:
    operation(const state::context& about, state::transaction& rows) : about_(about), rows_(rows) {}

    outcome run(put what) {
        write(what.key, std::move(what.value));
        return answer(written{about_.index});
    }

    outcome run(cas what) {
        const auto row = find(rows_, what.key);
        const log_index version = row ? row->version : log_index{0};
        if (!row && what.expected_version != log_index{0}) {
            return refused{result_code::not_found};
        }
        if (what.expected_version && *what.expected_version != version) {
            return conflicts(conflict_reason::version, version);
        }
        if (what.expected_value && *what.expected_value != row->value) {
            return conflicts(conflict_reason::value, version);
        }
        write(what.key, std::move(what.value));
        return answer(written{about_.index});
    }

    outcome run(const add& what) {
        const auto row = find(rows_, what.key);
        const auto before = row ? number_in(row->value) : std::optional<std::int64_t>{0};
        if (!before) {
            return conflicts(conflict_reason::not_a_number, row->version);
        }
        const auto after = sum(*before, what);
        if (!after) {
            return conflicts(conflict_reason::overflow, row->version);
        }
        const auto text = fmt::format("{}", *after);
        const base::byte_view bytes = base::as_bytes(text);
        write(what.key, {bytes.begin(), bytes.end()});
        return answer(added{.version = about_.index, .value = *after});
    }

    outcome run(const remove& what) {
        if (!find(rows_, what.key)) {
            return refused{result_code::not_found};
        }
        rows_.erase(row_key(what.key));
        return answer(written{about_.index});
    }

  private:
    void write(std::string_view key, base::byte_vector value) {
        rows_.put_row(row_key(key), kv_row{.version = about_.index, .value = std::move(value)});
    }

    const state::context& about_;
    state::transaction& rows_;
};

// -- Questions ------------------------------------------------------------------------------------

state::key_range range_of(const list& what) {
    state::key_range range = state::prefix_range(row_key(what.prefix));
    if (what.after) {
        range.from = std::max(range.from, row_key(*what.after) + '\0');
    }
    return range;
}

class question {
  public:
    explicit question(const state::table_view& rows) : rows_(rows) {}

    outcome run(const get& what) const {
        auto row = find(rows_, what.key);
        if (!row) {
            return refused{result_code::not_found};
        }
        return answer(value{.version = row->version, .bytes = std::move(row->value)});
    }

    /// A page ends with its rows or before the bytes that may be looked at, values included whether
    /// they are asked for or not. A single large row is a page of its own.
    outcome run(const list& what) const {
        const std::size_t most = what.rows == 0
                                     ? largest_page_rows
                                     : std::min<std::size_t>(what.rows, largest_page_rows);
        const state::key_range range = range_of(what);
        // One row more than a page has: it says whether there is another page.
        const auto rows = rows_.scan(range, {.rows = most + 1, .bytes = largest_page_bytes + 1});
        page found;
        std::size_t bytes = 0;
        for (const state::row& row : rows) {
            bytes += state::size_of(row);
            if (found.keys.size() == most || (bytes > largest_page_bytes && !found.keys.empty())) {
                break;
            }
            found.keys.push_back(listed(row, what.with_values));
        }
        const bool is_alone = rows.size() == 1 && bytes > largest_page_bytes;
        if (found.keys.size() < rows.size() || (is_alone && is_any_behind(rows[0], range))) {
            found.more_after = found.keys.back().key;
        }
        return answer(found);
    }

  private:
    bool is_any_behind(const state::row& last, state::key_range range) const {
        range.from = last.key + '\0';
        return !rows_.scan(range, {.rows = 1}).empty();
    }

    static listed_key listed(const state::row& row, bool with_value) {
        auto read = wire::decode<kv_row>(row.value);
        ALMENARA_CHECK(read.has_value());
        listed_key one{.key = row.key.substr(row_prefix.size()), .version = read->version};
        if (with_value) {
            one.value = std::move(read->value);
        }
        return one;
    }

    const state::table_view& rows_;
};

/// Runs what the body asks for, if the runner can and the request is sound.
template <class Runner>
outcome run_with(Runner runner, base::byte_view body) {
    outcome result = refused{result_code::invalid};
    const auto read = dispatch_body<kv_messages>(body, [&]<class Request>(Request request) {
        if constexpr (requires { runner.run(std::move(request)); }) {
            if (auto refusal = bad(request)) {
                result = std::move(*refusal);
            } else {
                result = runner.run(std::move(request));
            }
        }
    });
    return read ? std::move(result) : outcome{refused{result_code::invalid}};
}

} // namespace

outcome service::execute(const state::context& about,
                         state::transaction& rows,
                         base::byte_view body) const {
    return run_with(operation{about, rows}, body);
}

bool service::accepts(const state::change& what) const {
    if (!what.key.starts_with(row_prefix) || what.kind == state::change_kind::erase) {
        return true;
    }
    return what.kind == state::change_kind::put && wire::decode<kv_row>(what.bytes).has_value();
}

outcome service::query(const state::table_view& rows, base::byte_view body) const {
    return run_with(question{rows}, body);
}

} // namespace almenara::services::kv
