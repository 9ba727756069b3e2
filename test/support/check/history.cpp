#include "support/check/history.hpp"

#include "base/check.hpp"
#include "wire/described.hpp"

#include <algorithm>
#include <utility>

namespace almenara::test::check {

history::ticket history::called(operation asked) {
    operations_.push_back(std::move(asked));
    ++open_;
    return operations_.size() - 1;
}

void history::returned(ticket which, instant when, reply heard) {
    operation& ended = operations_[which];
    ALMENARA_CHECK(ended.reply.code == outcome::open && heard.code != outcome::open);
    ended.returned = when;
    ended.reply = std::move(heard);
    --open_;
}

void history::numbered(ticket which, session_bytes session, std::uint64_t seq) {
    operations_[which].session = session;
    operations_[which].seq = seq;
}

void history::never_sent(ticket which) {
    operation& one = operations_[which];
    one.session = {};
    one.seq = 0;
    one.reply.code = outcome::refused;
    --open_;
}

void history::given_up(ticket which) {
    operation& ended = operations_[which];
    ALMENARA_CHECK(ended.reply.code == outcome::open);
    ended.reply.code = outcome::uncertain;
    --open_;
}

std::size_t history::count(outcome code) const {
    return static_cast<std::size_t>(
        std::count_if(operations_.begin(), operations_.end(),
                      [code](const operation& one) { return one.reply.code == code; }));
}

std::string to_string(const operation& which) {
    const auto& asked = which.request;
    const auto seconds = [](instant at) {
        return static_cast<double>(at.since_origin().count()) / 1e9;
    };
    auto text =
        fmt::format("client {}: {} {}", which.client, wire::enumerator_name(asked.what), asked.key);
    if (which.seq != 0) {
        text += fmt::format(" (seq {})", which.seq);
    }
    if (!asked.value.empty()) {
        text += fmt::format(" to \"{}\"", asked.value);
    }
    if (asked.what == verb::cas) {
        text += fmt::format(" if its version is {}", asked.expected);
    }
    text += fmt::format(", asked at {:.6f}", seconds(which.called));
    if (which.returned) {
        text += fmt::format(", at {:.6f} heard", seconds(*which.returned));
    }
    text += fmt::format(" {}", wire::enumerator_name(which.reply.code));
    if (which.returned) {
        text += fmt::format(" \"{}\" version {} from index {}", which.reply.value,
                            which.reply.version, which.reply.index);
    }
    return text;
}

} // namespace almenara::test::check
