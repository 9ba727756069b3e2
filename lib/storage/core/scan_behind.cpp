#include "storage/core/scan_behind.hpp"

#include "storage/core/chain.hpp"

namespace almenara::storage::core {

namespace {

class reader_behind {
  public:
    void start(const listed_segment& s, std::uint64_t offset);
    void go_on(const listed_segment& s);
    void lost() { whole_ = false; }

    [[nodiscard]] behind_break result() const {
        behind_break found{.written = written_, .end = std::nullopt};
        if (written_ && whole_ && sealed_) {
            found.end = end_;
        }
        return found;
    }

  private:
    void read(segment_walker& walker, std::uint64_t offset, log_index cap);
    bool take(const read_batch& found, log_index cap);

    std::optional<replica::log_point> chain_; ///< none before the first entry behind the break
    replica::log_end end_;
    bool written_ = false;
    bool whole_ = true;
    bool sealed_ = false;
    base::byte_vector scratch_;
};

void reader_behind::start(const listed_segment& s, std::uint64_t offset) {
    segment_walker walker{*s.bytes, *s.header, s.limit};
    const auto first = walker.next(offset);
    if (!first) {
        return;
    }
    written_ = true;
    read(walker, first->offset, s.cap);
}

void reader_behind::go_on(const listed_segment& s) {
    written_ = true; // It was opened behind what cannot be read.
    sealed_ = false;
    whole_ = whole_ && (!chain_ || *chain_ == s.header->previous);
    chain_ = s.header->previous;
    segment_walker walker{*s.bytes, *s.header, s.limit};
    read(walker, block_size, s.cap);
}

void reader_behind::read(segment_walker& walker, std::uint64_t offset, log_index cap) {
    while (!chain_ || chain_->index < cap) {
        const auto found = walker.at(offset);
        if (!found || !take(*found, cap)) {
            break;
        }
        offset += found->header.padded();
    }
    if (cap == no_cap) {
        whole_ = whole_ && walker.blank_from(offset) && !walker.next(offset);
    } else {
        whole_ = whole_ && chain_ && chain_->index >= cap;
    }
}

bool reader_behind::take(const read_batch& found, log_index cap) {
    if (!found.at_home()) {
        return false;
    }
    const auto& entries = found.content.entries;
    if (chain_) {
        chain_ = goes_on(*chain_, found, cap, scratch_);
        if (!chain_) {
            whole_ = false;
            return false;
        }
    } else if (!entries.empty()) {
        const auto first = replica::point_of(*entries.front());
        chain_ = chain_through(first, std::span{entries}.subspan(1), cap, scratch_);
        if (!chain_) {
            whole_ = false;
            return false;
        }
    }
    sealed_ = found.header.seals();
    end_ = found.header.durable;
    return true;
}

} // namespace

behind_break look_behind(const segment_list& list, const log_break& at) {
    reader_behind reader;
    for (std::size_t i = at.segment; i < list.live_or_lost.size(); ++i) {
        const listed_segment& s = list.live_or_lost[i];
        if (!s.header) {
            reader.lost();
        } else if (i == at.segment) {
            reader.start(s, at.offset);
        } else if (s.live()) {
            reader.go_on(s);
        }
    }
    return reader.result();
}

} // namespace almenara::storage::core
