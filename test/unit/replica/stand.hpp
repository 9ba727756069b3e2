#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/core.hpp"
#include "replica/gate.hpp"
#include "replica/messages.hpp"
#include "replica/settings.hpp"
#include "support/printing.hpp"
#include "support/replica_start.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace almenara::test {

inline constexpr server_id one{1};
inline constexpr server_id two{2};
inline constexpr server_id three{3};

/// A log as some server may have it. Two that were made alike have the same hashes.
class history {
  public:
    explicit history(const replica::cluster_config& config);

    /// The first entry of an epoch is its EPOCH_START, as B.4 wants it.
    history& add(epoch in, std::size_t count = 1, std::string_view what = "x");
    /// One more entry, as it is but for its index and hash.
    history& add(replica::entry raw);

    [[nodiscard]] replica::log_point at(log_index index) const;
    [[nodiscard]] replica::log_point last() const { return point_of(*entries_.back()); }
    [[nodiscard]] std::vector<replica::entry> between(log_index first, log_index last) const;
    [[nodiscard]] const std::vector<replica::entry_ptr>& entries() const { return entries_; }

  private:
    std::vector<replica::entry_ptr> entries_;
};

/// A member of `config` that starts again with that log.
[[nodiscard]] replica::start_state started(const replica::cluster_config& config,
                                           server_id self,
                                           const history& log);

/// What the core put out for somebody.
struct spoken {
    server_id to;
    connection_id connection;
    almenara::epoch epoch;
    replica::message message;
};

/// One core, its disk and the other servers, which say what the test says. Time stands still
/// unless somebody lets it run.
class stand {
  public:
    explicit stand(replica::start_state start, replica::settings chosen = {});
    explicit stand(std::size_t servers, server_id self = two)
        : stand(first_start(cluster_of(servers), self)) {}

    // -- Time and disk -------------------------------------------------------------------------
    void run(duration length);
    /// False if it did not come true within `most`.
    bool run_until(const std::function<bool()>& reached, duration most = std::chrono::seconds{2});
    void tick(duration gap = duration{0});
    void pass(duration length) { now_ += length; }
    [[nodiscard]] replica::moment now() const;
    /// Everything is on the disk as soon as it was handed out; else only by sync_...().
    bool disk_is_fast = true;
    bool meta_is_fast = true;
    void sync_log(bool ok = true);
    void sync_meta(bool ok = true);
    [[nodiscard]] std::size_t log_syncs_due() const { return writes_.size(); }
    [[nodiscard]] bool meta_sync_due() const { return !metas_.empty(); }
    std::chrono::milliseconds wall_ahead{0};

    // -- The others ----------------------------------------------------------------------------
    [[nodiscard]] replica::greeting greeting_of(server_id peer) const;
    /// A connection is accepted and says HELLO.
    connection_id accept(const replica::greeting& hello);
    /// The core has dialled, and the other one accepts.
    connection_id dialled(server_id peer, replica::connection_kind kind = {});
    void open(server_id peer);
    void open_all();
    void close(server_id peer);
    void say(server_id peer, replica::message what, epoch in);
    void say_on(connection_id connection, replica::message what, epoch in, wall_time clock = {});
    [[nodiscard]] connection_id control_of(server_id peer) const { return peers_.at(peer); }
    [[nodiscard]] replica::link_session session_of(server_id peer) const;

    void step(replica::event what);

    // -- Whole acts ----------------------------------------------------------------------------
    /// Links to all; everybody grants and promises. EPOCH_START is committed nowhere yet.
    epoch take_office();
    /// The same, and everybody has acked EPOCH_START.
    epoch rule();
    /// Links to all; `primary` has been heard.
    void follow(server_id primary, epoch in);
    /// A round is under way; gives its generation.
    replica::generation ask();
    void answer(server_id peer, replica::answer_kind kind, replica::rank of, epoch in = epoch{1});
    void promise(server_id peer, epoch claimed, wall_time clock = {});
    void deny(server_id peer, epoch claimed, replica::denial why, epoch in);
    void ack(server_id peer, log_index match);
    void ack_all() {
        each_peer([this](server_id peer) { ack(peer, last().index); });
    }
    log_index propose(std::string_view what = "x");
    void heartbeat(server_id primary, epoch in, log_index commit = {}, epoch commit_epoch = {});
    void append(server_id primary,
                epoch in,
                const history& log,
                log_index first,
                log_index last,
                log_index commit = {});
    void each_peer(const std::function<void(server_id)>& what);

    // -- What came of it -----------------------------------------------------------------------
    template <class T>
    [[nodiscard]] std::vector<T> said(server_id to) const {
        std::vector<T> all;
        for (const spoken& s : sent) {
            if (const T* m = std::get_if<T>(&s.message); m != nullptr && s.to == to) {
                all.push_back(*m);
            }
        }
        return all;
    }
    template <class T>
    [[nodiscard]] T last_said(server_id to) const {
        const auto all = said<T>(to);
        REQUIRE_FALSE(all.empty());
        return all.back();
    }
    template <class T>
    [[nodiscard]] std::size_t count(server_id to) const {
        return said<T>(to).size();
    }
    /// Forgets what came of it until now.
    void forget();

    std::vector<spoken> sent;
    std::vector<replica::log_request> reads;
    std::vector<replica::entry_ptr> applied;
    std::vector<replica::confirmation> confirmed;
    std::vector<replica::read_ticket> readable;
    std::vector<replica::read_ticket> refused_reads;
    std::vector<replica::office_event> office;
    std::vector<replica::dial_request> dials;
    std::vector<connection_id> closed;
    std::vector<replica::note> notes;
    std::vector<replica::log_write> writes;
    std::vector<replica::meta_record> metas;
    std::optional<replica::fatal> died;
    bool cut = true;

    [[nodiscard]] replica::core_status status() const { return core_.status(); }
    [[nodiscard]] replica::role_name role() const { return status().role; }
    [[nodiscard]] almenara::epoch epoch_now() const { return status().epoch; }
    [[nodiscard]] replica::log_point last() const { return status().last; }
    [[nodiscard]] replica::peer_status peer(server_id id) const;
    [[nodiscard]] replica::rank rank_of(server_id peer) const;
    [[nodiscard]] bool noted(replica::note_kind kind) const;
    /// Somewhere in a note.
    [[nodiscard]] bool noted(std::string_view words) const;
    /// The rank of a server with a log that ends there.
    [[nodiscard]] static replica::rank rank(server_id of,
                                            epoch last_epoch,
                                            log_index last_index,
                                            std::uint8_t eligible = 2);
    replica::core& core() { return core_; }
    void turn();

  private:
    void absorb(replica::output out);
    bool disk_goes_on();

    server_id self_;
    replica::cluster_config config_;
    duration now_{std::chrono::seconds{100}};
    replica::core core_;
    std::map<server_id, connection_id> peers_;
    std::uint64_t connections_ = 0;
    std::deque<replica::batch_number> writes_;
    std::deque<replica::meta_number> metas_;
    std::optional<instant> wake_;
};

} // namespace almenara::test
