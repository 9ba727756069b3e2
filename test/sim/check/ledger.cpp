#include "sim/check/ledger.hpp"

#include "base/bytes.hpp"

#include <set>
#include <string>

namespace almenara::sim::check {

namespace {

std::string text_of(const reply& told) {
    return fmt::format("{} \"{}\" version {} at index {}", wire::enumerator_name(told.code),
                       told.value, told.version, told.index);
}

} // namespace

void ledger::result_sent(const committed_log& committed,
                         const session_bytes& session,
                         std::uint64_t seq,
                         const reply& result) {
    const auto [first, is_new] = results_.try_emplace({session, seq}, result);
    if (!is_new && first->second != result) {
        found_.report("I14", "seq {} of session {} was answered {}, then {}", seq,
                      base::to_hex(session), text_of(first->second), text_of(result));
    }
    const committed_entry* entry = committed.at(result.index);
    if (entry == nullptr || entry->entry.session != session || entry->entry.seq != seq) {
        found_.report("I10", "seq {} of session {} is answered {}, and that entry is {}", seq,
                      base::to_hex(session), text_of(result),
                      entry == nullptr ? "not committed" : "another one's");
    }
}

key_values ledger::settle(const committed_log& committed, const history& heard) {
    std::map<log_index, const operation*> in_order;
    for (const operation& one : heard.operations()) {
        if (is_bad(one.request)) {
            check_refused(one, committed.find(one.session, one.seq));
        }
        if (one.seq == 0) {
            continue;
        }
        const auto place = committed.find(one.session, one.seq);
        check_place(one, place);
        if (place) {
            in_order.emplace(*place, &one);
        }
    }
    key_values state;
    for (const auto& [index, one] : in_order) {
        const reply expected = execute(state, one->request, index);
        const outcome code = one->reply.code;
        const bool told =
            code == outcome::done || code == outcome::conflict || code == outcome::not_found;
        if (told && one->reply != expected) {
            found_.report("I15", "{}; by the log it is {}", to_string(*one), text_of(expected));
        }
    }
    return state;
}

void ledger::check_place(const operation& one, std::optional<log_index> place) {
    switch (one.reply.code) {
    case outcome::done:
    case outcome::conflict:
    case outcome::not_found:
        if (place != one.reply.index) {
            found_.report("I12", "{}; in the log it is {}", to_string(one),
                          place ? fmt::format("index {}", *place) : std::string{"nowhere"});
        }
        break;
    case outcome::refused:
        if (place) {
            found_.report("I27", "{}; it took effect at index {}", to_string(one), *place);
        }
        break;
    case outcome::open:
    case outcome::uncertain:
        break;
    }
}

/// I27 of what is INVALID: it has no place, whether anybody heard so or not, and no other answer.
void ledger::check_refused(const operation& one, std::optional<log_index> place) {
    const outcome code = one.reply.code;
    if (place) {
        found_.report("I27", "{}; it cannot be, and took effect at index {}", to_string(one),
                      *place);
    } else if (one.returned && code != outcome::refused) {
        found_.report("I27", "{}; it cannot be, and was not refused", to_string(one));
    }
}

void ledger::check_state(server_id server, const key_values& expected, const key_values& found) {
    std::set<std::string> keys;
    for (const auto& [key, row] : expected) {
        keys.insert(key);
    }
    for (const auto& [key, row] : found) {
        keys.insert(key);
    }
    const auto text = [](const key_values& rows, const std::string& key) {
        const auto row = rows.find(key);
        return row == rows.end()
                   ? std::string{"nothing"}
                   : fmt::format("\"{}\" version {}", row->second.value, row->second.version);
    };
    for (const auto& key : keys) {
        if (text(expected, key) != text(found, key)) {
            found_.report("I12", "server {} has {} at {}; what was confirmed makes it {}", server,
                          text(found, key), key, text(expected, key));
        }
    }
}

} // namespace almenara::sim::check
