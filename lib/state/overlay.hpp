#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "state/key_space.hpp"
#include "state/table_view.hpp"
#include "state/update.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::state {

/// The own log beyond what `base` holds (B.4, speculation rule): a committed part, and behind it a
/// pending one, which only a primary has. Executing an operation sees all of it; clients see base
/// and the committed part; only the committed part goes into base.
class overlay {
  public:
    /// `base` outlives the overlay.
    explicit overlay(key_space& base);

    /// The next entry, pending; indexes rise.
    void push(applied_row position, std::span<const change> changes);

    /// Everything up to here is committed.
    void commit(log_index upto);

    /// Writes committed entries up to here into base, and forgets them.
    void apply_to_base(log_index upto);

    /// The pending part never was.
    void drop_pending();

    [[nodiscard]] log_index applied() const { return base_.applied().index; }
    [[nodiscard]] log_index committed() const { return committed_; }
    /// Of the whole overlay; committed() if nothing is pending.
    [[nodiscard]] log_index last() const;
    /// Entries that are not in base yet.
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
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
    struct entry {
        applied_row position;
        std::vector<std::string> keys; ///< sorted, without doubles
    };
    using versions = std::vector<version>; ///< oldest first
    using table = std::map<std::string, versions, std::less<>>;

    class view final : public table_view {
      public:
        view(const overlay& all, part seen) : all_(all), seen_(seen) {}
        view(const view&) = delete;
        view& operator=(const view&) = delete;
        [[nodiscard]] std::optional<base::byte_vector> get(std::string_view key) const override;
        [[nodiscard]] std::vector<row> scan(const key_range& range,
                                            std::size_t limit) const override;

      private:
        const overlay& all_;
        part seen_;
    };

    void push(log_index index, const change& what);
    void add_version(table::iterator row, log_index index, std::optional<base::byte_vector> value);
    [[nodiscard]] const version* newest(const versions& of, part seen) const;

    key_space& base_;
    log_index committed_;
    std::deque<entry> entries_;
    table rows_;
    std::size_t memory_ = 0;
    view committed_view_{*this, part::committed};
    view whole_view_{*this, part::whole};
};

} // namespace almenara::state
