#include "storage/cold_reader.hpp"

#include "storage/worker.hpp"

#include <string>
#include <utility>

namespace almenara::storage {

cold_reader::cold_reader(const state_db& of, post_function post) : of_(of), post_(std::move(post)) {
    // Somebody waits for it.
    thread_ = start_worker("cold-rows", priority::normal, [this] { loop(); });
}

cold_reader::~cold_reader() {
    {
        const std::lock_guard held{mutex_};
        ends_ = true;
    }
    woken_.notify_one();
    thread_.join();
}

void cold_reader::fetch(state::needs wanted, answer told) {
    {
        const std::lock_guard held{mutex_};
        waiting_.push_back({.wanted = std::move(wanted), .told = std::move(told)});
    }
    woken_.notify_one();
}

void cold_reader::loop() {
    const std::weak_ptr<const bool> alive = alive_;
    job next;
    while (wait_for_work(next)) {
        post_([alive, found = read(next.wanted), told = std::move(next.told)]() mutable {
            if (!alive.expired()) {
                told(std::move(found));
            }
        });
    }
}

bool cold_reader::wait_for_work(job& next) {
    std::unique_lock held{mutex_};
    woken_.wait(held, [this] { return ends_ || !waiting_.empty(); });
    if (ends_) {
        return false;
    }
    next = std::move(waiting_.front());
    waiting_.pop_front();
    return true;
}

result<state::inputs> cold_reader::read(const state::needs& wanted) const {
    const auto view = of_.view();
    if (!view) {
        return view.error();
    }
    state::inputs found;
    for (const std::string& key : wanted.rows) {
        auto value = (*view)->get(key);
        if (!value) {
            return value.error();
        }
        found.add_row(key, std::move(*value));
    }
    for (const state::cold_range& range : wanted.ranges) {
        auto rows = (*view)->scan(range.range, range.limit);
        if (!rows) {
            return rows.error();
        }
        found.add_range(range, std::move(*rows));
    }
    return found;
}

} // namespace almenara::storage
