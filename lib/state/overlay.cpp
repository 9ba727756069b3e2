#include "state/overlay.hpp"

#include "base/check.hpp"
#include "state/merged_scan.hpp"

#include <algorithm>
#include <utility>

namespace almenara::state {

namespace {

std::size_t size_of(const std::optional<base::byte_vector>& value) {
    return value ? value->size() : 0;
}

} // namespace

overlay::overlay(key_space& base)
    : base_(base), committed_(base.applied().index), settled_(base.applied().index) {}

void overlay::push(log_index index, std::span<const change> changes) {
    ALMENARA_CHECK(index == last().next());
    entry& whole = entries_.emplace_back();
    whole.where.index = index;
    for (const change& what : changes) {
        push(whole, what);
        whole.bytes += what.key.size() + what.bytes.size();
    }
    pending_bytes_ += whole.bytes;
}

void overlay::push(entry& whole, const change& what) {
    std::optional<base::byte_vector> value = changed(what);
    const auto row = rows_.try_emplace(what.key).first;
    memory_ += size_of(value);
    if (!row->second.empty() && row->second.back().index == whole.where.index) {
        memory_ -= size_of(row->second.back().value);
        row->second.back().value = std::move(value);
        return;
    }
    row->second.push_back({whole.where.index, std::move(value)});
    whole.rows.push_back(row);
}

std::optional<base::byte_vector> overlay::changed(const change& what) const {
    switch (what.kind) {
    case change_kind::put:
        return what.bytes;
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

void overlay::apply_to_base(log_index upto) {
    upto = std::min(upto, settled_);
    if (upto <= applied()) {
        return;
    }
    applied_row row = base_.applied();
    std::vector<table::iterator> touched;
    while (!entries_.empty() && entries_.front().where.index <= upto) {
        entry& first = entries_.front();
        row.index = first.where.index;
        row.epoch = first.where.epoch;
        row.hash = first.where.hash;
        if (first.where.config) {
            row.config_index = first.where.index;
            row.config = std::move(*first.where.config);
        }
        touched.insert(touched.end(), first.rows.begin(), first.rows.end());
        entries_.pop_front();
    }
    const auto by_key = [](table::iterator a, table::iterator b) { return a->first < b->first; };
    std::sort(touched.begin(), touched.end(), by_key);
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    std::vector<change> changes;
    changes.reserve(touched.size());
    for (const table::iterator each : touched) {
        changes.push_back(fold(each, upto));
    }
    base_.apply(row, changes);
}

change overlay::fold(table::iterator row, log_index upto) {
    versions& all = row->second;
    const auto newer = std::find_if(all.begin(), all.end(),
                                    [upto](const version& one) { return one.index > upto; });
    ALMENARA_CHECK(newer != all.begin());
    for (auto one = all.begin(); one != newer; ++one) {
        memory_ -= size_of(one->value);
    }
    change what{.kind = change_kind::erase, .key = row->first};
    if (std::optional<base::byte_vector>& value = std::prev(newer)->value) {
        what.kind = change_kind::put;
        what.bytes = std::move(*value);
    }
    all.erase(all.begin(), newer);
    if (all.empty()) {
        rows_.erase(row);
    }
    return what;
}

void overlay::drop_pending() {
    while (!entries_.empty() && entries_.back().where.index > committed_) {
        for (const table::iterator row : entries_.back().rows) {
            memory_ -= size_of(row->second.back().value);
            row->second.pop_back();
            if (row->second.empty()) {
                rows_.erase(row);
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

std::optional<base::byte_vector> overlay::view::get(std::string_view key) const {
    const auto found = all_.rows_.find(key);
    if (found != all_.rows_.end()) {
        if (const version* const one = all_.newest(found->second, seen_)) {
            return one->value;
        }
    }
    return all_.base_.get(key);
}

std::vector<row> overlay::view::scan(const key_range& range, const scan_limit& limit) const {
    return merged_scan(all_.base_, all_.rows_, range, limit,
                       [this](const versions& of) -> const std::optional<base::byte_vector>* {
                           const version* const one = all_.newest(of, seen_);
                           return one == nullptr ? nullptr : &one->value;
                       });
}

} // namespace almenara::state
