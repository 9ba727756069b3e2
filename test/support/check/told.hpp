#pragma once

#include "support/check/history.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace almenara::test::check {

/// What clients asked and heard, written down by a test: times are whole milliseconds.
class told_operations {
  public:
    [[nodiscard]] static instant at(std::int64_t ms) {
        return instant{std::chrono::milliseconds{ms}};
    }

    /// From one time to the other client `who` waits for the answer.
    void heard(unsigned who, request what, std::int64_t from, std::int64_t to, reply told) {
        const auto ticket = ask(who, std::move(what), from);
        all.returned(ticket, at(to), std::move(told));
    }

    /// Nobody ever tells.
    void unheard(unsigned who, request what, std::int64_t from) {
        all.given_up(ask(who, std::move(what), from));
    }

    void read(unsigned who,
              const std::string& key,
              std::int64_t from,
              std::int64_t to,
              const reply& told) {
        heard(who, {.what = verb::get, .key = key}, from, to, told);
    }

    history all;
    session_bytes session{std::byte{1}};
    almenara::epoch epoch; ///< of who answers

  protected:
    [[nodiscard]] std::uint64_t last_seq() const { return seq_; }

  private:
    history::ticket ask(unsigned who, request what, std::int64_t from) {
        operation asked{.client = client_number{who}, .epoch = epoch, .called = at(from)};
        if (what.what != verb::get) {
            asked.session = session;
            asked.seq = ++seq_;
        }
        asked.request = std::move(what);
        return all.called(std::move(asked));
    }

    std::uint64_t seq_ = 0;
};

[[nodiscard]] inline request put(const std::string& key, const std::string& value) {
    return {.what = verb::put, .key = key, .value = value};
}

[[nodiscard]] inline request cas(const std::string& key,
                                 std::uint64_t expected,
                                 const std::string& value) {
    return {.what = verb::cas, .key = key, .value = value, .expected = log_index{expected}};
}

[[nodiscard]] inline request add(const std::string& key, std::int64_t delta) {
    return {.what = verb::add, .key = key, .delta = delta};
}

[[nodiscard]] inline request remove(const std::string& key) {
    return {.what = verb::remove, .key = key};
}

/// A write that took effect at `index`.
[[nodiscard]] inline reply done(std::uint64_t index) {
    return {.code = outcome::done, .index = log_index{index}, .version = log_index{index}};
}

/// A read at `index` that found the value with this version.
[[nodiscard]] inline reply saw(const std::string& value,
                               std::uint64_t version,
                               std::uint64_t index) {
    return {.code = outcome::done,
            .index = log_index{index},
            .version = log_index{version},
            .value = value};
}

[[nodiscard]] inline reply saw_nothing(std::uint64_t index) {
    return {.code = outcome::not_found, .index = log_index{index}};
}

/// The sum after an add.
[[nodiscard]] inline reply sum(const std::string& value, std::uint64_t index) {
    return saw(value, index, index);
}

} // namespace almenara::test::check
