#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/session_ids.hpp"
#include "base/strong.hpp"
#include "base/time.hpp"
#include "client/failure.hpp"
#include "client/in_order.hpp"
#include "client/session_record.hpp"
#include "wire/client_limits.hpp"
#include "wire/client_messages.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace almenara::client {

/// Number of something that the application wants done, in the order of asking.
using ticket = base::strong<struct ticket_tag, std::uint64_t>;

/// How it ended. It has constructors because it passes through coroutines (docs/style.md, trap 1).
struct answer {
    answer() = default;
    explicit answer(wire::result_code how, std::string reason = {});

    /// Besides what servers say: uncertain, it may have happened or happen yet; cancelled, it did
    /// not and will not.
    wire::result_code code = wire::result_code::ok;
    log_index index;
    almenara::epoch epoch;
    std::optional<session_id> session; ///< a write's
    sequence seq;                      ///< a write's
    std::uint8_t durable_on = 0;
    std::uint8_t voters = 0;
    base::byte_vector body;
    std::string why;                ///< for people, when it is not ok and somebody said why
    std::optional<failure> trouble; ///< cancelled: why no server could be asked
};

enum class errand_kind : std::uint8_t {
    log_in, ///< only that the primary knows who asks
    write,
    read,
    administer,
    close_session,
};

/// C.3: whether it is written down for the next run, which comes before it is sent.
enum class kept_state : std::uint8_t { no, asked, yes };

/// Something on its way to the primary, until it is answered or its time is up.
struct errand {
    errand_kind kind = errand_kind::log_in;
    base::byte_vector body;
    wire::read_mode mode = wire::read_mode::quorum;
    wire::admin administration{};
    instant deadline{};
    std::optional<sequence> seq{}; ///< C.1: the same at each attempt
    instant send_at{};             ///< not before
    bool sent = false;             ///< to the server that is followed now
    bool in_doubt = false;         ///< a copy went out before, and nobody says what became of it
    std::string refusal{};         ///< why it waits, if a server said so
    bool busy = false;             ///< that server had recorded nothing
    kept_state kept = kept_state::no;
    bool resumed = false; ///< of an earlier run: nobody here asked for it, and it has no deadline
};

/// What the application waits for. C.3: bounded, in the order of asking, kept until answered.
class errands {
  public:
    /// B.13.
    static constexpr std::size_t most_held = 1000;
    static constexpr std::size_t most_held_bytes = std::size_t{64} << 20U;
    static constexpr std::size_t most_in_flight = 64;
    static constexpr std::size_t most_in_flight_bytes = std::size_t{16} << 20U;
    /// What is asked besides, and reads that were given up here and not yet there, have room too.
    static constexpr std::size_t most_others_in_flight = 32;
    static constexpr std::size_t most_reads_in_flight =
        wire::most_unanswered_requests - most_in_flight - most_others_in_flight;

    /// A write gets its number in the session here. Fails with `busy` when too much is held.
    [[nodiscard]] outcome<ticket> add(errand what);
    [[nodiscard]] errand* find(ticket which);
    /// It has ended.
    [[nodiscard]] std::optional<errand> take(ticket which);

    [[nodiscard]] const std::map<ticket, errand>& all() const { return all_; }
    [[nodiscard]] bool any(errand_kind kind) const;
    [[nodiscard]] ticket of(sequence write) const;

    /// C.3: what an earlier run has left of its session comes before all that is asked here, under
    /// the numbers that it has. What is asked already begins with `next`.
    void resume(sequence next, std::vector<kept_operation> left);
    [[nodiscard]] std::size_t resumed() const { return resumed_; }
    /// Whether anything is held that somebody here waits for.
    [[nodiscard]] bool any_asked() const { return all_.size() > resumed_; }

    [[nodiscard]] sequence next_sequence() const { return last_.next(); }
    [[nodiscard]] sequence first_unacked() const;

    /// B.13, C.1: whether it may go now, with so many results kept for the session.
    [[nodiscard]] bool may_send(const errand& what, std::uint32_t window, instant now) const;
    /// Whether any could go, of those whose time has come. With hundreds that wait for one place
    /// the others are not looked at for nothing.
    [[nodiscard]] bool has_place() const;
    void sent(ticket which);
    /// Its answer will not come any more, or said that it is to be sent again.
    void send_again(ticket which, instant not_before);
    /// The first that is not sent, of those behind this one.
    [[nodiscard]] std::optional<ticket> unsent_behind(ticket which) const;

    /// Those whose time is up. Told once: they are to be ended.
    [[nodiscard]] std::vector<ticket> overdue(instant now);
    [[nodiscard]] std::vector<ticket> tickets() const;
    /// The numbers begin anew, also of what is held and was never sent: they belonged to a session
    /// that is no more.
    void forget_sequences();
    /// When time alone may change something, behind `now`.
    [[nodiscard]] instant wake(instant now) const;

  private:
    /// What is left of earlier runs has its tickets below those of what is asked.
    static constexpr ticket before_first{std::uint64_t{1} << 32U};

    void number_anew(sequence first);

    std::map<ticket, errand> all_;
    in_order<sequence, ticket> writes_; ///< of them
    std::vector<ticket> unsent_;        ///< of them, in their order
    /// None of them is due before. Whoever had that deadline may have ended: it is found anew when
    /// that moment has come, not at each end.
    instant no_deadline_before_ = instant::max();
    ticket last_ticket_ = before_first;
    ticket last_resumed_;
    std::size_t resumed_ = 0; ///< of them
    sequence last_;
    std::size_t bytes_ = 0;
    std::size_t in_flight_ = 0; ///< writes
    std::size_t reads_ = 0;     ///< of them
    std::size_t reads_in_flight_ = 0;
    instant no_pause_behind_; ///< nobody waits for a moment after that before it is sent again
    std::size_t in_flight_bytes_ = 0;
};

} // namespace almenara::client
