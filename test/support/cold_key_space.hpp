#pragma once

#include "state/inputs.hpp"
#include "state/memory_key_space.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almenara::test {

/// A base in memory that says of some rows that they are not there.
class cold_key_space final : public state::key_space {
  public:
    /// Asked each time: a row may be warm now and cold later.
    using temperature = std::function<bool(std::string_view key)>;

    explicit cold_key_space(temperature is_cold, state::memory_key_space rows = {})
        : rows_(std::move(rows)), is_cold_(std::move(is_cold)) {}

    [[nodiscard]] std::optional<state::warm_row> look(std::string_view key) const override {
        return is_cold_(key) ? std::nullopt : rows_.look(key);
    }
    [[nodiscard]] std::optional<std::vector<state::row>> look(
        const state::key_range& range, const state::scan_limit& limit) const override {
        auto found = rows_.scan(range, limit);
        const bool is_warm = !is_cold_(range.from) &&
                             std::none_of(found.begin(), found.end(),
                                          [this](const auto& one) { return is_cold_(one.key); });
        return is_warm ? std::optional{std::move(found)} : std::nullopt;
    }
    [[nodiscard]] std::optional<base::byte_vector> wait_for(std::string_view key) const override {
        return rows_.get(key);
    }
    void apply(const state::applied_row& upto, std::span<const state::change> changes) override {
        rows_.apply(upto, changes);
    }
    [[nodiscard]] const state::applied_row& applied() const override { return rows_.applied(); }

    /// What somebody fetches at this moment.
    [[nodiscard]] state::inputs fetch(const state::needs& wanted) const {
        state::inputs found;
        for (const std::string& key : wanted.rows) {
            found.add_row(key, rows_.get(key));
        }
        for (const state::cold_range& one : wanted.ranges) {
            found.add_range(one, rows_.scan(one.range, one.limit));
        }
        return found;
    }

    [[nodiscard]] const state::memory_key_space& rows() const { return rows_; }
    [[nodiscard]] std::uint64_t digest() const { return rows_.digest(); }

  private:
    state::memory_key_space rows_;
    temperature is_cold_;
};

} // namespace almenara::test
