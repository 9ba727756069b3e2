#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "state/base_batch.hpp"
#include "state/inputs.hpp"
#include "state/key_space.hpp"
#include "state/row_index.hpp"
#include "state/table_view.hpp"
#include "state/update.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
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
    wall_time time;
    std::optional<base::byte_vector> config; ///< payload, if it is a CONFIG
};

/// The own log beyond what `base` holds (B.4, speculation rule): a committed part, and behind it a
/// pending one, which only a primary has. Executing an operation sees all of it; clients see base
/// and the committed part; only the committed part goes into base.
class overlay {
  public:
    enum class part : bool {
        committed, ///< what clients may see
        whole,     ///< what the next operation sees
    };

    /// The overlay over base, as it is seen through another view of it.
    class view final : public table_view {
      public:
        view(const overlay& all, part seen, const table_view& base)
            : all_(all), seen_(seen), base_(base) {}
        view(const view&) = delete;
        view& operator=(const view&) = delete;
        [[nodiscard]] std::optional<base::byte_vector> get(std::string_view key) const override;
        [[nodiscard]] std::vector<row> scan(const key_range& range,
                                            const scan_limit& limit) const override;

      private:
        const overlay& all_;
        part seen_;
        const table_view& base_;
    };

    static constexpr std::size_t all_entries = std::numeric_limits<std::size_t>::max();

    /// `base` outlives the overlay.
    explicit overlay(key_space& base);

    /// The next entry, pending.
    void push(log_index index, std::vector<change> changes);

    /// Everything up to here is committed, as far as it is here.
    void commit(log_index upto);

    /// The same, entry by entry, from who knows the whole entry: only then may it go into base.
    void settle(entry_position where);

    /// Settled entries up to here that base was not given yet; none: there are none. They stay here
    /// until base_holds() says that they arrived.
    [[nodiscard]] std::optional<base_batch> take_for_base(log_index upto);

    /// What was taken up to here can be seen in base. At most so many entries are forgotten now: a
    /// turn has other things to do.
    void base_holds(log_index upto, std::size_t forgets = all_entries);
    /// Rows of base are on their way to somebody: nothing behind applied() is forgotten while what
    /// this gives lives.
    [[nodiscard]] overlay_hold hold() const;

    /// More of them. What is left does no harm.
    void forget(std::size_t most);

    /// All of that at once, for a base that answers at once.
    void apply_to_base(log_index upto);

    /// The pending part never was.
    void drop_pending();

    /// In base for sure.
    [[nodiscard]] log_index applied() const { return applied_; }
    [[nodiscard]] log_index committed() const { return committed_; }
    /// Of the whole overlay.
    [[nodiscard]] log_index last() const;
    /// Entries that are held.
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    /// Entries that are not committed here, and the bytes of their changes.
    [[nodiscard]] std::size_t pending() const;
    [[nodiscard]] std::size_t pending_bytes() const { return pending_bytes_; }
    /// Committed entries that are not in base for sure.
    [[nodiscard]] std::size_t beyond_base() const;
    /// What is held takes about so much, also what is kept only for a hold(): bytes of values, and
    /// for each version of a row what it takes besides, its key and its places here.
    [[nodiscard]] std::size_t memory() const { return memory_; }
    static constexpr std::size_t version_weight = 128;

    [[nodiscard]] const key_space& base() const { return base_; }

    /// For a base that has everything in memory.
    [[nodiscard]] const table_view& committed_view() const { return committed_view_; }
    [[nodiscard]] const table_view& whole_view() const { return whole_view_; }

  private:
    /// What a row became by one entry; none: erased.
    struct version {
        log_index index;
        std::optional<base::byte_vector> value;
    };
    /// Most rows have one, and most entries few rows: none of that is memory of its own, because
    /// what a server does with a write is mostly waiting for memory.
    using versions = boost::container::small_vector<version, 1>; ///< oldest first, at least one
    struct changed_row {
        std::uint64_t hash = 0; ///< of its key, for the index
        overlay::versions versions;
    };
    using table = std::map<std::string, changed_row, std::less<>>;
    struct entry {
        entry_position where;
        boost::container::small_vector<table::iterator, 4> rows; ///< that have a version of it
        std::size_t bytes = 0;                                   ///< of its changes
    };

    /// `near`: the row that was touched before. Gives this one.
    table::iterator push(entry& whole, change&& what, table::iterator near);
    void erase(table::iterator row);
    [[nodiscard]] std::optional<base::byte_vector> changed(change& what) const;
    [[nodiscard]] entry& at(log_index index);
    [[nodiscard]] const version* newest(const versions& of, part seen) const;
    /// What the row became by the entries up to there.
    [[nodiscard]] static versions::iterator last_of(versions& of, log_index upto);
    /// Whether the row was made and erased by entries behind `before`, and was never there else.
    [[nodiscard]] static bool came_and_went(const table::value_type& row,
                                            versions::const_iterator last,
                                            log_index before);
    void take_position(entry_position& where);
    /// What base holds and nobody needs here any more.
    [[nodiscard]] log_index forgettable();
    void forget_first(log_index upto);

    /// Base as a view. What is scanned is warm.
    class base_view final : public table_view {
      public:
        explicit base_view(const key_space& base) : base_(base) {}
        [[nodiscard]] std::optional<base::byte_vector> get(std::string_view key) const override;
        [[nodiscard]] std::vector<row> scan(const key_range& range,
                                            const scan_limit& limit) const override;

      private:
        const key_space& base_;
    };

    key_space& base_;
    base_view under_{base_};
    applied_row taken_; ///< what base will say when it has all that it was given
    log_index applied_;
    log_index committed_;
    log_index settled_;
    std::deque<entry> entries_; ///< of dense indexes, the last ones of base perhaps among them
    table rows_;
    row_index<table::iterator> index_; ///< of rows_
    std::size_t memory_ = 0;
    std::size_t pending_bytes_ = 0;
    mutable std::vector<std::weak_ptr<const log_index>> holds_; ///< of different indexes
    view committed_view_{*this, part::committed, under_};
    view whole_view_{*this, part::whole, under_};
};

} // namespace almenara::state
