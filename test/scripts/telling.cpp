#include "scripts/telling.hpp"

#include "base/bytes.hpp"
#include "wire/described.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <variant>

namespace almenara::scripts {

namespace {

using namespace replica;

std::string range(log_index first, log_index last, epoch of) {
    return first == last ? fmt::format("{}@{}", first, of)
                         : fmt::format("{}..{}@{}", first, last, of);
}

std::string entries_text(const std::vector<entry>& entries) {
    if (entries.empty()) {
        return "nothing";
    }
    return range(entries.front().index, entries.back().index, entries.back().epoch);
}

std::string point_text(const log_point& point) {
    return fmt::format("{}.{}", point.epoch, point.index);
}

std::string rank_text(const rank& r) {
    constexpr std::uint8_t normal = 2;
    std::string text = fmt::format("{}.{}", r.last_epoch, r.last_index);
    if (r.eligible != normal) {
        text += fmt::format(" eligible {}", r.eligible);
    }
    return text;
}

std::string permit_text(const permit& p) {
    return fmt::format("permit of {} for {}.{}", p.old_primary, p.epoch, p.last_index);
}

template <class Enum>
std::string_view word(Enum value) {
    return wire::enumerator_name(value);
}

/// The part behind a message's name.
struct body {
    std::string operator()(const hello& m) const { return greeting_text(m.from); }
    std::string operator()(const hello_ok& m) const {
        return greeting_text(m.from) + (m.first ? " with entry 1" : "");
    }
    std::string operator()(const link_reject& m) const { return std::string{word(m.code)}; }
    std::string operator()(const reconnect& m) const { return std::string{word(m.reason)}; }
    std::string operator()(const heartbeat& m) const {
        return fmt::format("commit {} probe {}", m.commit, m.probe);
    }
    std::string operator()(const heartbeat_ack& m) const {
        return fmt::format("match {} probe {}{}{}", m.match, m.probe, m.sick ? " sick" : "",
                           m.draining ? " draining" : "");
    }
    std::string operator()(const append& m) const {
        return fmt::format("{} after {} commit {}{}", entries_text(m.entries),
                           point_text(m.previous), m.commit, m.verified ? " verified" : "");
    }
    std::string operator()(const append_ack& m) const { return fmt::format("match {}", m.match); }
    std::string operator()(const append_nack& m) const {
        return fmt::format("{} hint {} last {}", word(m.reason), m.hint, m.last_index);
    }
    std::string operator()(const link_ping& m) const { return std::string{word(m.role)}; }
    std::string operator()(const election& m) const {
        return fmt::format("g{} rank {} {}{}", m.generation, rank_text(m.rank), word(m.reason),
                           m.suspect == server_id{} ? "" : fmt::format(", suspects {}", m.suspect));
    }
    std::string operator()(const answer& m) const {
        std::string text = fmt::format("g{} {} rank {} reach {}", m.generation, word(m.kind),
                                       rank_text(m.rank), m.reach);
        if (m.known_primary != server_id{}) {
            text += fmt::format(" knows {} of epoch {}", m.known_primary, m.primary_epoch);
        }
        return text;
    }
    std::string operator()(const claim& m) const {
        return fmt::format("rank {}{}{}", rank_text(m.rank), m.handover ? " handover" : "",
                           m.permit ? ", " + permit_text(*m.permit) : "");
    }
    std::string operator()(const promise& m) const {
        return m.granted ? fmt::format("{} granted", m.claimed)
                         : fmt::format("{} denied: {}", m.claimed, word(m.reason));
    }
    std::string operator()(const coordinator& m) const {
        return fmt::format("{} starts at {}", m.primary, m.epoch_start);
    }
    std::string operator()(const resign& m) const {
        return fmt::format("{} last {}", word(m.reason), m.last_index);
    }
    std::string operator()(const handover& m) const {
        return fmt::format("to {}, {}", m.target, permit_text(m.permit));
    }
    std::string operator()(const fetch& m) const {
        return fmt::format("g{} from {}", m.generation, point_text(m.from));
    }
    std::string operator()(const log_chunk& m) const {
        const std::string purpose =
            m.generation ? fmt::format("g{}", *m.generation) : std::string{"catch-up"};
        return fmt::format("{} {} after {} {}", purpose, entries_text(m.entries),
                           point_text(m.previous), word(m.reason));
    }
    std::string operator()(const init& m) const {
        return fmt::format("entry 1 is {}", tell(m.first));
    }
    std::string operator()(const init_ack& m) const { return m.refused ? "refused" : ""; }
    std::string operator()(const init_go&) const { return ""; }
    std::string operator()(const link_whois& m) const { return std::string{word(m.role)}; }

  private:
    static std::string greeting_text(const greeting& g) {
        return fmt::format("{} rank {}", word(g.role), rank_text(g.rank));
    }
};

std::string upper(std::string_view text) {
    std::string result{text};
    for (char& c : result) {
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return result;
}

} // namespace

std::string name_of(const message& what) {
    return std::visit([]<class Message>(const Message&) { return upper(wire::name_of<Message>()); },
                      what);
}

std::string tell(const message& what) {
    std::string text = name_of(what);
    const std::string rest = std::visit(body{}, what);
    return rest.empty() ? text : text + " " + rest;
}

bool is_routine(const message& what) {
    if (const auto* const entries = std::get_if<append>(&what)) {
        return entries->entries.empty();
    }
    return std::holds_alternative<hello>(what) || std::holds_alternative<hello_ok>(what) ||
           std::holds_alternative<heartbeat>(what) || std::holds_alternative<heartbeat_ack>(what) ||
           std::holds_alternative<link_ping>(what) || std::holds_alternative<link_whois>(what);
}

std::string tell(const log_end& end) {
    return fmt::format("{}.{}", end.epoch, end.index);
}

std::string tell(const persistent& meta) {
    std::string text = fmt::format("epoch {}", meta.epoch);
    if (meta.promised_to) {
        text += fmt::format(" promised to {}", meta.promised_to->id);
    }
    if (meta.damaged) {
        text += fmt::format(" damaged from {} to {}", meta.damaged->from,
                            meta.damaged->end ? tell(*meta.damaged->end) : "an unknown end");
        text += meta.damaged->uncut ? ", not cut" : "";
    }
    return text;
}

std::string tell(const entry& what) {
    if (what.type == entry_type::config) {
        return "config";
    }
    if (what.type == entry_type::epoch_start) {
        return "start";
    }
    const bool readable = what.payload.size() <= 12 && !what.payload.empty() &&
                          std::all_of(what.payload.begin(), what.payload.end(), [](std::byte b) {
                              return b > std::byte{' '} && b < std::byte{0x7f};
                          });
    return readable ? std::string{base::as_text(what.payload)} : std::string{word(what.type)};
}

std::string tell(const std::vector<entry_ptr>& entries) {
    if (entries.empty()) {
        return "nothing";
    }
    return range(entries.front()->index, entries.back()->index, entries.back()->epoch);
}

} // namespace almenara::scripts
