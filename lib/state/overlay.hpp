#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "state/key_space.hpp"
#include "state/table_view.hpp"
#include "state/update.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::state {

/// What the log says of an entry besides its changes.
struct entry_position {
    log_index index;
    almenara::epoch epoch;
    std::uint64_t hash = 0;
    std::optional<base::byte_vector> config; ///< payload, if it is a CONFIG
};

/// The own log beyond what `base` holds (B.4, speculation rule): a committed part, and behind it a
/// pending one, which only a primary has. Executing an operation sees all of it; clients see base
/// and the committed part; only the committed part goes into base.
class overlay {
  public:
    /// `base` outlives the overlay.
    explicit overlay(key_space& base);

    /// The next entry, pending.
    void push(log_index index, std::span<const change> changes);

    /// Everything up to here is committed, as far as it is here.
    void commit(log_index upto);

    /// The same, entry by entry, from who knows the whole entry: only then may it go into base.
    void settle(entry_position where);

    /// Writes settled entries up to here into base, and forgets them.
    void apply_to_base(log_index upto);

    /// The pending part never was.
    void drop_pending();

    [[nodiscard]] log_index applied() const { return base_.applied().index; }
    [[nodiscard]] log_index committed() const { return committed_; }
    /// Of the whole overlay.
    [[nodiscard]] log_index last() const;
    /// Entries that are not in base yet.
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    /// Entries that are not committed here, and the bytes of their changes.
    [[nodiscard]] std::size_t pending() const;
    [[nodiscard]] std::size_t pending_bytes() const { return pending_bytes_; }
    /// Bytes of values held.
    [[nodiscard]] std::size_t memory() const { return memory_; }

    /// What clients may see.
    [[nodiscard]] const table_view& committed_view() const { return committed_view_; }
    /// What the next operation sees.
    [[nodiscard]] const table_view& whole_view() const { return whole_view_; }

  private:
    enum class part : bool { committed, whole };

    /// What a row became by one entry; none: erased.
    struct version {
        log_index index;
        std::optional<base::byte_vector> value;
    };
    using versions = std::vector<version>; ///< oldest first, at least one
    using table = std::map<std::string, versions, std::less<>>;
    struct entry {
        entry_position where;
        std::vector<table::iterator> rows; ///< that have a version of it
        std::size_t bytes = 0;             ///< of its changes
    };

    class view final : public table_view {
      public:
        view(const overlay& all, part seen) : all_(all), seen_(seen) {}
        view(const view&) = delete;
        view& operator=(const view&) = delete;
        [[nodiscard]] std::optional<base::byte_vector> get(std::string_view key) const override;
        [[nodiscard]] std::vector<row> scan(const key_range& range,
                                            const scan_limit& limit) const override;

      private:
        const overlay& all_;
        part seen_;
    };

    void push(entry& whole, const change& what);
    [[nodiscard]] std::optional<base::byte_vector> changed(const change& what) const;
    [[nodiscard]] entry& at(log_index index);
    [[nodiscard]] const version* newest(const versions& of, part seen) const;
    /// Takes the versions up to `upto` off the row, and gives what they came to.
    [[nodiscard]] change fold(table::iterator row, log_index upto);

    key_space& base_;
    log_index committed_;
    log_index settled_;
    std::deque<entry> entries_; ///< of dense indexes, from behind base on
    table rows_;
    std::size_t memory_ = 0;
    std::size_t pending_bytes_ = 0;
    view committed_view_{*this, part::committed};
    view whole_view_{*this, part::whole};
};

} // namespace almenara::state
