#pragma once

#include "base/ids.hpp"
#include "base/strong.hpp"
#include "base/time.hpp"
#include "wire/described.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace almenara::test::check {

using client_number = base::strong<struct client_number_tag, std::uint32_t>;

/// Bytes of a session id, as entries carry them.
using session_bytes = std::array<std::byte, 16>;

/// What a client asks of the key-value service.
enum class verb : std::uint8_t { put, cas, add, remove, get };
ALMENARA_DESCRIBE_ENUM(verb, put, cas, add, remove, get)

struct request {
    verb what = verb::get;
    std::string key;
    std::string value;      ///< put, cas: never the same twice in a run
    log_index expected;     ///< cas: version, 0 for "must not be there"
    std::int64_t delta = 0; ///< add
};

enum class outcome : std::uint8_t {
    open,      ///< no answer yet
    done,      ///< it took effect; a get: there was a value
    conflict,  ///< cas: another version
    not_found, ///< remove, get: nothing there
    refused,   ///< INVALID and its like: no entry, no effect, ever
    uncertain, ///< given up: nobody told whether it happened
};
ALMENARA_DESCRIBE_ENUM(outcome, open, done, conflict, not_found, refused, uncertain)

/// What came back.
struct reply {
    outcome code = outcome::open;
    log_index index;   ///< of the write's entry, or the state that a read was answered from
    log_index version; ///< of the key's value now; cas in conflict: of what is there
    std::string value; ///< get: what it was; add: the new sum

    friend bool operator==(const reply&, const reply&) = default;
};

struct operation {
    client_number client;
    session_bytes session{};
    std::uint64_t seq = 0; ///< 0: a read has none
    check::request request;
    almenara::epoch epoch; ///< of the primary that answered; 0: nobody noted it
    instant called;
    std::optional<instant> returned; ///< nothing: never, or given up
    check::reply reply;
};

/// What all clients asked and heard, in the order of asking.
class history {
  public:
    using ticket = std::size_t;

    ticket called(operation asked);
    void returned(ticket which, instant when, reply heard);
    /// Whoever answers, or has answered, did so as the primary of this epoch.
    void answered_by(ticket which, almenara::epoch of) { operations_[which].epoch = of; }
    /// C.1: what had not left when its session ended has another number in the next one.
    void numbered(ticket which, session_bytes session, std::uint64_t seq);
    /// C.1: who asked was killed before it left: its number is used for another one.
    void never_sent(ticket which);
    /// I23: its deadline passed. It may have happened, and may still happen.
    void given_up(ticket which);

    [[nodiscard]] const std::vector<operation>& operations() const { return operations_; }
    [[nodiscard]] std::size_t open() const { return open_; }
    [[nodiscard]] std::size_t count(outcome code) const;

  private:
    std::vector<operation> operations_;
    std::size_t open_ = 0;
};

[[nodiscard]] std::string to_string(const operation& which);

} // namespace almenara::test::check
