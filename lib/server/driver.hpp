#pragma once

#include "base/hlc.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "net/byte_stream.hpp"
#include "net/postbox.hpp"
#include "replica/core.hpp"
#include "server/base_feed.hpp"
#include "server/beacon_host.hpp"
#include "server/client_registry.hpp"
#include "server/cluster_view.hpp"
#include "server/cut_policy.hpp"
#include "server/journal.hpp"
#include "server/peer_links.hpp"
#include "server/random_pool.hpp"
#include "server/reactor.hpp"
#include "server/reception.hpp"
#include "server/replication.hpp"
#include "server/start_up.hpp"
#include "server/story.hpp"
#include "server/turn_timer.hpp"
#include "services/kv/service.hpp"
#include "storage/apply_thread.hpp"
#include "storage/cold_reader.hpp"
#include "storage/space_watch.hpp"
#include "storage/state_db.hpp"
#include "storage/write_ahead_log.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace almenara::server {

/// The only place that knows both the replicated log and what is in it: it hands events to the core
/// and executes its outputs, field by field (B.15). It decides when a batch is cut, and nothing
/// else.
class driver final : public replication, public beacon_host {
  public:
    driver(reactor& turns,
           start_up begun,
           const cluster_options& wanted,
           std::unique_ptr<journal> writes);
    ~driver();

    void answer_through(client_registry& clients) { clients_ = &clients; }
    /// Called at the end of the turn in which a new primary is known, this server included.
    void tell_of_primaries(std::function<void(const standing&)> to) { on_primary_ = std::move(to); }
    /// Dials begin, timers run.
    void begin();

    /// Everything that came in this turn, and what comes of it: the end of each turn. Before the
    /// clients' bytes leave.
    void end_of_turn();

    /// A connection of which the first bytes say that a server speaks.
    void accept(std::unique_ptr<net::byte_stream> stream) { links_->accept(std::move(stream)); }

    /// SIGTERM (B.10). `when_over` is called once, when the office is handed over and the log is
    /// sealed.
    void terminate(std::function<void()> when_over);
    /// Links and timers go; run() of the reactor may return then.
    void close();

    void transfer(std::optional<server_id> target);
    /// False: this server belongs to a cluster already.
    bool go();

    [[nodiscard]] reception& clients() { return reception_; }
    [[nodiscard]] const replica::core_status& status() const { return status_; }
    [[nodiscard]] cluster_view view() const;
    [[nodiscard]] std::size_t files_of_state() const { return base_->files(); }
    /// Whether clients have asked for more than one turn's share.
    [[nodiscard]] bool has_more_to_serve() const { return has_more_to_serve_; }

    // -- What the beacon asks (driver_beacon.cpp) --

    [[nodiscard]] const std::optional<cluster_id>& cluster() const override;
    [[nodiscard]] std::optional<ruler> last_ruler() const override;
    [[nodiscard]] std::vector<std::string> addresses_of(server_id id) const override;
    [[nodiscard]] log_index config_index() const override;
    [[nodiscard]] std::vector<attendance::change> take_attendance() override;
    void tell_backups(const wire::presence& what) override;
    void hears_presence(std::function<void(const wire::presence&)> told) override;

    // -- What the reception asks --

    [[nodiscard]] instant now() const override { return turns_.now(); }
    [[nodiscard]] const standing& here() const override;
    [[nodiscard]] std::optional<state::slot> next_slot() const override;
    [[nodiscard]] log_index confirmed_upto() const override { return core_.confirmed_upto(); }
    [[nodiscard]] state::random_bytes random() override;
    [[nodiscard]] log_piece own_log(log_index from, const log_share& most) const override;
    void propose(state::proposed&& entry) override;
    void probe(probe_ticket ticket, almenara::epoch seen) override;
    void fetch(fetch_ticket ticket, state::needs wanted) override;

  private:
    [[nodiscard]] bool is_from_primary(connection_id connection, almenara::epoch epoch) const;
    void look_at_the_clock() const;
    [[nodiscard]] const replica::moment& moment() const;
    void happened(replica::event what);
    void serve_clients();
    void step_events();
    void step_time();
    [[nodiscard]] duration gap() const;
    void flush();

    // One output, field by field.
    void execute(replica::output& out);
    void persist(replica::output& out);
    void send(const replica::output& out);
    void apply(const replica::output& out);
    void answer(const replica::output& out);
    void change_office(const replica::output& out);
    void enter_further();
    void connect(const replica::output& out);
    [[nodiscard]] story::teller teller();
    void end(const replica::fatal& how);

    void look_around() const;
    void give_to_base();
    void base_told(const storage::apply_thread::news& what);
    void state_damaged(const state::unusable_entry& what);
    void send_answers();
    void tell_if_changed();
    void tell_new_primary();
    void set_timer();
    void see_if_over();

    reactor& turns_;
    mutable replica::moment moment_; ///< of this turn
    address_book addresses_;
    std::optional<replica::announcement> announced_;
    std::vector<server_id> listed_;
    server_id self_;
    std::uint16_t priority_;
    std::optional<duration> go_after_;
    std::string directory_;
    /// Where the threads of the log, the state and the rest bring their answers. It is waited for
    /// while nothing else is: the disk still answers at the end.
    net::postbox posted_;

    replica::core core_;
    replica::core_status status_;
    storage::write_ahead_log log_;
    story story_;
    std::shared_ptr<peer_links> links_;
    services::kv::service services_;
    std::unique_ptr<storage::state_db> base_;
    reception reception_;
    storage::apply_thread apply_;
    storage::cold_reader rows_;
    client_registry* clients_ = nullptr;
    std::optional<storage::space_watch> space_;
    cut_policy cuts_;
    hybrid_clock stamps_;
    random_pool randoms_;
    std::vector<leaving> leaving_; ///< answers of this turn

    std::vector<replica::event> inbox_;
    std::vector<replica::event> stepping_; ///< what was in it, in this turn
    log_index committed_upto_;             ///< given to the reception
    base_feed feed_;                       ///< of these, to the state's database
    std::vector<state::base_batch> group_;
    storage::core::recycling_limits recyclable_;
    instant wake_ = instant::max(); ///< of the core
    std::optional<instant> tick_owed_since_;
    mutable standing here_; ///< as of the last output, and the time of the call
    mutable bool seen_in_office_ = false;
    cluster_known told_;
    std::function<void(const standing&)> on_primary_;
    epoch told_primary_of_; ///< to that

    boost::asio::steady_timer timer_;
    boost::asio::steady_timer go_timer_;
    turn_timer due_;
    std::function<void()> when_over_;
    bool has_more_to_serve_ = false; ///< after this turn's share
    bool core_is_over_ = false;
    bool is_closed_ = false;
};

} // namespace almenara::server
