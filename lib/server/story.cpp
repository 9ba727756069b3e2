#include "server/story.hpp"

#include "wire/json.hpp"
#include "wire/print.hpp"

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
    const std::string kind = wire::to_text(what.kind);
    log::write_format(level_of(what.kind), "{}: {}", kind, what.text);
    write(by, level_of(what.kind), kind, what.text);
}

void story::tell(const teller& by, std::string_view event) {
    write(by, log::level::notice, event, {});
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
