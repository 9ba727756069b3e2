#include "sim/check/linearizability.hpp"

#include "sim/check/history.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

namespace almenara::sim::check {

namespace {

/// Where an operation stands in the order that the log claims: entry i is 2i, a read from the state
/// that holds everything up to i is 2i + 1.
using place = std::uint64_t;

struct placed {
    const operation* one;
    place at;
};

std::optional<place> place_of(const committed_log& committed, const operation& one) {
    if (one.reply.code == outcome::refused) {
        return std::nullopt; // it saw nothing and changed nothing
    }
    if (one.seq == 0) {
        return one.returned ? std::optional{2 * one.reply.index.value() + 1} : std::nullopt;
    }
    const auto index = committed.find(one.session, one.seq);
    return index ? std::optional{2 * index->value()} : std::nullopt;
}

bool comes_before_in_time(const placed* a, const placed* b) {
    return std::tie(*a->one->returned, a->at) < std::tie(*b->one->returned, b->at);
}

/// Whoever was asked after somebody had his answer comes behind him in the log.
void check_real_time(findings& found, const std::vector<placed>& in_order_of_asking) {
    std::vector<const placed*> in_order_of_answer;
    for (const placed& each : in_order_of_asking) {
        if (each.one->returned) {
            in_order_of_answer.push_back(&each);
        }
    }
    std::sort(in_order_of_answer.begin(), in_order_of_answer.end(), comes_before_in_time);
    const placed* latest = nullptr;
    std::map<client_number, const placed*> latest_of;
    auto answered = in_order_of_answer.begin();
    for (const placed& each : in_order_of_asking) {
        for (;
             answered != in_order_of_answer.end() && *(*answered)->one->returned < each.one->called;
             ++answered) {
            if (latest == nullptr || latest->at < (*answered)->at) {
                latest = *answered;
            }
            auto& own = latest_of[(*answered)->one->client];
            if (own == nullptr || own->at < (*answered)->at) {
                own = *answered;
            }
        }
        const auto own = latest_of.find(each.one->client);
        if (own != latest_of.end() && each.at < own->second->at) {
            found.report("I16", "after [{}] the same client saw less: [{}]",
                         to_string(*own->second->one), to_string(*each.one));
        } else if (latest != nullptr && each.at < latest->at) {
            found.report("I15", "[{}] is in the log before [{}], which had ended before it began",
                         to_string(*each.one), to_string(*latest->one));
        }
    }
}

/// Each read must have seen what the log made of its key by then.
void check_reads(findings& found, std::vector<placed> all) {
    std::sort(all.begin(), all.end(), [](const placed& a, const placed& b) { return a.at < b.at; });
    key_values state;
    for (const placed& each : all) {
        const reply expected = execute(state, each.one->request, log_index{each.at / 2});
        if (each.one->request.what == verb::get && each.one->reply != expected) {
            found.report("I15", "[{}]; by the log there was {} \"{}\" version {}",
                         to_string(*each.one), wire::enumerator_name(expected.code), expected.value,
                         expected.version);
        }
    }
}

} // namespace

void check_order(findings& found, const committed_log& committed, const history& heard) {
    std::vector<placed> all;
    for (const operation& one : heard.operations()) {
        if (const auto at = place_of(committed, one)) {
            all.push_back({.one = &one, .at = *at});
        }
    }
    std::sort(all.begin(), all.end(), [](const placed& a, const placed& b) {
        return std::tie(a.one->called, a.at) < std::tie(b.one->called, b.at);
    });
    check_real_time(found, all);
    check_reads(found, std::move(all));
}

orders_found search_orders(findings& found,
                           const committed_log& committed,
                           const history& heard,
                           std::size_t most_steps) {
    std::map<std::string, std::vector<placed>> by_key;
    for (const operation& one : heard.operations()) {
        // What has no place in the log stands at the end, where it may be left out.
        const auto at = place_of(committed, one);
        by_key[one.request.key].push_back(
            {.one = &one, .at = at.value_or(std::numeric_limits<place>::max())});
    }
    orders_found all;
    for (auto& [key, placed_ones] : by_key) {
        std::sort(placed_ones.begin(), placed_ones.end(), [](const placed& a, const placed& b) {
            return std::tie(a.at, a.one->called) < std::tie(b.at, b.one->called);
        });
        std::vector<operation> operations;
        operations.reserve(placed_ones.size());
        for (const placed& each : placed_ones) {
            operations.push_back(*each.one);
        }
        const verdict is =
            explains(operations) ? verdict::linearizable : search_order(operations, most_steps);
        if (is == verdict::broken) {
            found.report("I15", "no order of the {} operations on {} explains what clients saw",
                         operations.size(), key);
        }
        ++(is == verdict::unknown ? all.unknown : all.found);
    }
    return all;
}

} // namespace almenara::sim::check
