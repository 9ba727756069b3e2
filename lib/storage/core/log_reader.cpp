#include "storage/core/log_reader.hpp"

#include "replica/log_view.hpp"
#include "storage/core/batch.hpp"
#include "storage/core/chain.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace almenara::storage::core {

namespace {

/// Reads batches one after the other; neighbours are in the same file.
class batch_reader {
  public:
    explicit batch_reader(device& from) : from_(from) {}

    [[nodiscard]] std::optional<batch> read(const log_map::found& where);

  private:
    [[nodiscard]] bool open(segment_seq segment);

    device& from_;
    std::unique_ptr<readable_file> file_;
    segment_seq segment_;
    base::byte_vector bytes_;
};

bool batch_reader::open(segment_seq segment) {
    if (!file_ || segment_ != segment) {
        auto opened = from_.open(segment_file_name(segment), read_from::cache);
        file_ = opened ? std::move(*opened) : nullptr;
        segment_ = segment;
    }
    return file_ != nullptr;
}

std::optional<batch> batch_reader::read(const log_map::found& where) {
    const batch_place& place = where.place;
    if (!open(where.segment) || place.offset + place.length > file_->size()) {
        return std::nullopt;
    }
    bytes_.resize(place.length);
    if (!file_->read(place.offset, bytes_)) {
        return std::nullopt;
    }
    const auto header = decode_batch_header(bytes_, where.uuid);
    if (!header || header->offset() != place.offset || header->first != place.first) {
        return std::nullopt;
    }
    return decode_batch(*header, bytes_, where.uuid);
}

/// Puts together one answer.
class answer_builder {
  public:
    explicit answer_builder(const read_plan& plan)
        : wanted_(plan.wanted), recycled_(plan.recycled) {
        answer_.request = wanted_.request;
    }

    /// False: no more is wanted, or it does not go on.
    [[nodiscard]] bool take(batch found, log_index last);
    [[nodiscard]] replica::log_read done() && {
        // Where nothing is synced nothing can be missing.
        answer_.hole = answer_.entries.empty() && wanted_.from <= wanted_.to && !recycled_;
        return std::move(answer_);
    }

  private:
    const replica::log_request& wanted_;
    bool recycled_;
    replica::log_read answer_;
    /// The last entry seen. What the first one follows is not here; the core knows its hash.
    std::optional<replica::log_point> before_;
    std::size_t bytes_ = 0;
    base::byte_vector scratch_;
};

bool answer_builder::take(batch found, log_index last) {
    for (replica::entry_ptr& e : found.entries) {
        if (e->index > last) {
            return true; // The rest of this batch was cut; another one goes on.
        }
        if (before_ && !chain_through(*before_, std::span{&e, 1}, e->index, scratch_)) {
            return false;
        }
        before_ = replica::point_of(*e);
        if (e->index < wanted_.from) {
            continue;
        }
        if (e->index > wanted_.to || (bytes_ >= wanted_.max_bytes && bytes_ > 0)) {
            return false;
        }
        bytes_ += replica::weight(*e);
        answer_.entries.push_back(std::move(e));
    }
    return true;
}

} // namespace

read_plan plan_read(const log_map& map, replica::log_request wanted, log_index durable) {
    wanted.to = std::min(wanted.to, durable);
    read_plan plan{.wanted = wanted, .batches = {}};
    std::uint64_t bytes = 0;
    for (log_index at = wanted.from; at <= wanted.to;) {
        const auto found = map.find(at);
        if (!found) {
            break;
        }
        plan.batches.push_back(*found);
        bytes += found->place.length;
        if (bytes >= wanted.max_bytes) {
            break;
        }
        at = found->place.last.next();
    }
    return plan;
}

replica::log_read read_entries(device& from, const read_plan& plan) {
    batch_reader reader{from};
    answer_builder answer{plan};
    for (const log_map::found& where : plan.batches) {
        auto found = reader.read(where);
        if (!found || !answer.take(std::move(*found), where.place.last)) {
            break;
        }
    }
    return std::move(answer).done();
}

} // namespace almenara::storage::core
