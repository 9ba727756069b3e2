#include "cluster/worker.hpp"

#include "support/check/kv_words.hpp"
#include "wire/codes.hpp"

#include <fmt/format.h>

#include <utility>

namespace almenara::test {

using check::outcome;
using check::verb;

namespace {

constexpr std::size_t shared_keys = 6;

/// Whether it is certain what became of it. Of everything else it is not: a server that sends
/// elsewhere does not know, and the library may have had no more time.
bool is_certain(wire::result_code code) {
    switch (code) {
    case wire::result_code::ok:
    case wire::result_code::conflict:
    case wire::result_code::not_found:
    case wire::result_code::forbidden:
    case wire::result_code::invalid:
    case wire::result_code::quota:
    case wire::result_code::too_large:
    case wire::result_code::unsupported:
        return true;
    default:
        return false;
    }
}

} // namespace

worker::worker(check::client_number number, bool only_reads, const load_habits& habits)
    : number_(number),
      only_reads_(only_reads),
      habits_(habits),
      shared_(number, shared_keys, habits.seed * 1000 + number.value()),
      random_(habits.seed * 1'000'000 + number.value()) {}

void worker::ask(check::history& book, instant now) {
    thought_of_ = next();
    asked_ = thought_of_;
    // Without a key it is refused, and so it must stay.
    if (!asked_.key.empty()) {
        asked_.key = habits_.prefix + asked_.key;
    }
    ticket_ = book.called({.client = number_, .request = asked_, .called = now});
}

bool worker::hear(check::history& book, instant now, const client::answer& told) {
    if (!is_certain(told.code)) {
        book.given_up(ticket_);
        return false;
    }
    const auto heard = check::reply_of(asked_, told.code, told.index, told.body);
    shared_.learn(thought_of_, heard);
    book.answered_by(ticket_, told.epoch);
    book.returned(ticket_, now, heard);
    return asked_.what != verb::get && heard.code != outcome::refused;
}

check::request worker::next() {
    check::request wanted = shared_.next();
    if (only_reads_) {
        return {.what = verb::get, .key = wanted.key};
    }
    return wanted.what == verb::get || random_.chance(1, 2) ? own_put() : wanted;
}

check::request worker::own_put() {
    ++own_puts_;
    return {.what = verb::put,
            .key = fmt::format("u{}.{}", number_, own_puts_),
            .value = fmt::format("value {} of {}{}", own_puts_, number_,
                                 std::string(habits_.filler, ' '))};
}

} // namespace almenara::test
