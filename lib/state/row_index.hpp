#pragma once

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/hash.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace almenara::state {

/// Finds a row of an ordered map by its exact key without a walk through the map: the map's
/// iterators by the hash of their keys. Nothing of its own order can be seen, so it may stand in
/// pure code. Open addressing, at most half full.
template <class Iterator>
class row_index {
  public:
    /// Of a key; whoever keeps it with the row need not find it again.
    static std::uint64_t hash_of(std::string_view key) {
        const std::uint64_t hash = base::xxh3_64(base::as_bytes(key));
        return hash == free_slot ? 1 : hash;
    }

    [[nodiscard]] std::optional<Iterator> find(std::string_view key, std::uint64_t hash) const {
        if (slots_.empty()) {
            return std::nullopt;
        }
        for (std::size_t at = home_of(hash); slots_[at].hash != free_slot; at = next(at)) {
            if (slots_[at].hash == hash && slots_[at].row->first == key) {
                return slots_[at].row;
            }
        }
        return std::nullopt;
    }
    [[nodiscard]] std::optional<Iterator> find(std::string_view key) const {
        return find(key, hash_of(key));
    }

    /// A row that is not here yet, by the hash of its key.
    void add(Iterator row, std::uint64_t hash) {
        if ((size_ + 1) * 2 > slots_.size()) {
            grow();
        }
        put({.hash = hash, .row = row});
        ++size_;
    }

    /// A row that is here.
    void remove(Iterator row, std::uint64_t hash) {
        std::size_t at = home_of(hash);
        while (slots_[at].hash != hash || slots_[at].row != row) {
            ALMENARA_CHECK(slots_[at].hash != free_slot);
            at = next(at);
        }
        close_gap(at);
        --size_;
    }

    [[nodiscard]] std::size_t size() const { return size_; }

  private:
    static constexpr std::uint64_t free_slot = 0; ///< no key has this hash
    static constexpr std::size_t least_slots = 64;

    struct slot {
        std::uint64_t hash = free_slot;
        Iterator row{};
    };

    [[nodiscard]] std::size_t home_of(std::uint64_t hash) const {
        return static_cast<std::size_t>(hash) & (slots_.size() - 1);
    }
    [[nodiscard]] std::size_t next(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }

    void put(const slot& what) {
        std::size_t at = home_of(what.hash);
        while (slots_[at].hash != free_slot) {
            at = next(at);
        }
        slots_[at] = what;
    }

    /// Who stands behind the gap and not at home moves up, so that a search never ends too early.
    void close_gap(std::size_t gap) {
        for (std::size_t at = next(gap); slots_[at].hash != free_slot; at = next(at)) {
            const std::size_t from_home = (at - home_of(slots_[at].hash)) & (slots_.size() - 1);
            const std::size_t from_gap = (at - gap) & (slots_.size() - 1);
            if (from_home >= from_gap) {
                slots_[gap] = slots_[at];
                gap = at;
            }
        }
        slots_[gap] = {};
    }

    void grow() {
        const std::vector<slot> old = std::exchange(
            slots_, std::vector<slot>(slots_.empty() ? least_slots : slots_.size() * 2));
        for (const slot& one : old) {
            if (one.hash != free_slot) {
                put(one);
            }
        }
    }

    std::vector<slot> slots_; ///< a power of two of them, or none
    std::size_t size_ = 0;
};

} // namespace almenara::state
