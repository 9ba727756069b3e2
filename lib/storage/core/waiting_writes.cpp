#include "storage/core/waiting_writes.hpp"

#include "base/check.hpp"
#include "storage/core/batch.hpp"

#include <iterator>
#include <utility>

namespace almenara::storage::core {

namespace {

using taken = waiting_writes::taken;

replica::log_point end_of(const taken& so_far, const replica::log_point& on_disk) {
    if (!so_far.entries.empty()) {
        return replica::point_of(*so_far.entries.back());
    }
    return so_far.cut.value_or(on_disk);
}

/// What was to be written behind `last` never reaches the disk; what is there is cut.
void cut(taken& so_far, const replica::log_point& on_disk, const replica::log_point& last) {
    while (!so_far.entries.empty() && so_far.entries.back()->index > last.index) {
        so_far.entries.pop_back();
    }
    if (so_far.entries.empty() && end_of(so_far, on_disk) != last) {
        so_far.cut = last;
    }
}

} // namespace

taken waiting_writes::take(const replica::log_point& end, std::size_t most) {
    taken all;
    std::size_t size = batch_header_size;
    while (!writes_.empty()) {
        replica::log_write& write = writes_.front();
        if (write.truncates) {
            cut(all, end, write.previous);
            write.truncates = false;
        }
        ALMENARA_CHECK(end_of(all, end) == write.previous);
        auto next = write.entries.begin();
        for (; next != write.entries.end(); ++next) {
            const std::size_t more = record_size(**next);
            if (size + more > most && !all.entries.empty()) {
                break;
            }
            size += more;
            all.entries.push_back(*next);
        }
        if (next != write.entries.end()) {
            // The rest of it is for the next batch.
            write.entries.erase(write.entries.begin(), next);
            write.previous = end_of(all, end);
            break;
        }
        all.answers = write.batch;
        writes_.pop_front();
    }
    return all;
}

} // namespace almenara::storage::core
