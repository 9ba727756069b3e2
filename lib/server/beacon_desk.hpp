#pragma once

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/session_ids.hpp"
#include "base/time.hpp"
#include "server/beacon_schedule.hpp"
#include "server/beacon_table.hpp"
#include "wire/beacon.hpp"
#include "wire/presence.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace almenara::server {

struct outgoing_datagram {
    wire::datagram_address to;
    base::byte_vector bytes;
};

/// What became of datagrams. No line in the log for each: whoever can send some could fill it.
struct beacon_counts {
    std::uint64_t registered = 0;
    std::uint64_t answered = 0;  ///< U_REG_ACK
    std::uint64_t announced = 0; ///< U_COORD
    // Of an address of a device, from the primary:
    std::uint64_t presences = 0;
    std::uint64_t departures = 0;
    // Dropped, and nothing was answered:
    std::uint64_t nonsense = 0;   ///< no datagram of ours
    std::uint64_t unexpected = 0; ///< what only servers say, or a client to nobody
    std::uint64_t foreign = 0;    ///< of another cluster
    std::uint64_t forged = 0;
    std::uint64_t unanswered = 0; ///< too many in this second
    std::uint64_t no_room = 0;    ///< devices
};

/// C.2: a server's side of the beacon. Datagrams, what this server knows of the office, and the
/// time come in; datagrams and what the backups are to be told go out. It knows no socket: the
/// daemon's beacon and the simulator's server stand around it. One per process.
class beacon_desk {
  public:
    struct settings {
        base::key256 announce_key;
        base::key256 cookie_key; ///< random, of this process
        beacon_table::bounds table{};
        /// U_REG_ACKs in a second: of all, and of a device, so that one that is repeated by
        /// somebody else takes nothing from the others.
        std::size_t most_answers = 4096;
        std::size_t most_answers_to_device = 8;
    };

    explicit beacon_desk(const settings& wanted);

    /// Until then nobody is known.
    void belongs_to(const cluster_id& cluster) { cluster_ = wire::tag_of(cluster); }
    [[nodiscard]] bool belongs_to_any() const { return cluster_.has_value(); }

    void received(const wire::datagram_address& from, base::byte_view bytes, instant now);

    /// Who rules now.
    struct news {
        almenara::epoch epoch;
        server_id primary;
        /// Where it is, those that need nobody to look them up: most_addresses count.
        std::vector<wire::datagram_address> addresses;
        log_index config_index;
        bool is_this_server = false;
    };
    /// Whether it is newer than what was announced: of another one nothing comes.
    [[nodiscard]] bool is_news(almenara::epoch epoch) const { return epoch > news_.epoch; }
    void new_primary(news what, instant now);
    /// This server does not rule any more.
    void left_office();

    /// While this server rules: a device has a connection that is attached for service, or the
    /// last one of it ended.
    void attached(device_tag device);
    void gone(device_tag device);

    /// From the primary of now: whoever calls has seen to that.
    void told(const wire::presence& what, instant now);

    /// What is due. At most so much at a time that nobody waits long: next_wake() says so then.
    void due(instant now);
    [[nodiscard]] std::optional<instant> next_wake() const;

    /// What leaves, since the last time.
    [[nodiscard]] std::vector<outgoing_datagram> take_datagrams() {
        return std::exchange(leaving_, {});
    }
    /// What the backups are to be told: what has changed in this turn, and everything now and then.
    [[nodiscard]] std::vector<wire::presence> take_presence(instant now);

    [[nodiscard]] const beacon_counts& counts() const { return counts_; }
    [[nodiscard]] std::size_t devices() const { return table_.size(); }

  private:
    /// What a server that rules keeps beside.
    struct office {
        std::set<device_tag> attached;
        /// What the backups were told.
        std::map<device_tag, std::set<wire::datagram_address>> told;
        std::set<device_tag> changed;
        instant next_round; ///< of all
    };

    [[nodiscard]] bool is_valid(const wire::beacon_cookie& shown,
                                const wire::datagram_address& from,
                                instant now) const;
    [[nodiscard]] wire::beacon_cookie cookie_of(const wire::datagram_address& from,
                                                std::uint64_t period) const;
    /// A device, and whether it has proved the address that it asks from.
    using asker = std::pair<device_tag, bool>;
    [[nodiscard]] bool may_answer(asker who, instant now);
    /// False: there is no room for it.
    [[nodiscard]] bool registers(device_tag device,
                                 const wire::datagram_address& from,
                                 instant now);
    void answer(const wire::u_register& asked, const wire::datagram_address& from, instant now);
    void announce(const beacon_schedule::due& whom, instant now);
    void changed(device_tag device);
    /// Between what the backups know of a device and what is so.
    void compare(device_tag device, instant now, std::vector<wire::device_presence>& into);

    base::key256 announce_key_;
    base::key256 cookie_key_;
    std::size_t most_answers_;
    std::size_t most_answers_to_device_;
    std::optional<wire::cluster_tag> cluster_;
    beacon_table table_;
    beacon_schedule schedule_;
    news news_;
    std::optional<office> office_;
    instant second_began_;
    std::size_t answers_ = 0;                 ///< in this second
    std::map<asker, std::size_t> answers_to_; ///< of these
    std::vector<outgoing_datagram> leaving_;
    beacon_counts counts_;
};

} // namespace almenara::server
