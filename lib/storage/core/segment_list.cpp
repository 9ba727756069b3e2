#include "storage/core/segment_list.hpp"

#include "storage/core/rules.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace almenara::storage::core {

namespace {

result<std::optional<segment_header>> read_header(const segment_file& file,
                                                  const std::optional<cluster_id>& cluster) {
    base::byte_vector block(block_size);
    if (file.bytes->size() < block_size || !file.bytes->read(0, block)) {
        return std::optional<segment_header>{};
    }
    auto header = decode_header(block);
    if (!header || !*header) {
        return header;
    }
    // A file under another name, or another cluster's, is as good as one that cannot be read.
    if ((*header)->seq != file.seq || (cluster && (*header)->cluster != cluster)) {
        return std::optional<segment_header>{};
    }
    return header;
}

/// All files in order, with one element for each run of numbers that are missing.
result<std::vector<listed_segment>> all_of(const scan_input& input) {
    std::vector<segment_file> files = input.files;
    std::sort(files.begin(), files.end(),
              [](const segment_file& a, const segment_file& b) { return a.seq < b.seq; });
    std::vector<listed_segment> all;
    std::optional<segment_seq> expected;
    for (const segment_file& file : files) {
        if (expected && file.seq != *expected) {
            all.push_back({.seq = *expected});
        }
        auto header = read_header(file, input.meta.core.cluster);
        if (!header) {
            return header.error();
        }
        all.push_back({.seq = file.seq, .bytes = file.bytes, .header = *header});
        expected = file.seq.next();
    }
    const segment_seq named = input.meta.acked.segment;
    if (named != segment_seq{} && (!expected || named >= *expected)) {
        all.push_back({.seq = expected.value_or(named)}); // `meta` knows of a newer one.
    }
    return all;
}

/// B.8: a reset makes everything before it void.
void split_at_reset(std::vector<listed_segment> all, segment_list& into) {
    const auto reset = std::find_if(all.rbegin(), all.rend(), [](const listed_segment& s) {
        return s.header && s.header->resets;
    });
    const auto begin = reset == all.rend() ? all.begin() : std::prev(reset.base());
    into.void_before.assign(std::make_move_iterator(all.begin()), std::make_move_iterator(begin));
    into.live_or_lost.assign(std::make_move_iterator(begin), std::make_move_iterator(all.end()));
}

void find_limits(std::vector<listed_segment>& segments) {
    log_index cap = no_cap;
    for (std::size_t i = segments.size(); i-- > 0;) {
        listed_segment& s = segments[i];
        s.cap = cap;
        s.limit = s.bytes != nullptr ? s.bytes->size() : 0;
        if (i + 1 < segments.size()) {
            const auto& behind = segments[i + 1].header;
            if (behind && behind->seq == s.seq.next()) {
                s.limit = std::min(s.limit, behind->previous_length);
            }
        }
        if (s.header) {
            cap = std::min(cap, s.first_behind());
        }
    }
}

/// E.3: a mark of a segment says nothing of what a later one cut.
log_index acked_of(const acked_mark& mark, const segment_list& list) {
    log_index acked = mark.index;
    for (const listed_segment& s : list.live_or_lost) {
        if (s.header && s.seq > mark.segment && holds(rule::void_suffix)) {
            acked = std::min(acked, s.first_behind());
        }
    }
    return acked;
}

} // namespace

result<segment_list> list_segments(const scan_input& input) {
    auto all = all_of(input);
    if (!all) {
        return all.error();
    }
    segment_list list;
    if (!all->empty()) {
        list.newest = std::max(all->back().seq, input.meta.acked.segment);
    }
    if (!holds(rule::header_is_no_spare)) {
        std::erase_if(*all, [](const listed_segment& s) { return !s.header; });
    }
    split_at_reset(std::move(*all), list);
    find_limits(list.live_or_lost);
    list.acked = acked_of(input.meta.acked, list);
    return list;
}

} // namespace almenara::storage::core
