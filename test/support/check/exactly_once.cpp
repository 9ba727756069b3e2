#include "support/check/exactly_once.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace almenara::test::check {

namespace {

constexpr std::size_t most_examples = 5;

using operations_of = std::map<std::string, std::vector<const operation*>>;

class settling {
  public:
    explicit settling(const key_values& in_the_end) : rows_(in_the_end) {}

    void count(const operation& one) {
        if (one.request.what == verb::get || one.reply.code == outcome::refused) {
            return;
        }
        all_.confirmed += one.reply.code == outcome::done ? 1U : 0U;
        all_.unknown += one.returned ? 0U : 1U;
        if (one.returned) {
            check_entry(one);
        }
    }

    void judge_put(const std::string& key, const operation& put) {
        const auto row = rows_.find(key);
        if (row == rows_.end()) {
            if (put.returned) {
                found(all_.lost, fmt::format("[{}] is not there", to_string(put)));
            }
            return;
        }
        const value_row& there = row->second;
        if (there.value != put.request.value) {
            found(all_.invented,
                  fmt::format("'{}' holds \"{}\", and [{}]", key, there.value, to_string(put)));
        } else if (put.returned && there.version != put.reply.index) {
            found(all_.twice,
                  fmt::format("[{}] stands at index {}", to_string(put), there.version));
        }
    }

    void judge_sum(const std::string& key, const std::vector<const operation*>& adds) {
        std::int64_t least = 0;
        std::int64_t most = 0;
        for (const operation* const one : adds) {
            least += one->returned ? one->request.delta : 0;
            most += one->request.delta;
        }
        const auto row = rows_.find(key);
        const std::int64_t sum = row == rows_.end() ? 0 : std::stoll(row->second.value);
        const auto text = [&] {
            return fmt::format("'{}' is {}; {} were confirmed and {} asked for", key, sum, least,
                               most);
        };
        if (sum < least) {
            found(all_.lost, text());
        } else if (sum > most) {
            found(all_.twice, text());
        }
    }

    void judge_unasked(const operations_of& by_key) {
        for (const auto& [key, row] : rows_) {
            if (!by_key.contains(key)) {
                found(all_.invented, fmt::format("'{}' holds \"{}\"", key, row.value));
            }
        }
    }

    [[nodiscard]] end_of_all result() { return std::move(all_); }

  private:
    /// Every answer of a write, refusals by a condition included, is an entry of its own.
    void check_entry(const operation& one) {
        const auto [first, is_new] = entries_.emplace(one.reply.index, &one);
        if (!is_new) {
            found(all_.twice, fmt::format("[{}] and [{}] are one entry", to_string(*first->second),
                                          to_string(one)));
        }
    }

    void found(std::uint64_t& counter, std::string text) {
        ++counter;
        if (all_.examples.size() < most_examples) {
            all_.examples.push_back(std::move(text));
        }
    }

    const key_values& rows_;
    std::map<log_index, const operation*> entries_;
    end_of_all all_;
};

} // namespace

end_of_all settle(const history& heard, const key_values& in_the_end) {
    settling all{in_the_end};
    operations_of writes;
    for (const operation& one : heard.operations()) {
        all.count(one);
        if (one.request.what != verb::get && one.reply.code != outcome::refused) {
            writes[one.request.key].push_back(&one);
        }
    }
    for (const auto& [key, ones] : writes) {
        const bool only_sums = std::all_of(ones.begin(), ones.end(), [](const operation* one) {
            return one->request.what == verb::add;
        });
        if (only_sums) {
            all.judge_sum(key, ones);
        } else if (ones.size() == 1 && ones.front()->request.what == verb::put) {
            all.judge_put(key, *ones.front());
        }
    }
    all.judge_unasked(writes);
    return all.result();
}

} // namespace almenara::test::check
