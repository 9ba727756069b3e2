#pragma once

#include "base/bytes.hpp"
#include "state/table_view.hpp"
#include "state/update.hpp"
#include "wire/codec.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almenara::state {

/// What one operation sees and writes: the view it began with, and its own changes over it.
/// Nothing happens to the state until the changes are an entry.
class transaction final : public table_view {
  public:
    /// `under` outlives the transaction.
    explicit transaction(const table_view& under) : under_(under) {}

    [[nodiscard]] std::optional<base::byte_vector> get(std::string_view key) const override;
    [[nodiscard]] std::vector<row> scan(const key_range& range,
                                        const scan_limit& limit) const override;

    void put(std::string key, base::byte_vector value);
    void erase(std::string key);
    /// Writes over a part of a value; a row that is not there, and what lies between its end and
    /// `offset`, count as zeros.
    void splice(std::string key, std::uint64_t offset, base::byte_view bytes);

    template <wire::described_struct T>
    void put_row(std::string key, const T& value) {
        base::byte_vector bytes;
        wire::encode(value, bytes);
        put(std::move(key), std::move(bytes));
    }

    /// Whether anything is written; else rows only go.
    [[nodiscard]] bool adds() const;

    /// Takes back everything: a refusal changes nothing.
    void forget_changes();

    /// In order of keys; a row that was written twice is there once, splices stay splices.
    [[nodiscard]] std::vector<change> take_changes();

  private:
    /// A row that was written, and what it is now.
    struct written {
        bool is_whole = false;       ///< put or erased; else only spliced
        std::vector<change> splices; ///< while it is not whole
        std::optional<base::byte_vector> value;
    };

    void write_whole(std::string key, std::optional<base::byte_vector> value);

    const table_view& under_;
    std::map<std::string, written, std::less<>> rows_;
};

} // namespace almenara::state
