#include "state/overlay.hpp"

#include "base/check.hpp"
#include "state/merged_scan.hpp"
#include "state/rules.hpp"
#include "state/session_table.hpp"

#include <algorithm>
#include <utility>

namespace almenara::state {

namespace {

std::size_t size_of(const std::optional<base::byte_vector>& value) {
    return value ? value->size() : 0;
}

} // namespace

overlay::overlay(key_space& base)
    : base_(base),
      taken_(base.applied()),
      applied_(taken_.index),
      committed_(taken_.index),
      settled_(taken_.index) {}

void overlay::push(log_index index, std::vector<change> changes) {
    ALMENARA_CHECK(index == last().next());
    entry& whole = entries_.emplace_back();
    whole.where.index = index;
    whole.rows.reserve(changes.size());
    table::iterator near = rows_.end();
    for (change& what : changes) {
        whole.bytes += what.key.size() + what.bytes.size();
        near = push(whole, std::move(what), near);
    }
    pending_bytes_ += whole.bytes;
}

overlay::table::iterator overlay::push(entry& whole, change&& what, table::iterator near) {
    std::optional<base::byte_vector> value = changed(what);
    memory_ += size_of(value);
    const std::uint64_t hash = row_index<table::iterator>::hash_of(what.key);
    table::iterator row;
    if (const auto found = index_.find(what.key, hash)) {
        row = *found;
    } else {
        // Changes come in the order of keys, mostly: the next result is behind the one before it.
        const auto hint = near == rows_.end() ? near : std::next(near);
        row = rows_.try_emplace(hint, std::move(what.key));
        row->second.hash = hash;
        index_.add(row, hash);
    }
    versions& all = row->second.versions;
    if (!all.empty() && all.back().index == whole.where.index) {
        memory_ -= size_of(all.back().value);
        all.back().value = std::move(value);
        return row;
    }
    all.push_back({whole.where.index, std::move(value)});
    memory_ += version_weight;
    whole.rows.push_back(row);
    return row;
}

void overlay::erase(table::iterator row) {
    index_.remove(row, row->second.hash);
    rows_.erase(row);
}

std::optional<base::byte_vector> overlay::changed(change& what) const {
    switch (what.kind) {
    case change_kind::put:
        return std::move(what.bytes);
    case change_kind::erase:
        return std::nullopt;
    case change_kind::splice: {
        base::byte_vector value = whole_view_.get(what.key).value_or(base::byte_vector{});
        splice_into(value, what.offset, what.bytes);
        return value;
    }
    }
    // What a newer version decided and this one cannot apply was found by changes_in().
    constexpr bool kind_of_change_is_known = false;
    ALMENARA_CHECK(kind_of_change_is_known);
    return std::nullopt;
}

void overlay::commit(log_index upto) {
    upto = std::min(upto, last());
    while (committed_ < upto) {
        committed_ = committed_.next();
        pending_bytes_ -= at(committed_).bytes;
    }
}

void overlay::settle(entry_position where) {
    ALMENARA_CHECK(where.index == settled_.next() && where.index <= last());
    settled_ = where.index;
    commit(where.index);
    at(where.index).where = std::move(where);
}

overlay::entry& overlay::at(log_index index) {
    return entries_[index.value() - entries_.front().where.index.value()];
}

std::size_t overlay::pending() const {
    return last().value() - committed_.value();
}

std::size_t overlay::beyond_base() const {
    return committed_.value() - applied_.value();
}

void overlay::apply_to_base(log_index upto) {
    if (const auto batch = take_for_base(upto)) {
        base_.apply(batch->upto, batch->changes);
        base_holds(batch->upto.index);
    }
}

std::optional<base_batch> overlay::take_for_base(log_index upto) {
    upto = std::min(upto, settled_);
    if (upto <= taken_.index) {
        return std::nullopt;
    }
    const log_index before = taken_.index;
    base_batch batch{.entries = upto.value() - before.value()};
    while (taken_.index < upto) {
        entry& next = at(taken_.index.next());
        take_position(next.where);
        batch.bytes += next.bytes;
        for (const table::iterator row : next.rows) {
            const auto last = last_of(row->second.versions, upto);
            // Else a later entry of the batch gives the row.
            if (last->index == next.where.index && !came_and_went(*row, last, before)) {
                change& what = batch.changes.emplace_back();
                what.kind = last->value ? change_kind::put : change_kind::erase;
                what.key = row->first;
                what.bytes = last->value.value_or(base::byte_vector{});
            }
        }
    }
    batch.upto = taken_;
    return batch;
}

/// Most results do: base never hears of them.
bool overlay::came_and_went(const table::value_type& row,
                            versions::const_iterator last,
                            log_index before) {
    if (last->value || last == row.second.versions.begin() || !is_written_once(row.first)) {
        return false;
    }
    const version& previous = *std::prev(last);
    return previous.value && previous.index > before;
}

void overlay::take_position(entry_position& where) {
    taken_.index = where.index;
    taken_.epoch = where.epoch;
    taken_.hash = where.hash;
    taken_.time = where.time;
    if (where.config) {
        taken_.config_index = where.index;
        taken_.config = std::move(*where.config);
    }
}

void overlay::base_holds(log_index upto, std::size_t forgets) {
    ALMENARA_CHECK(upto <= taken_.index);
    applied_ = std::max(applied_, upto);
    forget(forgets);
}

overlay_hold overlay::hold() const {
    if (!holds_.empty()) {
        if (overlay_hold last = holds_.back().lock(); last && *last == applied_) {
            return last;
        }
    }
    auto made = std::make_shared<const log_index>(applied_);
    holds_.push_back(made);
    return made;
}

log_index overlay::forgettable() {
    log_index lowest = applied_;
    if (!holds(rule::overlay_kept_for_inputs)) {
        return lowest;
    }
    std::erase_if(holds_, [&lowest](const std::weak_ptr<const log_index>& one) {
        const overlay_hold alive = one.lock();
        lowest = alive ? std::min(lowest, *alive) : lowest;
        return !alive;
    });
    return lowest;
}

void overlay::forget(std::size_t most) {
    const log_index upto = forgettable();
    for (; most > 0 && !entries_.empty() && entries_.front().where.index <= upto; --most) {
        forget_first(upto);
    }
}

void overlay::forget_first(log_index upto) {
    const entry& first = entries_.front();
    for (const table::iterator row : first.rows) {
        versions& all = row->second.versions;
        // A row that changed often loses its old versions in one go.
        const auto last = last_of(all, upto);
        if (last->index != first.where.index) {
            continue;
        }
        for (auto one = all.begin(); one <= last; ++one) {
            memory_ -= version_weight + size_of(one->value);
        }
        all.erase(all.begin(), last + 1);
        if (all.empty()) {
            erase(row);
        }
    }
    entries_.pop_front();
}

overlay::versions::iterator overlay::last_of(versions& of, log_index upto) {
    const auto newer =
        std::upper_bound(of.begin(), of.end(), upto,
                         [](log_index index, const version& one) { return index < one.index; });
    ALMENARA_CHECK(newer != of.begin());
    return std::prev(newer);
}

void overlay::drop_pending() {
    while (!entries_.empty() && entries_.back().where.index > committed_) {
        for (const table::iterator row : entries_.back().rows) {
            versions& all = row->second.versions;
            memory_ -= version_weight + size_of(all.back().value);
            all.pop_back();
            if (all.empty()) {
                erase(row);
            }
        }
        pending_bytes_ -= entries_.back().bytes;
        entries_.pop_back();
    }
}

log_index overlay::last() const {
    return entries_.empty() ? applied() : entries_.back().where.index;
}

const overlay::version* overlay::newest(const versions& of, part seen) const {
    if (seen == part::whole) {
        return &of.back();
    }
    const auto found = std::find_if(of.rbegin(), of.rend(),
                                    [this](const version& one) { return one.index <= committed_; });
    return found == of.rend() ? nullptr : &*found;
}

std::optional<base::byte_vector> overlay::base_view::get(std::string_view key) const {
    return base_.wait_for(key);
}

std::vector<row> overlay::base_view::scan(const key_range& range, const scan_limit& limit) const {
    auto found = base_.look(range, limit);
    ALMENARA_CHECK(found.has_value());
    return std::move(*found);
}

std::optional<base::byte_vector> overlay::view::get(std::string_view key) const {
    if (const auto found = all_.index_.find(key)) {
        if (const version* const one = all_.newest((*found)->second.versions, seen_)) {
            return one->value;
        }
    }
    return base_.get(key);
}

std::vector<row> overlay::view::scan(const key_range& range, const scan_limit& limit) const {
    return merged_scan(base_, all_.rows_, range, limit,
                       [this](const changed_row& of) -> const std::optional<base::byte_vector>* {
                           const version* const one = all_.newest(of.versions, seen_);
                           return one == nullptr ? nullptr : &one->value;
                       });
}

} // namespace almenara::state
