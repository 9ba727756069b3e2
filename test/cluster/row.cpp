#include "cluster/row.hpp"

#include "base/text.hpp"
#include "support/check/gaps.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <utility>

namespace almenara::test {

namespace {

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string{value};
}

std::int64_t in_microseconds(duration length) {
    return std::chrono::duration_cast<std::chrono::microseconds>(length).count();
}

std::string in_ms(duration length) {
    const auto us = in_microseconds(length);
    return fmt::format("{}.{:01} ms", us / 1000, us % 1000 / 100);
}

std::string percentiles_text(const std::vector<duration>& lengths) {
    return fmt::format("p50 {}, p99 {}, max {}", in_ms(check::percentile(lengths, 50)),
                       in_ms(check::percentile(lengths, 99)),
                       in_ms(check::percentile(lengths, 100)));
}

boost::json::object percentiles_json(const std::vector<duration>& lengths) {
    return {{"p50_us", in_microseconds(check::percentile(lengths, 50))},
            {"p99_us", in_microseconds(check::percentile(lengths, 99))},
            {"max_us", in_microseconds(check::percentile(lengths, 100))}};
}

} // namespace

unsigned runs_now(const run_counts& of) {
    if (const std::string wanted = environment("ALMENARA_RUNS"); !wanted.empty()) {
        const auto runs = base::parse_number(wanted, 1, 100'000);
        if (!runs) {
            // A row without a run would pass.
            FAIL("ALMENARA_RUNS: " << runs.error());
        }
        return static_cast<unsigned>(*runs);
    }
    if (at_full_scale()) {
        return of.many;
    }
    return environment("ALMENARA_SCALE") == "quick" ? 1 : of.few;
}

bool at_full_scale() {
    return environment("ALMENARA_SCALE") == "full";
}

row::row(unsigned number, std::string scenario) : number_(number), scenario_(std::move(scenario)) {}

row::~row() {
    if (runs_ == 0) {
        return;
    }
    std::cout << to_text() << std::flush;
    if (const std::string path = environment("ALMENARA_ROWS"); !path.empty()) {
        append_json(path);
    }
}

void row::add(const load& done, const all_rows& in_the_end, instant from) {
    add(done.heard(), in_the_end, from, done.ended());
    add_told_by(done.told_by());
}

void row::add(const check::history& heard,
              const all_rows& in_the_end,
              instant from,
              instant ended) {
    const judgement is = judge(heard, in_the_end);
    INFO("row " << number_ << ", run " << runs_ + 1);
    check_safe(is);
    all_.add(is);
    gaps_.push_back(check::longest_gap(heard, from, ended).length);
    ++runs_;
}

void row::add_told_by(const told_by_counts& counts) {
    for (const auto& [way, count] : counts) {
        told_by_[way] += count;
    }
}

std::uint64_t row::told_by(client::source way) const {
    const auto found = told_by_.find(way);
    return found == told_by_.end() ? 0 : found->second;
}

std::string row::to_text() const {
    auto text = fmt::format("row {}: {}, {} runs\n  {} confirmed, {} lost, {} twice, {} stale, {} "
                            "of unknown outcome; {} keys in order, {} without one, {} not "
                            "decided\n  gap: {}; elections: {}\n",
                            number_, scenario_, runs_, all_.confirmed, all_.lost, all_.twice,
                            all_.stale, all_.unknown, all_.keys_in_order, all_.keys_without_order,
                            all_.keys_unknown, percentiles_text(gaps_), elections_);
    if (!told_by_.empty()) {
        text += "  told by:";
        for (const auto& [way, count] : told_by_) {
            text += fmt::format(" {} {}", client::to_string(way), count);
        }
        text += '\n';
    }
    for (const auto& [what, lengths] : others_) {
        text += fmt::format("  {}: {}\n", what, percentiles_text(lengths));
    }
    return text;
}

void row::append_json(const std::string& path) const {
    boost::json::object others;
    for (const auto& [what, lengths] : others_) {
        others.emplace(what, percentiles_json(lengths));
    }
    boost::json::object told_by;
    for (const auto& [way, count] : told_by_) {
        told_by.emplace(client::to_string(way), count);
    }
    const boost::json::object line{{"row", number_},
                                   {"scenario", scenario_},
                                   {"runs", runs_},
                                   {"confirmed", all_.confirmed},
                                   {"lost", all_.lost},
                                   {"twice", all_.twice},
                                   {"stale", all_.stale},
                                   {"unknown", all_.unknown},
                                   {"keys_in_order", all_.keys_in_order},
                                   {"keys_without_order", all_.keys_without_order},
                                   {"keys_undecided", all_.keys_unknown},
                                   {"gap", percentiles_json(gaps_)},
                                   {"elections", elections_},
                                   {"told_by", told_by},
                                   {"other", others}};
    std::ofstream{path, std::ios::app} << boost::json::serialize(line) << '\n';
}

} // namespace almenara::test
