#include "scripts/conditions.hpp"

#include "scripts/fields.hpp"
#include "scripts/telling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>

namespace almenara::scripts {

using namespace replica;

namespace {

bool holds_word(const std::vector<entry_ptr>& entries, const std::string& word) {
    return std::any_of(entries.begin(), entries.end(),
                       [&](const entry_ptr& each) { return tell(*each) == word; });
}

bool is_confirmed(const stage& on, const std::string& word) {
    for (const auto& [id, s] : on.servers) {
        for (const entry_ptr& each : on.log_of(s)) {
            const auto found = on.god.all_confirmed().find(each->index);
            if (tell(*each) == word && found != on.god.all_confirmed().end() &&
                found->second == each->hash) {
                return true;
            }
        }
    }
    return false;
}

const peer_status* peer_of(const core_status& status, server_id id) {
    const auto found = std::find_if(status.peers.begin(), status.peers.end(),
                                    [id](const peer_status& each) { return each.id == id; });
    return found == status.peers.end() ? nullptr : &*found;
}

std::vector<hash64> hashes(const std::vector<entry_ptr>& log) {
    std::vector<hash64> all;
    for (const entry_ptr& each : log) {
        all.push_back(each->hash);
    }
    return all;
}

bool all_equal(const stage& on, const std::vector<server_id>& which) {
    std::optional<std::vector<hash64>> first;
    std::optional<log_index> commit;
    for (const server_id id : which) {
        const server& s = on.servers.at(id);
        if (!s.runs()) {
            return false;
        }
        const std::vector<hash64> here = hashes(s.storage.synced.log);
        const log_index committed = s.core->status().commit;
        if (here != hashes(on.log_of(s)) || (first && *first != here) ||
            (commit && *commit != committed) || committed.value() != here.size()) {
            return false;
        }
        first = here;
        commit = committed;
    }
    return true;
}

std::vector<server_id> named_or_running(const stage& on, words& said) {
    std::vector<server_id> which = said.servers();
    if (which.empty()) {
        for (const auto& [id, s] : on.servers) {
            if (s.runs()) {
                which.push_back(id);
            }
        }
    }
    return which;
}

/// A condition about one server that must run to have an answer.
condition about(stage& on, server_id id, std::function<bool(const core_status&)> asks) {
    return [&on, id, asks = std::move(asks)] {
        const server& s = on.at(id);
        return s.runs() && asks(s.core->status());
    };
}

condition primary(stage& on, words& said) {
    if (said.empty() || said.peek() == "within") {
        return [&on] { return ruling(on) != nullptr; };
    }
    const server_id id = said.server();
    return [&on, id] {
        const server* const found = ruling(on);
        return found != nullptr && found->id == id;
    };
}

condition office(stage& on, words& said) {
    return about(on, said.server(),
                 [](const core_status& now) { return now.role == role_name::primary; });
}

condition role(stage& on, words& said) {
    const server_id id = said.server();
    const auto wanted = detail::enumerator_of<role_name>(said.take());
    return about(on, id, [wanted](const core_status& now) { return now.role == wanted; });
}

condition epoch_is(stage& on, words& said) {
    const server_id id = said.server();
    const epoch wanted{said.number()};
    return about(on, id, [wanted](const core_status& now) { return now.epoch == wanted; });
}

condition knows(stage& on, words& said) {
    const server_id id = said.server();
    const server_id wanted = said.server();
    return about(on, id, [wanted](const core_status& now) { return now.known_primary == wanted; });
}

condition commit(stage& on, words& said) {
    const server_id id = said.server();
    const log_index wanted{said.number()};
    return about(on, id, [wanted](const core_status& now) { return now.commit >= wanted; });
}

condition in_sync(stage& on, words& said) {
    const server_id id = said.server();
    const server_id other = said.server();
    return about(on, id, [other](const core_status& now) {
        const peer_status* const found = peer_of(now, other);
        return found != nullptr && found->in_sync;
    });
}

condition linked(stage& on, words& said) {
    const server_id id = said.server();
    const server_id other = said.server();
    return about(on, id, [other](const core_status& now) {
        const peer_status* const found = peer_of(now, other);
        return found != nullptr && found->open;
    });
}

condition eligible(stage& on, words& said) {
    const server_id id = said.server();
    const auto wanted = static_cast<std::uint8_t>(said.number());
    return about(on, id, [wanted](const core_status& now) { return now.eligible == wanted; });
}

condition damaged(stage& on, words& said) {
    const server_id id = said.server();
    return [&on, id] { return on.at(id).storage.synced.meta.damaged.has_value(); };
}

condition promised(stage& on, words& said) {
    const server_id id = said.server();
    const server_id to = said.server();
    return [&on, id, to] {
        const std::optional<replica::promised>& found = on.at(id).storage.synced.meta.promised_to;
        return found && found->id == to;
    };
}

condition durable_epoch(stage& on, words& said) {
    const server_id id = said.server();
    const epoch wanted{said.number()};
    return [&on, id, wanted] { return on.at(id).storage.synced.meta.epoch == wanted; };
}

condition has(stage& on, words& said) {
    const server_id id = said.server();
    const std::string word = said.take();
    return [&on, id, word] { return holds_word(on.log_of(on.at(id)), word); };
}

condition on_disk(stage& on, words& said) {
    const server_id id = said.server();
    const std::string word = said.take();
    return [&on, id, word] { return holds_word(on.at(id).storage.synced.log, word); };
}

condition applied(stage& on, words& said) {
    const server_id id = said.server();
    const std::string word = said.take();
    return [&on, id, word] { return holds_word(on.at(id).applied, word); };
}

condition confirmed(stage& on, words& said) {
    const std::string word = said.take();
    return [&on, word] { return is_confirmed(on, word); };
}

condition readable(stage& on, words& said) {
    const server_id id = said.server();
    const std::uint64_t ticket = said.number();
    return [&on, id, ticket] { return on.at(id).readable.contains(ticket); };
}

condition runs(stage& on, words& said) {
    const server_id id = said.server();
    return [&on, id] { return on.at(id).runs(); };
}

condition aborted(stage& on, words& said) {
    const server_id id = said.server();
    return [&on, id] { return on.aborted.contains(id); };
}

condition equal(stage& on, words& said) {
    const std::vector<server_id> which = named_or_running(on, said);
    return [&on, which] { return all_equal(on, which); };
}

condition sent(stage& on, words& said) {
    const direction way = said.one_way();
    const std::string name = said.take();
    const bool counted = !said.empty() && said.peek() != "within";
    const std::uint64_t least = counted ? said.number() : 1;
    return [&on, way, name, least] { return on.sent(way, name) >= least; };
}

/// Since the last count-anew (I24).
condition nobody_asks(stage& on, words&) {
    return [&on] {
        const std::vector<server_id> all = on.all_ids();
        return std::none_of(all.begin(), all.end(), [&](server_id from) {
            return std::any_of(all.begin(), all.end(), [&](server_id to) {
                return on.sent({.from = from, .to = to}, "ELECTION") > 0;
            });
        });
    };
}

condition terms(stage& on, words& said) {
    const std::uint64_t wanted = said.number();
    return [&on, wanted] { return on.god.terms_of_office() == wanted; };
}

condition told(stage& on, words& said) {
    const std::string name = said.take();
    const std::uint64_t seq = said.number();
    const std::string code = said.take();
    return [&on, name, seq, code] { return on.serves && on.serves->was_told(name, seq, code); };
}

condition told_epoch(stage& on, words& said) {
    const std::string name = said.take();
    const epoch wanted{said.number()};
    return [&on, name, wanted] { return on.serves && on.serves->told_epoch(name) == wanted; };
}

condition has_read(stage& on, words& said) {
    const std::string name = said.take();
    const std::string value = said.take();
    return [&on, name, value] { return on.serves && on.serves->last_read(name) == value; };
}

condition value(stage& on, words& said) {
    const server_id id = said.server();
    const std::string key = said.take();
    const std::string wanted = said.take();
    return [&on, id, key, wanted] { return on.serves && on.serves->value_at(id, key) == wanted; };
}

condition nothing_lost(stage& on, words&) {
    return [&on] {
        const server* const found = ruling(on);
        return found != nullptr && has_all_confirmed(on, *found);
    };
}

using reader = condition (*)(stage&, words&);
const std::map<std::string, reader>& readers() {
    static const std::map<std::string, reader> all{
        {"primary", primary},
        {"office", office},
        {"role", role},
        {"epoch", epoch_is},
        {"knows", knows},
        {"commit", commit},
        {"in-sync", in_sync},
        {"linked", linked},
        {"eligible", eligible},
        {"damaged", damaged},
        {"promised", promised},
        {"durable-epoch", durable_epoch},
        {"has", has},
        {"on-disk", on_disk},
        {"applied", applied},
        {"confirmed", confirmed},
        {"readable", readable},
        {"runs", runs},
        {"aborted", aborted},
        {"equal", equal},
        {"sent", sent},
        {"terms", terms},
        {"told", told},
        {"has-read", has_read},
        {"value", value},
        {"nothing-lost", nothing_lost},
        {"nobody-asks", nobody_asks},
        {"told-epoch", told_epoch},
    };
    return all;
}

} // namespace

condition read_condition(stage& on, words& said) {
    const bool turned = said.took("not");
    const std::string name = said.take();
    const auto found = readers().find(name);
    if (found == readers().end()) {
        throw script_error{fmt::format("'{}' cannot be asked", name)};
    }
    condition plain = found->second(on, said);
    if (!turned) {
        return plain;
    }
    return [plain = std::move(plain)] { return !plain(); };
}

const server* ruling(const stage& on) {
    const server* best = nullptr;
    epoch highest;
    for (const auto& [id, s] : on.servers) {
        if (!s.runs() || s.paused) {
            continue;
        }
        const core_status now = s.core->status();
        const std::optional<log_point> point = s.core->position(now.commit);
        if (now.role == role_name::primary && point && point->epoch == now.epoch &&
            now.epoch > highest) {
            best = &s;
            highest = now.epoch;
        }
    }
    return best;
}

bool has_all_confirmed(const stage& on, const server& s) {
    const auto& all = on.god.all_confirmed();
    return std::all_of(all.begin(), all.end(), [&](const auto& each) {
        const std::optional<log_point> point = s.core->position(each.first);
        return point && point->hash == each.second;
    });
}

} // namespace almenara::scripts
