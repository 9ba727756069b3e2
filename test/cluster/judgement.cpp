#include "cluster/judgement.hpp"

#include <catch2/catch_all.hpp>

#include <iterator>
#include <set>
#include <utility>

namespace almenara::test {

namespace {

/// The search is for what nobody heard of; with the order that servers name it takes no steps. Each
/// one keeps a bit for every operation on the key.
constexpr std::size_t most_steps = 100'000;

/// What the keys hold in the end was seen by one more client.
check::history with_the_end(check::history heard, const all_rows& in_the_end) {
    std::set<std::string> keys;
    for (const check::operation& one : heard.operations()) {
        keys.insert(one.request.key);
    }
    for (const std::string& key : keys) {
        const auto row = in_the_end.rows.find(key);
        check::reply saw{.code = check::outcome::not_found, .index = in_the_end.index};
        if (row != in_the_end.rows.end()) {
            saw.code = check::outcome::done;
            saw.version = row->second.version;
            saw.value = row->second.value;
        }
        const auto ticket = heard.called({.client = check::client_number{0},
                                          .request = {.what = check::verb::get, .key = key},
                                          .epoch = in_the_end.in,
                                          .called = in_the_end.asked});
        heard.returned(ticket, in_the_end.answered, std::move(saw));
    }
    return heard;
}

void append(std::vector<std::string>& to, const std::vector<std::string>& more) {
    std::copy(more.begin(), more.end(), std::back_inserter(to));
}

} // namespace

void judgement::add(const judgement& other) {
    confirmed += other.confirmed;
    unknown += other.unknown;
    lost += other.lost;
    twice += other.twice;
    stale += other.stale;
    keys_in_order += other.keys_in_order;
    keys_without_order += other.keys_without_order;
    keys_unknown += other.keys_unknown;
    append(evidence, other.evidence);
}

judgement judge(const check::history& told, const all_rows& in_the_end) {
    const auto settled = check::settle(told, in_the_end.rows);
    const auto heard = with_the_end(told, in_the_end);
    const auto stale = check::find_stale(heard);
    const auto orders = check::find_orders(heard, most_steps);
    judgement is{.confirmed = settled.confirmed,
                 .unknown = told.count(check::outcome::uncertain),
                 .lost = settled.lost,
                 .twice = settled.twice + settled.invented,
                 .stale = stale.reads + stale.writes,
                 .keys_in_order = orders.keys_in_order,
                 .keys_without_order = orders.broken.size(),
                 .keys_unknown = orders.keys_unknown};
    append(is.evidence, settled.examples);
    append(is.evidence, stale.examples);
    append(is.evidence, orders.broken);
    return is;
}

judgement judge(const load& done, const all_rows& in_the_end) {
    return judge(done.heard(), in_the_end);
}

void check_safe(const judgement& is) {
    for (const std::string& one : is.evidence) {
        UNSCOPED_INFO(one);
    }
    CHECK(is.lost == 0);
    CHECK(is.twice == 0);
    CHECK(is.stale == 0);
    CHECK(is.keys_without_order == 0);
    CHECK(is.keys_unknown == 0);
    CHECK(is.confirmed > 0);
    CHECK(is.keys_in_order > 0);
}

} // namespace almenara::test
