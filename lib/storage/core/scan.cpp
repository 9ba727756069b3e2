#include "storage/core/scan.hpp"

#include "storage/core/chain.hpp"
#include "storage/core/rules.hpp"
#include "storage/core/scan_behind.hpp"
#include "storage/core/segment_list.hpp"

#include <algorithm>
#include <utility>

namespace almenara::storage::core {

namespace {

/// Follows the chain through the segments until it ends, and then asks why.
class scanner {
  public:
    scanner(const scan_input& input, segment_list list) : in_(input), list_(std::move(list)) {}

    scan_result run();

  private:
    void follow();
    bool enter(const listed_segment& s);
    void walk(std::size_t which);
    [[nodiscard]] bool take(read_batch found, const listed_segment& s);
    void put_on_map(const listed_segment& s, bool usable);

    void judge_end();
    void found_damage(log_index from, std::optional<replica::log_end> end);
    void headers_lost();
    [[nodiscard]] log_index surely_ours() const;

    void cut_behind(log_index last);
    void keep_last_entry();
    void say_position();
    void read_tail();
    [[nodiscard]] std::optional<read_batch> read_again(segment_seq seq, std::uint64_t offset);

    const scan_input& in_;
    segment_list list_;
    scan_result out_;
    replica::log_point chain_;
    bool begun_ = false;
    bool blind_ =
        false; ///< a header or a file was missing since the last segment that was followed
    std::optional<log_break> break_;
    log_index hint_;
    bool sealed_ = false;
    segment_seq tail_segment_;
    std::uint64_t tail_offset_ = 0;
    base::byte_vector tail_bytes_;
    base::byte_vector scratch_;
};

scan_result scanner::run() {
    for (const listed_segment& s : list_.void_before) {
        put_on_map(s, false);
    }
    follow();
    if (out_.verdict != scan_verdict::damaged) {
        if (blind_) {
            headers_lost();
        } else if (begun_) {
            judge_end();
        }
    }
    keep_last_entry();
    say_position();
    read_tail();
    return std::move(out_);
}

void scanner::follow() {
    auto& all = list_.live_or_lost;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const bool stopped = out_.verdict == scan_verdict::damaged;
        put_on_map(all[i], all[i].header && !stopped);
        if (stopped) {
            continue;
        }
        if (!all[i].header) {
            blind_ = true;
        } else if (all[i].live() && enter(all[i])) {
            walk(i);
        }
    }
}

void scanner::put_on_map(const listed_segment& s, bool usable) {
    if (s.bytes == nullptr) {
        return; // A gap has no file.
    }
    mapped_segment mapped{.seq = s.seq, .size = s.bytes->size(), .readable = usable};
    if (usable) {
        mapped.uuid = s.header->uuid;
        mapped.previous = s.header->previous.index;
    }
    out_.map.open(std::move(mapped), false);
}

/// E.3: a bad header or batch in an older segment is no damage if the chain before it already
/// reaches where a later one begins.
bool scanner::enter(const listed_segment& s) {
    if (!begun_) {
        begun_ = true;
        out_.base = chain_ = s.header->previous;
        if (blind_ && in_.applied < out_.base.index) {
            // The file before it is there and cannot be read, so its entries were not recycled.
            found_damage(in_.applied.next(), std::nullopt);
            return false;
        }
    } else if (chain_ != s.header->previous) {
        // What is missing may have cut what stands before it, so that is not ours for sure.
        headers_lost();
        return false;
    }
    blind_ = false;
    return true;
}

void scanner::walk(std::size_t which) {
    const listed_segment& s = list_.live_or_lost[which];
    segment_walker walker{*s.bytes, *s.header, s.limit};
    std::uint64_t offset = block_size;
    while (chain_.index < s.cap) {
        auto found = walker.at(offset);
        if (!found) {
            found = walker.next(offset + block_size);
        }
        // A bad batch before one with which the chain goes on had no entries: nothing is lost.
        const std::uint64_t behind = found ? found->offset + found->header.padded() : 0;
        if (!found || !take(std::move(*found), s)) {
            break_ = log_break{.segment = which, .offset = offset};
            break;
        }
        offset = behind;
    }
    const auto& all = list_.live_or_lost;
    const bool next_is_lost = which + 1 < all.size() && !all[which + 1].header;
    if (s.cap != no_cap && chain_.index < s.cap && !next_is_lost) {
        // A later segment says how far this one once reached.
        found_damage(chain_.index.next(), look_behind(list_, *break_).end);
    }
}

bool scanner::take(read_batch found, const listed_segment& s) {
    const auto behind = goes_on(chain_, found, s.cap, scratch_);
    if (!behind) {
        return false;
    }
    for (replica::entry_ptr& e : found.content.entries) {
        if (e->index > s.cap) {
            break;
        }
        out_.positions.push_back(replica::point_of(*e));
        if (e->type == replica::entry_type::config) {
            out_.configs.push_back(e);
        }
        if (e->index > in_.applied) {
            out_.recent.push_back(std::move(e));
        }
    }
    if (behind->index > chain_.index) {
        out_.map.add({.first = found.header.first,
                      .last = behind->index,
                      .offset = found.offset,
                      .length = found.header.padded()});
    }
    chain_ = *behind;
    hint_ = std::max(hint_, found.content.commit.value_or(log_index{}));
    sealed_ = found.header.seals();
    tail_segment_ = s.seq;
    tail_offset_ = found.offset;
    return true;
}

// -- Why it ends ----------------------------------------------------------------------------------

void scanner::judge_end() {
    const listed_segment& last = list_.live_or_lost[break_->segment];
    const behind_break behind = look_behind(list_, *break_);
    const log_index next = chain_.index.next();
    if (behind.written && holds(rule::proof_of_durable)) {
        return found_damage(next, behind.end);
    }
    if (list_.acked >= next && holds(rule::proof_of_durable)) {
        // After a clean stop the mark is the very end; else there may have been more.
        const acked_mark& mark = in_.meta.acked;
        const bool exact = in_.meta.clean_stop && mark.segment == last.seq;
        return found_damage(
            next, exact ? std::optional{replica::log_end{.epoch = mark.epoch, .index = mark.index}}
                        : std::nullopt);
    }
    segment_walker walker{*last.bytes, *last.header, last.limit};
    out_.verdict = walker.blank_from(break_->offset) ? scan_verdict::clean : scan_verdict::torn;
}

void scanner::found_damage(log_index from, std::optional<replica::log_end> end) {
    out_.verdict = scan_verdict::damaged;
    out_.damage = replica::damage{.from = from, .end = end};
}

/// A segment that cannot be read may have cut the log anywhere above what is committed: a dead
/// suffix is never served, so only that much is used.
void scanner::headers_lost() {
    cut_behind(surely_ours());
    found_damage(chain_.index.next(), std::nullopt);
}

log_index scanner::surely_ours() const {
    const log_index committed = std::max({hint_, in_.applied, out_.base.index});
    return std::min(committed, chain_.index);
}

// -- What it gives --------------------------------------------------------------------------------

void scanner::cut_behind(log_index last) {
    if (last == chain_.index) {
        return;
    }
    out_.positions.resize(last.value() - out_.base.index.value());
    chain_ = out_.positions.empty() ? out_.base : out_.positions.back();
    const auto behind = [last](const replica::entry_ptr& e) { return e->index > last; };
    std::erase_if(out_.recent, behind);
    std::erase_if(out_.configs, behind);
    out_.map.cut_behind(last);
    tail_segment_ = {};
}

/// replica::start_state: `recent` holds the last one, also if the state has it already.
void scanner::keep_last_entry() {
    if (out_.positions.empty() || !out_.recent.empty()) {
        return;
    }
    const auto place = out_.map.find(chain_.index);
    const auto found = place ? read_again(place->segment, place->place.offset) : std::nullopt;
    if (!found || found->header.first > chain_.index || found->header.last < chain_.index) {
        // It could be read a moment ago.
        cut_behind(log_index{chain_.index.value() - 1});
        found_damage(chain_.index.next(), std::nullopt);
        return keep_last_entry();
    }
    out_.recent.push_back(
        found->content.entries[chain_.index.value() - found->header.first.value()]);
}

std::optional<read_batch> scanner::read_again(segment_seq seq, std::uint64_t offset) {
    for (const listed_segment& s : list_.live_or_lost) {
        if (s.seq == seq && s.header) {
            segment_walker walker{*s.bytes, *s.header, s.limit};
            auto found = walker.at(offset);
            tail_bytes_.assign(walker.last_bytes().begin(), walker.last_bytes().end());
            return found;
        }
    }
    return std::nullopt;
}

void scanner::say_position() {
    log_position& position = out_.position;
    position.last = chain_;
    position.newest = list_.newest;
    position.hint = hint_;
    if (list_.live_or_lost.empty()) {
        return;
    }
    const std::size_t newest = list_.live_or_lost.size() - 1;
    position.length = list_.live_or_lost[newest].limit;
    if (break_ && break_->segment == newest) {
        position.length = break_->offset;
        position.go_on = out_.verdict == scan_verdict::clean;
        position.sealed = sealed_ && tail_segment_ == list_.newest;
    }
}

void scanner::read_tail() {
    if (tail_segment_ == segment_seq{} || tail_segment_ != list_.newest) {
        return; // A segment is opened only after what stands before it was synced.
    }
    if (read_again(tail_segment_, tail_offset_)) {
        out_.tail = tail_batch{
            .segment = tail_segment_, .offset = tail_offset_, .bytes = std::move(tail_bytes_)};
    }
}

} // namespace

result<scan_result> scan(scan_input input) {
    auto list = list_segments(input);
    if (!list) {
        return list.error();
    }
    return scanner{input, std::move(*list)}.run();
}

} // namespace almenara::storage::core
