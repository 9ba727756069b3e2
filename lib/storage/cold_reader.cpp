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
    waiting_.end();
    thread_.join();
}

void cold_reader::fetch(state::needs wanted, answer told) {
    waiting_.give({.wanted = std::move(wanted), .told = std::move(told)});
}

void cold_reader::loop() {
    const std::weak_ptr<const bool> alive = alive_;
    while (auto next = waiting_.take()) {
        post_([alive, found = read(next->wanted), told = std::move(next->told)]() mutable {
            if (!alive.expired()) {
                told(std::move(found));
            }
        });
    }
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
