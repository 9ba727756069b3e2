#include "storage/core/scan.hpp"
#include "support/log_stand.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <map>

// What was synced against what a start finds, after any life of a log.
namespace almenara::storage::core {

namespace {

using test::log_stand;

/// What the disk said is synced, beside what is on its way.
struct model {
    std::vector<replica::log_point> log;     ///< as the core has it
    std::vector<replica::log_point> durable; ///< as it was told
    std::map<replica::batch_number, std::vector<replica::log_point>> asked;

    void answered(const disk_answer& answer) {
        if (answer.log) {
            durable = asked.at(*answer.log);
            asked.erase(asked.begin(), asked.upper_bound(*answer.log));
        }
    }
};

std::size_t common(const std::vector<replica::log_point>& a,
                   const std::vector<replica::log_point>& b) {
    std::size_t same = 0;
    while (same < a.size() && same < b.size() && a[same] == b[same]) {
        ++same;
    }
    return same;
}

class life {
  public:
    explicit life(std::uint64_t seed) : luck_(seed), stand_(8 * block_size, 3 * block_size) {
        stand_.start();
    }

    void step() {
        switch (luck_.below(12)) {
        case 0:
            return die(true);
        case 1:
            return die(false);
        case 2:
            return truncate();
        case 3:
            stand_.planner().idle();
            return;
        case 4:
            return tend();
        case 5:
        case 6:
            return write();
        default:
            return work();
        }
    }
    [[nodiscard]] std::size_t deaths() const { return deaths_; }
    [[nodiscard]] std::size_t torn() const { return torn_; }

  private:
    void write() {
        const auto number = stand_.add(1 + luck_.below(4), epoch_, luck_.below(3000));
        note(number, model_.log.size());
    }

    void truncate() {
        const std::size_t keep = luck_.below(model_.log.size() + 1);
        epoch_ = epoch_.next();
        const auto number = stand_.replace(keep == 0 ? replica::log_point{} : model_.log[keep - 1],
                                           luck_.below(3), epoch_);
        note(number, keep);
    }

    /// The log as it is behind this write.
    void note(replica::batch_number number, std::size_t keep) {
        model_.log.resize(keep);
        std::vector<replica::log_point> all = entries_since(keep);
        model_.log.insert(model_.log.end(), all.begin(), all.end());
        model_.asked[number] = model_.log;
    }
    std::vector<replica::log_point> entries_since(std::size_t keep) {
        std::vector<replica::log_point> found;
        for (const replica::entry_ptr& e : stand_.last_write()) {
            CHECK(e->index.value() == keep + found.size() + 1);
            found.push_back(replica::point_of(*e));
        }
        return found;
    }

    void work() {
        if (auto job = stand_.planner().next()) {
            stand_.disk.execute(*job);
            model_.answered(stand_.planner().finished());
        }
    }

    void tend() {
        if (auto beside = stand_.planner().next_beside()) {
            stand_.disk.execute(*beside);
            stand_.planner().finished_beside();
        }
    }

    /// In the middle of a job, if there is one.
    void die(bool power) {
        ++deaths_;
        if (auto job = stand_.planner().next()) {
            job->resize(luck_.below(job->size() + 1));
            stand_.disk.execute(*job);
        }
        if (power) {
            stand_.disk.lose_power(luck_);
        }
        const reconciled found = stand_.start();
        INFO("after " << deaths_ << " deaths");
        REQUIRE_FALSE(found.found_damaged);
        // Nothing that was told durable is gone, unless a truncation was on its way; and nothing is
        // there that was not written.
        const std::size_t kept = common(found.positions, model_.durable);
        REQUIRE((kept == model_.durable.size() || kept_by_a_truncation(kept)));
        REQUIRE(was_written(found.positions));
        torn_ += stand_.verdict == scan_verdict::torn ? 1 : 0;
        model_.log = model_.durable = found.positions;
        model_.asked.clear();
        epoch_ = epoch_.next();
    }

    bool kept_by_a_truncation(std::size_t kept) const {
        return std::any_of(model_.asked.begin(), model_.asked.end(), [&](const auto& asked) {
            return common(asked.second, model_.durable) <= kept;
        });
    }
    /// It is a beginning of the log at some moment since the last answer.
    bool was_written(const std::vector<replica::log_point>& found) const {
        const auto begins = [&found](const std::vector<replica::log_point>& log) {
            return common(found, log) == found.size();
        };
        return begins(model_.durable) ||
               std::any_of(model_.asked.begin(), model_.asked.end(),
                           [&](const auto& asked) { return begins(asked.second); });
    }

    base::generator luck_;
    log_stand stand_;
    model model_;
    epoch epoch_{1};
    std::size_t deaths_ = 0;
    std::size_t torn_ = 0;
};

} // namespace

TEST_CASE("E.3 what was synced is found, and nothing else, after any life of a log") {
    std::size_t deaths = 0;
    std::size_t torn = 0;
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
        INFO("seed " << seed);
        life one{seed};
        for (int i = 0; i < 150; ++i) {
            one.step();
        }
        deaths += one.deaths();
        torn += one.torn();
    }
    CHECK(deaths > 1000);
    CHECK(torn > 50);
}

} // namespace almenara::storage::core
