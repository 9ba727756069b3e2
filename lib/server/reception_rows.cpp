#include "server/reception.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>

/// What the reception does with requests whose rows are not in memory (architecture 2).
namespace almenara::server {

void reception::wait_for_rows(attempt&& who, state::needs_inputs&& missing) {
    if (who.request && !who.so_far.until) {
        who.so_far.until = rows_by(*who.request);
    }
    const bool is_new = who.so_far.is_new || missing.is_new;
    if (!cold_.wait(who, missing)) {
        sweep_waits_ = sweep_waits_ && who.request.has_value();
        if (who.request) {
            no_room(who.connection, *who.request, is_new);
        }
        return;
    }
    if (who.request) {
        note(sighting::kind::waits_for_rows, who.connection);
    }
    ask_for_rows();
}

/// What a session says is done in the order in which it was said.
void reception::wait_in_line(connection_id from, client_request&& what) {
    attempt who{.connection = from, .request = std::move(what)};
    who.so_far.until = rows_by(*who.request);
    if (!cold_.wait_in_line(who)) {
        return no_room(from, *who.request);
    }
    note(sighting::kind::waits_in_line, from);
}

/// A disk may hang, and its client waits for so long only (C.0).
instant reception::rows_by(const client_request& what) const {
    duration wait = limits_.rows_hold;
    if (const auto* const asked = std::get_if<wire::operation>(&what);
        asked != nullptr && asked->deadline > duration{0}) {
        wait = std::min<duration>(wait, asked->deadline);
    }
    return log_.now() + wait;
}

void reception::give_up_waiting() {
    for (const attempt& one : cold_.take_due(log_.now())) {
        no_room(one.connection, *one.request, one.so_far.is_new);
    }
}

void reception::ask_for_rows() {
    while (auto next = cold_.next_order()) {
        log_.fetch(next->ticket, std::move(next->wanted));
    }
}

void reception::fetched(fetch_ticket ticket, state::inputs rows) {
    cold_.arrived(ticket, std::move(rows));
    ask_for_rows();
}

/// The others in the next turn: wake() says so.
void reception::go_on_with_some() {
    for (std::size_t served = 0; served < limits_.served_at_once; ++served) {
        auto next = cold_.take_ready();
        if (!next) {
            return;
        }
        go_on(std::move(*next));
    }
}

/// From the beginning, on the state as it is now.
void reception::go_on(attempt&& who) {
    const auto line = line_of(who);
    if (!who.request) {
        sweep_waits_ = false;
        sweep(std::move(who.so_far));
    } else if (who.explains) {
        explain(who.connection, std::move(*who.request), std::move(who.so_far));
    } else if (auto* const asked = std::get_if<wire::read>(&*who.request);
               asked != nullptr && asked->mode != wire::read_mode::stale) {
        // B.9: its probe round was before; what was committed since does no harm.
        answer_read(who.connection, std::move(*asked), {}, std::move(who.so_far));
    } else {
        serve(who.connection, std::move(*who.request), std::move(who.so_far));
    }
    if (line) {
        cold_.went_on(*line);
    }
}

} // namespace almenara::server
