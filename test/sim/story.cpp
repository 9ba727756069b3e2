#include "sim/story.hpp"

#include "wire/print.hpp"

#include <string_view>
#include <type_traits>
#include <variant>

namespace almenara::sim {

namespace {

using namespace replica;

std::string in_words(const rank& r) {
    return fmt::format("{}.{} of {} (eligible {})", r.last_epoch, r.last_index, r.id, r.eligible);
}

std::string in_words(const std::vector<entry>& entries) {
    if (entries.empty()) {
        return "nothing";
    }
    return fmt::format("{}..{}", entries.front().index, entries.back().index);
}

// Those of which the first few words say enough are printed whole, below.
std::string said(const hello& m) {
    return fmt::format("HELLO as {}, log {}, commit {}", m.from.role, in_words(m.from.rank),
                       m.from.commit);
}

std::string said(const hello_ok& m) {
    return fmt::format("HELLO_OK as {}, log {}, commit {}, link session {}{}", m.from.role,
                       in_words(m.from.rank), m.from.commit, m.from.session.counter,
                       m.first ? ", with entry 1" : "");
}

std::string said(const heartbeat& m) {
    return fmt::format("HEARTBEAT commit {} of epoch {}, probe {}, sync set {:#b}", m.commit,
                       m.commit_epoch, m.probe, m.sync_set);
}

std::string said(const heartbeat_ack& m) {
    return fmt::format("HB_ACK probe {}, match {}", m.probe, m.match);
}

std::string said(const append& m) {
    return fmt::format("APPEND {} after {}.{}, commit {} of epoch {}, probe {}{}",
                       in_words(m.entries), m.previous.epoch, m.previous.index, m.commit,
                       m.commit_epoch, m.probe, m.verified ? ", verified" : "");
}

std::string said(const append_ack& m) {
    return fmt::format("APPEND_ACK match {}, probe {}", m.match, m.probe);
}

std::string said(const append_nack& m) {
    return fmt::format("APPEND_NACK {} to {}, hint {}, last {}", m.reason, m.previous, m.hint,
                       m.last_index);
}

std::string said(const election& m) {
    return fmt::format("ELECTION g{} rank {}, {}, missing {} of epoch {}", m.generation,
                       in_words(m.rank), m.reason, m.suspect, m.suspect_epoch);
}

std::string said(const answer& m) {
    return fmt::format("ANSWER g{} {}, rank {}, epoch {}, reach {}, knows primary {} of epoch {}",
                       m.generation, m.kind, in_words(m.rank), m.epoch, m.reach, m.known_primary,
                       m.primary_epoch);
}

std::string said(const claim& m) {
    return fmt::format("CLAIM rank {}{}", in_words(m.rank), m.permit ? ", with a permit" : "");
}

std::string said(const promise& m) {
    return m.granted ? fmt::format("PROMISE for epoch {}", m.claimed)
                     : fmt::format("PROMISE denied for epoch {}: {}", m.claimed, m.reason);
}

std::string said(const log_chunk& m) {
    return fmt::format("LOG_CHUNK {} after {}.{}, {}, {}", in_words(m.entries), m.previous.epoch,
                       m.previous.index, m.reason,
                       m.generation ? fmt::format("for g{}", *m.generation) : "catch-up");
}

std::string said(const fetch& m) {
    return fmt::format("FETCH g{} from {}.{}", m.generation, m.from.epoch, m.from.index);
}

template <class Message>
std::string said(const Message& m) {
    return wire::to_text(m);
}

} // namespace

std::string in_words(const message& message) {
    return std::visit([](const auto& m) { return said(m); }, message);
}

void story::line(instant at, std::string_view who, const std::string& text) {
    const auto microseconds = at.since_origin().count() / 1000;
    fmt::print(out_, "{:4}.{:06} {:>4}  {}\n", microseconds / 1000000, microseconds % 1000000, who,
               text);
}

} // namespace almenara::sim
