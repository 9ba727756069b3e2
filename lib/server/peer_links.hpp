#pragma once

#include "base/hlc.hpp"
#include "net/address.hpp"
#include "net/byte_stream.hpp"
#include "replica/gate.hpp"
#include "server/log_budget.hpp"
#include "server/peer_link.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace almenara::server {

/// All connections to other servers: accepts and dials them, and carries what the core says (B.2).
/// What happens is handed to `tell` as the core's events. Coroutines that dial keep it alive.
class peer_links final : private link_keeper, public std::enable_shared_from_this<peer_links> {
  public:
    using tell_function = std::function<void(replica::event)>;
    /// C.2. Whether the connection may say that, and in that epoch, is not looked at here.
    using presence_function =
        std::function<void(connection_id, almenara::epoch, const wire::presence&)>;

    /// Of those that came and have not said which kind they are. A server says it with its first
    /// bytes, so the oldest makes room: whoever opens one after the other keeps no server out.
    static constexpr std::size_t most_strangers = 64;

    peer_links(boost::asio::any_io_executor executor, tell_function tell);
    void tell_presence(presence_function tell) { presence_ = std::move(tell); }

    /// Takes a connection that began as links do.
    void accept(std::unique_ptr<net::byte_stream> stream);
    /// Answered by connection_opened or dial_failed.
    void dial(replica::dial_request what, net::host_port where);

    /// Encodes it for the connection, if that is still there. Nothing leaves before flush().
    void send(const replica::outgoing& what, hlc_stamp stamp);
    /// The same with a whole frame that is none of the log's.
    void send(connection_id to, base::byte_view frame);
    void flush();
    /// At the end of each turn, whether anything was said in it or not: what has ended goes away.
    void bury() { dead_.clear(); }
    /// After what was sent on it; nothing is heard from it any more.
    void close(connection_id id);

    /// All of them; nothing is told any more. Who dials gives up.
    void close_all();

    /// The number that the next connection gets; clients have others.
    [[nodiscard]] std::size_t size() const { return links_.size(); }
    /// Of those that have ended and are not buried.
    [[nodiscard]] std::size_t unburied() const { return dead_.size(); }

  private:
    struct attempt;

    void heard(replica::frame_received frame) override;
    void heard(const peer_link& link, almenara::epoch epoch, wire::presence what) override;
    void introduced(peer_link& link) override;
    void broke_off(const peer_link& link, const std::string& why) override;
    void ended(peer_link& link, std::string why) override;

    static boost::asio::awaitable<void> dial_loop(std::shared_ptr<peer_links> self,
                                                  std::shared_ptr<attempt> one);
    void dialled(attempt& one);
    peer_link& add(std::unique_ptr<net::byte_stream> stream,
                   std::optional<replica::connection_kind> kind);
    void encode(const replica::outgoing& what, hlc_stamp stamp, base::byte_vector& out);
    /// What is put into its outbox leaves with the next flush(); none: it has ended.
    [[nodiscard]] peer_link* listed(connection_id id);
    void make_room_for_stranger();
    void watch_the_leaving();

    boost::asio::any_io_executor executor_;
    tell_function tell_;
    presence_function presence_;
    std::map<connection_id, std::unique_ptr<peer_link>> links_;
    std::set<connection_id> strangers_;            ///< of these; the oldest first
    log_budget budget_;                            ///< of lines about who broke off
    std::vector<peer_link*> listed_;               ///< with something in their outbox
    std::vector<std::unique_ptr<peer_link>> dead_; ///< until nobody is inside them any more
    std::map<connection_id, instant> leaving_;     ///< and when that has taken too long
    std::vector<std::weak_ptr<attempt>> attempts_;
    boost::asio::steady_timer timer_;
    connection_id last_id_;

    /// The frame of a message that goes to several servers.
    replica::message_ptr encoded_;
    epoch encoded_epoch_;
    base::byte_vector encoded_bytes_;
    bool is_closed_ = false;
};

} // namespace almenara::server
