#include "server/beacon.hpp"

#include "base/check.hpp"
#include "net/clock.hpp"
#include "net/datagram_address.hpp"

#include <fmt/format.h>

#include <utility>

#include <sys/random.h>

namespace almenara::server {

namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;

namespace {

/// Whoever floods this socket takes so much of a turn and no more; the kernel drops the rest.
constexpr unsigned most_read_in_a_turn = 64;

base::key256 random_key() {
    base::key256 key;
    // So few are given whole or not at all.
    const auto got = ::getrandom(key.reveal().data(), key.reveal().size(), 0);
    ALMENARA_CHECK(got > 0 && static_cast<std::size_t>(got) == key.reveal().size());
    return key;
}

error not_bound(const asio::ip::tcp::endpoint& at, const error_code& failure) {
    return {failure == asio::error::address_in_use ? errc::conflict : errc::system_failed,
            fmt::format("opening the UDP port {}, which has the number of the TCP port",
                        net::to_string(at)),
            failure, "Stop the other program, or choose another port with --listen"};
}

} // namespace

beacon::beacon(reactor& turns, beacon_host& around, const base::key256& cluster_secret)
    : turns_(turns),
      around_(around),
      desk_({.announce_key = wire::announce_key(cluster_secret), .cookie_key = random_key()}),
      socket_(turns.context()),
      timer_(turns.context()) {}

beacon::~beacon() {
    close();
}

result<void> beacon::open(const asio::ip::tcp::endpoint& at) {
    error_code failure;
    const udp::endpoint here{at.address(), at.port()};
    socket_.open(here.protocol(), failure);
    if (!failure) {
        socket_.bind(here, failure);
    }
    if (!failure) {
        socket_.non_blocking(true, failure);
    }
    if (failure) {
        return not_bound(at, failure);
    }
    is_open_ = true;
    return {};
}

void beacon::begin() {
    around_.hears_presence([this](const wire::presence& what) { desk_.told(what, turns_.now()); });
    look_at_the_office(); // What comes first is for the cluster that it belongs to already.
    wait_for_datagrams();
}

void beacon::close() {
    is_open_ = false;
    error_code ignored; // The descriptor is gone whatever it says.
    socket_.close(ignored);
    timer_.cancel();
    around_.hears_presence({});
}

// -- Datagrams ------------------------------------------------------------------------------------

void beacon::wait_for_datagrams() {
    is_listening_ = true;
    socket_.async_wait(udp::socket::wait_read, [this](const error_code& failure) {
        if (failure != asio::error::operation_aborted) {
            read_some();
        }
    });
}

/// The end of the turn waits for more: a flood is read in shares.
void beacon::read_some() {
    is_listening_ = false;
    for (unsigned count = 0; count < most_read_in_a_turn; ++count) {
        udp::endpoint from;
        error_code failure;
        const std::size_t size = socket_.receive_from(asio::buffer(buffer_), from, 0, failure);
        if (failure == asio::error::would_block) {
            return;
        }
        if (failure) {
            continue; // What an earlier one of ours met is told here, too.
        }
        if (!from.address().is_loopback()) {
            ++strangers_; // F: without TLS nothing comes from elsewhere.
            continue;
        }
        desk_.received(net::to_datagram_address(from), base::byte_view{buffer_}.first(size),
                       turns_.now());
    }
}

void beacon::send_all() {
    for (const outgoing_datagram& one : desk_.take_datagrams()) {
        const udp::endpoint to = net::to_endpoint(one.to);
        if (!to.address().is_loopback()) {
            ++strangers_;
            continue;
        }
        error_code failure;
        socket_.send_to(asio::buffer(one.bytes), to, 0, failure);
        if (failure) {
            ++unsent_; // It is a hint, and the next one comes soon.
        }
    }
}

// -- One turn -------------------------------------------------------------------------------------

void beacon::end_of_turn() {
    if (!is_open_) {
        return;
    }
    look_at_the_office();
    desk_.due(turns_.now());
    send_all();
    for (const wire::presence& what : desk_.take_presence(turns_.now())) {
        around_.tell_backups(what);
    }
    if (!is_listening_) {
        wait_for_datagrams();
    }
    set_timer();
}

void beacon::look_at_the_office() {
    if (const auto& cluster = around_.cluster(); cluster && !desk_.belongs_to_any()) {
        desk_.belongs_to(*cluster);
    }
    const auto now = around_.last_ruler();
    if (!now || !now->is_this_server) {
        desk_.left_office();
    }
    // Each turn comes here: addresses are looked at when there is somebody to be told of them.
    if (now && desk_.is_news(now->epoch)) {
        desk_.new_primary({.epoch = now->epoch,
                           .primary = now->id,
                           .addresses = net::literal_addresses(around_.addresses_of(now->id)),
                           .config_index = around_.config_index(),
                           .is_this_server = now->is_this_server},
                          turns_.now());
    }
    for (const attendance::change& change : around_.take_attendance()) {
        if (change.is_here) {
            desk_.attached(change.device);
        } else {
            desk_.gone(change.device);
        }
    }
}

void beacon::set_timer() {
    const auto next = desk_.next_wake();
    if (!next || !due_.is_to_be_set(*next, turns_.now())) {
        return;
    }
    timer_.expires_at(net::timer_point(*next));
    timer_.async_wait([this](const error_code& cancelled) {
        if (!cancelled) {
            due_.came(); // The end of the turn does what is due.
        }
    });
}

std::string beacon::in_words() const {
    const beacon_counts& counts = desk_.counts();
    return fmt::format(
        "{} devices; {} registrations, {} answers, {} announcements, {} presences, {} departures; "
        "dropped {} "
        "nonsense, {} unexpected, {} foreign, {} forged, {} unanswered, {} without room, {} not "
        "from this machine; {} unsent",
        desk_.devices(), counts.registered, counts.answered, counts.announced, counts.presences,
        counts.departures, counts.nonsense, counts.unexpected, counts.foreign, counts.forged,
        counts.unanswered, counts.no_room, strangers_, unsent_);
}

} // namespace almenara::server
