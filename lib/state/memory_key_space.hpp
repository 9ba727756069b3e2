#pragma once

#include "state/key_space.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace almenara::state {

/// A key space in memory. A copy is what a disk would hold at this moment.
class memory_key_space final : public key_space, public table_view {
  public:
    [[nodiscard]] std::optional<base::byte_vector> get(std::string_view key) const override;
    [[nodiscard]] std::vector<row> scan(const key_range& range,
                                        const scan_limit& limit) const override;
    [[nodiscard]] std::optional<warm_row> look(std::string_view key) const override {
        return warm_row{get(key)};
    }
    [[nodiscard]] std::optional<std::vector<row>> look(const key_range& range,
                                                       const scan_limit& limit) const override {
        return scan(range, limit);
    }
    [[nodiscard]] std::optional<base::byte_vector> wait_for(std::string_view key) const override {
        return get(key);
    }
    void apply(const applied_row& upto, std::span<const change> changes) override;
    [[nodiscard]] const applied_row& applied() const override { return applied_; }

    /// I9: the same rows at the same applied index give the same number, whatever happened before.
    /// It is kept while rows change and costs nothing to ask for.
    [[nodiscard]] std::uint64_t digest() const;

    [[nodiscard]] std::size_t size() const { return rows_.size(); }

  private:
    void apply(const change& what);
    void put(const std::string& key, base::byte_vector value);

    std::map<std::string, base::byte_vector, std::less<>> rows_;
    std::uint64_t rows_digest_ = 0;
    applied_row applied_;
};

} // namespace almenara::state
