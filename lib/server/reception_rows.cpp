#include "server/reception.hpp"

#include <utility>
#include <variant>

/// What the reception does with requests whose rows are not in memory (architecture 2).
namespace almenara::server {

void reception::wait_for_rows(attempt&& who, state::needs_inputs&& missing) {
    if (!cold_.wait(who, missing)) {
        sweep_waits_ = sweep_waits_ && who.request.has_value();
        if (who.request) {
            turn_away(who.connection, *who.request, {.code = state::result_code::busy, .body = {}});
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
    if (!cold_.wait_in_line(who)) {
        return turn_away(from, *who.request, {.code = state::result_code::busy, .body = {}});
    }
    note(sighting::kind::waits_in_line, from);
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
    constexpr int at_once = 64;
    for (int i = 0; i < at_once; ++i) {
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
