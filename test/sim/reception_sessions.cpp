#include "base/check.hpp"
#include "sim/reception.hpp"
#include "state/session_table.hpp"
#include "state/update.hpp"
#include "wire/codec.hpp"

#include <utility>

/// The part of the reception that is about sessions: how they begin, whom they belong to, and how
/// they end (C.1).
namespace almenara::sim {

void reception::serve(const asking& who, const ask_session& what) {
    const auto turn = next_turn(who);
    if (!turn) {
        return redirect(who);
    }
    settle(who,
           desk_.open_session(*turn, who.connection,
                              {.request = who.request, .device = what.device, .nonce = what.nonce}),
           {}, {});
}

void reception::serve(const asking& who, const ask_attach& what) {
    const auto outcome = desk_.attach(who.connection, what.session);
    if (const auto* done = std::get_if<state::attached>(&outcome)) {
        uses_.attached(what.session.value(), who.connection);
        if (done->to_close && *done->to_close != who.connection) {
            closing_.push_back(*done->to_close);
        }
        return say(who.connection, who.request, attached{.epoch = who.here.epoch});
    }
    probe(who, waiting_refusal{.connection = who.connection,
                               .request = who.request,
                               .session = what.session,
                               .seq = std::nullopt});
}

void reception::sweep(replica::core& core, const replica::moment& now, const standing& here) {
    const asking who{.core = core, .now = now, .here = here, .connection = {}, .request = {}};
    const auto turn = next_turn(who);
    if (!turn) {
        return;
    }
    if (auto entry = desk_.sweep(*turn)) {
        watch_expiry(here, *entry);
        propose(who, std::move(*entry));
    }
}

void reception::watch_expiry(const standing& here, const state::proposed& what) {
    const auto decided = wire::decode<state::update>(what.payload);
    ALMENARA_CHECK(decided.has_value());
    for (const state::change& change : decided->changes) {
        if (change.kind == state::change_kind::erase &&
            change.key.starts_with(state::session_prefix)) {
            seen_.saw(sight::session_expired);
            uses_.expires(here.self, state::session_of_key(change.key).value());
        }
    }
}

} // namespace almenara::sim
