#include "server/story.hpp"

#include "wire/json.hpp"
#include "wire/print.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace almenara::server {

namespace {

log::level level_of(replica::note_kind kind) {
    switch (kind) {
    case replica::note_kind::damaged:
    case replica::note_kind::out_of_reach:
    case replica::note_kind::link_rejected:
    case replica::note_kind::truncated:
    case replica::note_kind::space:
        return log::level::warning;
    case replica::note_kind::office_taken:
    case replica::note_kind::office_left:
    case replica::note_kind::repaired:
    case replica::note_kind::suspicion:
    case replica::note_kind::handover:
    case replica::note_kind::bootstrap:
        return log::level::notice;
    default:
        return log::level::info;
    }
}

/// A stranger, a client or another server can make it happen as often as it likes.
bool is_others_doing(replica::note_kind kind) {
    switch (kind) {
    case replica::note_kind::foreign_message:
    case replica::note_kind::link_rejected:
    case replica::note_kind::link_up:
    case replica::note_kind::link_down:
        return true;
    default:
        return false;
    }
}

} // namespace

void story::tell(const teller& by, const replica::note& what) {
    // Who is refused comes again and again: it is told once, until something has changed.
    constexpr std::size_t most_refusals = 32;
    if (what.kind == replica::note_kind::role || refusals_.size() >= most_refusals) {
        refusals_.clear();
    }
    if (what.kind == replica::note_kind::link_rejected && !refusals_.insert(what.text).second) {
        return;
    }
    if (!may_tell(what.kind, by.now)) {
        return;
    }
    const std::string kind = wire::to_text(what.kind);
    log::write_format(level_of(what.kind), "{}: {}", kind, what.text);
    write(by, level_of(what.kind), kind, what.text);
}

void story::tell(const teller& by, std::string_view event) {
    write(by, log::level::notice, event, {});
}

bool story::may_tell(replica::note_kind kind, instant now) {
    return !is_others_doing(kind) ||
           others_doing_.try_emplace(kind, told_in_a_second).first->second.take(now);
}

std::optional<instant> story::left_out_due() const {
    std::optional<instant> first;
    for (const auto& [kind, budget] : others_doing_) {
        if (const auto due = budget.left_out_due()) {
            first = std::min(first.value_or(*due), *due);
        }
    }
    return first;
}

void story::tell_left_out(const teller& by) {
    for (auto& [kind, budget] : others_doing_) {
        if (budget.is_left_out_due(by.now)) {
            const std::string name = wire::to_text(kind);
            const std::string text = fmt::format("{} more", budget.take_left_out());
            log::write_format(level_of(kind), "{}: {}", name, text);
            write(by, level_of(kind), name, text);
        }
    }
}

void story::write(const teller& by,
                  log::level severity,
                  std::string_view event,
                  std::string_view text) {
    journal_->write(by.at, severity, event,
                    {{"text", wire::json_text(text)},
                     {"role", wire::to_text(by.status.role)},
                     {"epoch", by.status.epoch.value()},
                     {"last", by.status.last.index.value()},
                     {"commit", by.status.commit.value()}});
}

} // namespace almenara::server
