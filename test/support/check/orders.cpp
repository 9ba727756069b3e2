#include "support/check/orders.hpp"

#include "support/check/order_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

namespace almenara::test::check {

namespace {

constexpr std::size_t most_examples = 5;

/// Where an operation stands by the index that its answer names: a write is its entry, a read comes
/// behind the entry that it rests on. Nobody knows of one without an answer, so it stands at the
/// end, where it may be left out.
using place = std::pair<std::uint64_t, bool>;

place place_of(const operation& one) {
    if (!one.returned) {
        return {std::numeric_limits<std::uint64_t>::max(), true};
    }
    return {one.reply.index.value(), one.request.what == verb::get};
}

bool is_a_write(const operation& one) {
    return one.request.what != verb::get;
}

/// A value tells the place of its write, if anybody who read it says where that was.
std::map<std::string, log_index> versions_read(const std::vector<operation>& of_one_key) {
    std::map<std::string, log_index> known;
    for (const operation& one : of_one_key) {
        if (one.request.what == verb::get && one.reply.code == outcome::done) {
            known.emplace(one.reply.value, one.reply.version);
        }
    }
    return known;
}

std::vector<operation> as_servers_say(const std::vector<operation>& of_one_key) {
    const auto known = versions_read(of_one_key);
    std::vector<std::pair<std::tuple<place, instant>, const operation*>> placed;
    for (const operation& one : of_one_key) {
        place at = place_of(one);
        const auto read = known.find(one.request.value);
        if (!one.returned && !one.request.value.empty() && read != known.end()) {
            at = {read->second.value(), false};
        }
        placed.push_back({{at, one.called}, &one});
    }
    std::sort(placed.begin(), placed.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<operation> in_order;
    in_order.reserve(placed.size());
    for (const auto& each : placed) {
        in_order.push_back(*each.second);
    }
    return in_order;
}

/// What the answers so far rest on.
struct seen {
    const operation* highest_index = nullptr;
    const operation* highest_epoch = nullptr;

    void add(const operation& one) {
        if (highest_index == nullptr || highest_index->reply.index < one.reply.index) {
            highest_index = &one;
        }
        if (highest_epoch == nullptr || highest_epoch->epoch < one.epoch) {
            highest_epoch = &one;
        }
    }
    /// The answer that this one is behind, if there is one.
    [[nodiscard]] const operation* newer_than(const operation& one) const {
        if (highest_index != nullptr && one.reply.index < highest_index->reply.index) {
            return highest_index;
        }
        return highest_epoch != nullptr && one.epoch < highest_epoch->epoch ? highest_epoch
                                                                            : nullptr;
    }
};

/// Refusals rest on nothing.
std::vector<const operation*> answered(const history& heard) {
    std::vector<const operation*> all;
    for (const operation& one : heard.operations()) {
        if (one.returned && one.reply.code != outcome::refused) {
            all.push_back(&one);
        }
    }
    return all;
}

} // namespace

orders find_orders(const history& heard, std::size_t most_steps) {
    std::map<std::string, std::vector<operation>> by_key;
    for (const operation& one : heard.operations()) {
        by_key[one.request.key].push_back(one);
    }
    orders all;
    for (const auto& [key, operations] : by_key) {
        const verdict is = explains(as_servers_say(operations))
                               ? verdict::linearizable
                               : search_order(operations, most_steps);
        if (is == verdict::broken) {
            all.broken.push_back(fmt::format("no order of the {} operations on '{}' explains what "
                                             "clients saw",
                                             operations.size(), key));
        }
        all.keys_in_order += is == verdict::linearizable ? 1U : 0U;
        all.keys_unknown += is == verdict::unknown ? 1U : 0U;
    }
    return all;
}

stale_answers find_stale(const history& heard) {
    auto by_call = answered(heard);
    auto by_answer = by_call;
    std::sort(by_call.begin(), by_call.end(),
              [](const operation* a, const operation* b) { return a->called < b->called; });
    std::sort(by_answer.begin(), by_answer.end(),
              [](const operation* a, const operation* b) { return *a->returned < *b->returned; });
    stale_answers all;
    seen before;
    auto ended = by_answer.begin();
    for (const operation* const one : by_call) {
        for (; ended != by_answer.end() && *(*ended)->returned < one->called; ++ended) {
            before.add(**ended);
        }
        const operation* const newer = before.newer_than(*one);
        if (newer == nullptr) {
            continue;
        }
        ++(is_a_write(*one) ? all.writes : all.reads);
        if (all.examples.size() < most_examples) {
            all.examples.push_back(fmt::format("[{}] in epoch {} came after [{}] in epoch {}",
                                               to_string(*one), one->epoch, to_string(*newer),
                                               newer->epoch));
        }
    }
    return all;
}

} // namespace almenara::test::check
