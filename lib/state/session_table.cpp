#include "state/session_table.hpp"

#include "base/check.hpp"
#include "state/rules.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <utility>

namespace almenara::state {

namespace {

constexpr std::string_view nonce_prefix = "nonce/";
constexpr std::string_view result_prefix = "result/";
constexpr std::string_view count_key = "sessions";

/// No key of these is longer: one allocation makes it.
constexpr std::size_t longest_key = 48;

std::string begin_key(std::string_view prefix) {
    std::string key;
    key.reserve(longest_key);
    key += prefix;
    return key;
}

/// Ids stand in keys as their bytes.
template <class Id>
void append_id(std::string& key, const Id& id) {
    const auto bytes = id.value();
    key += base::as_text(bytes);
}

/// Big endian: keys are in the order of the numbers.
void append_number(std::string& key, std::uint64_t number) {
    for (unsigned shift = 64; shift > 0; shift -= 8) {
        key += static_cast<char>(static_cast<unsigned char>(number >> (shift - 8)));
    }
}

std::uint64_t number_behind(std::string_view key, std::size_t prefix) {
    ALMENARA_CHECK(key.size() == prefix + sizeof(std::uint64_t));
    std::uint64_t number = 0;
    for (const char digit : key.substr(prefix)) {
        number = number << 8U | static_cast<unsigned char>(digit);
    }
    return number;
}

std::string nonce_key(device_id device, open_nonce nonce) {
    std::string key = begin_key(nonce_prefix);
    append_id(key, device);
    append_id(key, nonce);
    return key;
}

std::string result_key(session_id session, sequence seq) {
    std::string key = begin_key(result_prefix);
    append_id(key, session);
    append_number(key, seq.value());
    return key;
}

/// The entry that the row says it comes from.
log_index origin_of(const session_row& row) {
    return row.opened;
}
log_index origin_of(const nonce_row& row) {
    return row.opened;
}
log_index origin_of(const result_row& row) {
    return row.index;
}
log_index origin_of(const session_count_row&) {
    return {};
}

template <class Row>
bool makes_row(const change& what, log_index index) {
    if (what.kind != change_kind::put) {
        return what.kind == change_kind::erase;
    }
    const auto row = wire::decode<Row>(what.bytes);
    return row && origin_of(*row) <= index;
}

constexpr std::size_t id_size = sizeof(session_id::rep);

/// The rows are this room's own, and no entry makes one that cannot be read
/// (accepts_session_change): here it is a broken state, not bad input.
template <class Row>
std::optional<Row> read_row(const table_view& rows, std::string_view key) {
    const auto bytes = rows.get(key);
    if (!bytes) {
        return std::nullopt;
    }
    auto read = wire::decode<Row>(*bytes);
    ALMENARA_CHECK(read.has_value());
    return std::move(*read);
}

/// Behind the results that the client has by the time it says so.
std::vector<sequence>::const_iterator behind_acked(const known_session& session, const place& at) {
    return std::lower_bound(session.results.begin(), session.results.end(), at.first_unacked);
}

void count(transaction& rows, std::uint64_t sessions) {
    rows.put_row(std::string{count_key}, session_count_row{sessions});
}

} // namespace

std::string session_key(session_id session) {
    std::string key = begin_key(session_prefix);
    append_id(key, session);
    return key;
}

session_id session_of_key(std::string_view key) {
    session_id::rep bytes{};
    ALMENARA_CHECK(key.size() == session_prefix.size() + bytes.size());
    const base::byte_view id = base::as_bytes(key.substr(session_prefix.size()));
    std::copy(id.begin(), id.end(), bytes.begin());
    return session_id{bytes};
}

bool is_written_once(std::string_view key) {
    return key.starts_with(result_prefix);
}

bool accepts_session_change(const change& what, log_index index) {
    const std::string_view key = what.key;
    const auto behind = [key](std::string_view prefix) { return key.size() - prefix.size(); };
    if (key.starts_with(session_prefix)) {
        return behind(session_prefix) == id_size && makes_row<session_row>(what, index);
    }
    if (key.starts_with(nonce_prefix)) {
        return behind(nonce_prefix) == 2 * id_size && makes_row<nonce_row>(what, index);
    }
    if (key.starts_with(result_prefix)) {
        return behind(result_prefix) == id_size + sizeof(std::uint64_t) &&
               makes_row<result_row>(what, index);
    }
    return key != count_key || makes_row<session_count_row>(what, index);
}

std::optional<session_row> find_session(const table_view& rows, session_id session) {
    return read_row<session_row>(rows, session_key(session));
}

std::optional<nonce_row> find_opening(const table_view& rows, device_id device, open_nonce nonce) {
    return read_row<nonce_row>(rows, nonce_key(device, nonce));
}

std::optional<result_row> find_result(const table_view& rows, session_id session, sequence seq) {
    return read_row<result_row>(rows, result_key(session, seq));
}

std::vector<sequence> results_of(const table_view& rows,
                                 session_id session,
                                 const session_row& row) {
    std::vector<sequence> all;
    if (row.results == 0) {
        return all;
    }
    std::string results{result_prefix};
    append_id(results, session);
    all.reserve(row.results);
    for (const state::row& result : rows.scan(prefix_range(results), {.rows = row.results})) {
        all.push_back(sequence{number_behind(result.key, results.size())});
    }
    return all;
}

std::uint64_t count_sessions(const table_view& rows) {
    return read_row<session_count_row>(rows, count_key).value_or(session_count_row{}).sessions;
}

standing judge(const table_view& rows,
               const known_session& session,
               const place& at,
               const limits& bounds) {
    if (at.seq < session.row.first_unacked) {
        return is_stale{};
    }
    if (std::binary_search(session.results.begin(), session.results.end(), at.seq)) {
        auto result = find_result(rows, at.session, at.seq);
        if (!result) {
            return is_cold{};
        }
        return is_known{std::move(*result)};
    }
    // C.1: the window counts results, not numbers: there may be holes.
    const auto left = std::distance(behind_acked(session, at), session.results.end());
    if (static_cast<std::size_t>(left) >= bounds.window) {
        return window_is_full{};
    }
    return is_new{};
}

void open_session(transaction& rows,
                  session_id session,
                  const nonce_row& opening,
                  const session_row& opened) {
    rows.put_row(session_key(session), opened);
    rows.put_row(nonce_key(opened.device, opened.nonce), opening);
    count(rows, count_sessions(rows) + 1);
}

void record_result(transaction& rows,
                   const place& at,
                   known_session& session,
                   const result_row& result,
                   wall_time time) {
    const auto left = behind_acked(session, at);
    for (auto acked = session.results.cbegin(); acked != left; ++acked) {
        rows.erase(result_key(at.session, *acked));
    }
    session.results.erase(session.results.cbegin(), left);
    session_row& row = session.row;
    row.first_unacked = std::max(row.first_unacked, at.first_unacked);
    row.last = std::max(row.last, at.seq);
    row.active = std::max(row.active, time);
    // C.1: what an operation came to is part of the same entry as what it changed.
    if (holds(rule::dedup_row_in_update)) {
        rows.put_row(result_key(at.session, at.seq), result);
        session.results.insert(
            std::lower_bound(session.results.begin(), session.results.end(), at.seq), at.seq);
    }
    row.results = static_cast<std::uint32_t>(session.results.size());
    rows.put_row(session_key(at.session), row);
}

void touch_session(transaction& rows, session_id session, wall_time time) {
    if (auto row = find_session(rows, session)) {
        row->active = std::max(row->active, time);
        rows.put_row(session_key(session), *row);
    }
}

void erase_session(transaction& rows, session_id session) {
    const auto found = find_session(rows, session);
    if (!found) {
        return;
    }
    std::string results{result_prefix};
    append_id(results, session);
    for (const row& result : rows.scan(prefix_range(results), {.rows = found->results})) {
        rows.erase(result.key);
    }
    rows.erase(nonce_key(found->device, found->nonce));
    rows.erase(session_key(session));
    // Only an entry of somebody else's making could have left the count too low.
    count(rows, std::max<std::uint64_t>(count_sessions(rows), 1) - 1);
}

} // namespace almenara::state
