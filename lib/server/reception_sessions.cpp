#include "base/hash.hpp"
#include "server/reception.hpp"
#include "wire/beacon.hpp"
#include "wire/user_name.hpp"

#include <algorithm>
#include <variant>

/// The part of the reception that is about sessions: who speaks, how they begin, whom they belong
/// to, and how they end (C.1).
namespace almenara::server {

namespace {

/// C.1: whichever primary is asked finds the same one.
device_id device_of(const wire::login& who) {
    const auto random = who.device ? who.device->value() : who.nonce->value();
    base::byte_vector both{random.begin(), random.end()};
    const base::byte_view name = base::as_bytes(who.user);
    both.insert(both.end(), name.begin(), name.end());
    const base::sha256_digest digest = base::sha256(both);
    device_id::rep device{};
    std::copy_n(digest.begin(), device.size(), device.begin());
    return device_id{device};
}

} // namespace

std::optional<wire::beacon_pass> reception::pass_for(const device_id& device) const {
    if (!announce_key_) {
        return std::nullopt;
    }
    const device_tag tag = wire::tag_of(device);
    return wire::beacon_pass{.tag = tag, .key = wire::beacon_key(*announce_key_, tag)};
}

void reception::serve(connection_id from, wire::login&& what, progress&& so_far) {
    if (!wire::is_user_name(what.user)) {
        return turn_away(from, what, {.code = state::result_code::invalid, .body = {}});
    }
    wire::login_ok known{.request = what.request,
                         .user = what.user,
                         .administrator = what.user == wire::administrators_name,
                         .device = {},
                         .session = {},
                         .epoch = log_.here().epoch};
    if (what.device || what.nonce) {
        known.device = device_of(what);
        known.beacon = pass_for(*known.device);
    }
    if (!what.nonce) {
        // Trust needs no state: any server can say it.
        return say(from, std::move(known));
    }
    if (!in_office()) {
        return not_here(from, std::move(what));
    }
    const auto turn = next_turn();
    if (!turn) {
        return hold_for_slot(from, std::move(what));
    }
    state::decision decided = desk_.open_session(
        *turn, from, {.request = what.request, .device = *known.device, .nonce = *what.nonce},
        so_far.supplied);
    if (!std::holds_alternative<state::turned_away>(decided) &&
        !std::holds_alternative<state::needs_inputs>(decided)) {
        logins_.insert_or_assign({from, what.request}, std::move(known));
    }
    settle(from, std::move(what), std::move(decided), std::move(so_far));
}

void reception::serve(connection_id from, wire::attach&& what, progress&& so_far) {
    if (what.mode == wire::attach_mode::standby) {
        // It waits here for the day when this server rules, and then attaches for service.
        return say(
            from,
            wire::attached{.request = what.request, .last_known = {}, .epoch = log_.here().epoch});
    }
    if (what.mode != wire::attach_mode::service) {
        return turn_away(from, what, {.code = state::result_code::unsupported, .body = {}});
    }
    if (!in_office()) {
        return not_here(from, std::move(what));
    }
    if (cold_.has_other_line(from, what.session)) {
        return no_room(from, what);
    }
    if (cold_.has_line(what.session) && !so_far.is_first) {
        return wait_in_line(from, std::move(what));
    }
    auto outcome = desk_.attach(from, what.session, so_far.supplied);
    if (auto* const missing = std::get_if<state::needs_inputs>(&outcome)) {
        return wait_for_rows(
            {.connection = from, .request = std::move(what), .so_far = std::move(so_far)},
            std::move(*missing));
    }
    const auto* const done = std::get_if<state::attached>(&outcome);
    if (done == nullptr) {
        return probe(
            {.connection = from, .request = std::move(what), .why = probing::purpose::refusal});
    }
    if (announce_key_) {
        attendance_.attached(from, wire::tag_of(done->device));
    }
    // C.1: the older connection is void.
    if (done->to_close && *done->to_close != from) {
        closing_.push_back(*done->to_close);
        attendance_.ended(*done->to_close);
    }
    note(sighting::kind::session_attached, from, what.session);
    say(from, wire::attached{.request = what.request,
                             .last_known = done->last_known,
                             .epoch = log_.here().epoch});
}

void reception::serve(connection_id from, wire::session_close&& what, progress&& so_far) {
    if (!in_office()) {
        return not_here(from, std::move(what));
    }
    if (cold_.has_line(what.session) && !so_far.is_first) {
        return wait_in_line(from, std::move(what));
    }
    const auto turn = next_turn();
    if (!turn) {
        return hold_for_slot(from, std::move(what));
    }
    state::decision decided = desk_.close_session(
        *turn, from, {.request = what.request, .session = what.session}, so_far.supplied);
    settle(from, std::move(what), std::move(decided), std::move(so_far));
}

// B.5.2: only the committed state says that there is no such session, or no such operation.
void reception::explain(connection_id from, client_request&& what, progress&& so_far) {
    const auto* const operation = std::get_if<wire::operation>(&what);
    auto found = desk_.why_not(session_of(what),
                               operation != nullptr ? std::optional{operation->seq} : std::nullopt,
                               so_far.supplied);
    if (auto* const missing = std::get_if<state::needs_inputs>(&found)) {
        return wait_for_rows({.connection = from,
                              .request = std::move(what),
                              .explains = true,
                              .so_far = std::move(so_far)},
                             std::move(*missing));
    }
    auto& why = std::get<state::reply>(found);
    const auto* const closing = std::get_if<wire::session_close>(&what);
    if (closing == nullptr || why.code != state::result_code::session_expired) {
        return turn_away(from, what, std::move(why));
    }
    // It is gone, which is what was wished.
    say(from, wire::session_closed{.request = closing->request,
                                   .session = closing->session,
                                   .epoch = log_.here().epoch,
                                   .index = {}});
}

void reception::sweep(progress&& so_far) {
    if (!in_office() || sweep_waits_) {
        return;
    }
    const auto turn = next_turn();
    if (!turn) {
        return;
    }
    auto found = desk_.sweep(*turn, so_far.supplied);
    if (auto* const entry = std::get_if<state::proposed>(&found)) {
        log_.propose(std::move(*entry));
    } else if (auto* const missing = std::get_if<state::needs_inputs>(&found)) {
        sweep_waits_ = true;
        wait_for_rows({.connection = {}, .request = {}, .so_far = std::move(so_far)},
                      std::move(*missing));
    }
}

} // namespace almenara::server
