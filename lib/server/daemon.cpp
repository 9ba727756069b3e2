#include "server/daemon.hpp"

#include "base/version.hpp"
#include "log/log.hpp"
#include "net/clock.hpp"
#include "server/administration.hpp"
#include "server/service_manager.hpp"
#include "server/system_resources.hpp"
#include "wire/print.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace almenara::server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// Those inside are told who rules next, but they do not wait for that longer than this.
constexpr duration longest_handover = std::chrono::milliseconds{1500};

/// They have that to hear it, however late it is said.
constexpr duration shortest_farewell = std::chrono::milliseconds{100};

/// Everybody has been told by then, or does not listen.
constexpr duration longest_stop = std::chrono::milliseconds{2000};

/// B.10: the process is over within 3 s. What is still being written by then is in the log, too.
constexpr duration longest_exit = std::chrono::milliseconds{2800};

/// Who goes on asking while the server stops does not keep the others from hearing it: so long it
/// is read, and so long what was read is answered.
constexpr duration longest_listening = std::chrono::milliseconds{100};
constexpr duration longest_answering = std::chrono::milliseconds{1000};

constexpr const char* administrators_socket = "admin.sock";

/// What came during the start waits until somebody listens, which is now. Threads that were made
/// before, those of the log and of the database among them, leave signals to this one.
void take_blocked_signals() {
    sigset_t ours{};
    ::sigemptyset(&ours);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) {
        ::sigaddset(&ours, number);
    }
    ::pthread_sigmask(SIG_UNBLOCK, &ours, nullptr);
}

client_registry::options registry_options(const daemon_options& wanted) {
    return {.max_clients = wanted.max_clients,
            .descriptors = raise_descriptor_limit(),
            .session = wanted.session};
}

} // namespace

/// Hands what a listener accepts to the registry, with where it came from.
class daemon::door final : public guest_house {
  public:
    door(client_registry& clients, client_origin origin) : clients_(clients), origin_(origin) {}

    void accepted(std::unique_ptr<net::byte_stream> stream) override {
        const bool is_stranger =
            origin_ == client_origin::local_administrator && !is_administrator(stream->peer());
        if (is_stranger && lines_.take(net::monotonic_now())) {
            const std::uint64_t left_out = lines_.take_left_out();
            log::warning("admin.sock: user {} is neither root nor the user of this service{}",
                         stream->peer().user.value_or(0),
                         left_out > 0 ? fmt::format(" ({} more came before)", left_out) : "");
        }
        clients_.add(std::move(stream), is_stranger ? client_origin::local_stranger : origin_);
    }

    [[nodiscard]] bool has_room() const override { return clients_.has_room(origin_); }

  private:
    static bool is_administrator(const net::peer_address& peer) {
        return peer.user == 0U || peer.user == ::geteuid();
    }

    client_registry& clients_;
    client_origin origin_;
    log_budget lines_{10}; ///< a second; style 11
};

daemon::daemon(const daemon_options& wanted, storage::data_directory directory)
    : directory_(std::move(directory)),
      signals_(turns_.executor(),
               {SIGTERM, SIGINT, SIGHUP, SIGUSR1},
               [this](int number) { handle_signal(number); }),
      clients_(
          turns_, static_cast<surroundings&>(*this), registry_options(wanted), random_number()),
      hook_(turns_.executor(), wanted.on_primary_change),
      typed_(turns_.executor(), [this] { static_cast<void>(driver_->go()); }),
      waits_for_go_(wanted.cluster.waits_for_go),
      network_door_(std::make_unique<door>(clients_, client_origin::network)),
      administrators_door_(std::make_unique<door>(clients_, client_origin::local_administrator)),
      stop_timer_(turns_.context()),
      status_timer_(turns_.context()),
      watchdog_timer_(turns_.context()),
      watchdog_interval_(service_manager::watchdog_interval()) {}

daemon::~daemon() = default;

result<std::unique_ptr<daemon>> daemon::open(const daemon_options& wanted,
                                             storage::data_directory directory) {
    // A client that goes away while it is written to is an error code, not a signal.
    std::signal(SIGPIPE, SIG_IGN);
    std::unique_ptr<daemon> opened{new daemon{wanted, std::move(directory)}};
    if (auto listening = opened->listen(wanted.listen); !listening) {
        return listening.error();
    }
    if (auto cluster = opened->open_cluster(wanted.cluster); !cluster) {
        return cluster.error();
    }
    if (auto listening = opened->listen_for_administrators(); !listening) {
        return listening.error();
    }
    take_blocked_signals();
    return opened;
}

/// The address is bound before, for others are told of it; nobody is accepted yet.
result<void> daemon::open_cluster(const cluster_options& wanted) {
    auto begun = start(directory_, wanted, wanted.advertised.value_or(address_));
    if (!begun) {
        return begun.error();
    }
    for (const std::string& warning : begun->warnings) {
        log::warning("{}", warning);
    }
    auto story = journal::open(directory_.journal_path(), directory_.server());
    if (!story) {
        return story.error();
    }
    const std::optional<base::key256> secret = begun->core.secret;
    driver_ = std::make_unique<driver>(turns_, std::move(*begun), wanted, std::move(*story));
    driver_->answer_through(clients_);
    driver_->tell_of_primaries([this](const standing& seen) {
        primary_change what{.epoch = seen.epoch,
                            .primary = seen.primary->id,
                            .address = seen.primary->addresses.front(),
                            .is_me = seen.primary->id == seen.self};
        // To start a process takes a while: clients who waited for this turn hear of it first.
        asio::post(turns_.context(), [this, what = std::move(what)] { hook_.learned(what); });
    });
    return open_beacon(secret);
}

result<void> daemon::open_beacon(const std::optional<base::key256>& secret) {
    if (!secret) {
        return {};
    }
    driver_->clients().announces_with(wire::announce_key(*secret));
    beacon_ = std::make_unique<beacon>(turns_, *driver_, *secret);
    return beacon_->open(network_->local());
}

result<void> daemon::listen(const net::host_port& at) {
    auto endpoints = net::resolve(at);
    if (!endpoints) {
        return endpoints.error();
    }
    if (auto loopback = net::require_loopback(*endpoints); !loopback) {
        return loopback;
    }
    network_ = std::make_shared<tcp_listener>(turns_, *network_door_, net::to_string(at));
    if (auto opened = network_->open(endpoints->front()); !opened) {
        return opened;
    }
    address_ = net::to_string(network_->local());
    return {};
}

result<void> daemon::listen_for_administrators() {
    const std::string path = directory_.path() + "/" + administrators_socket;
    if (path.size() >= sizeof(::sockaddr_un::sun_path)) {
        return error{errc::invalid,
                     fmt::format("'{}' is too long for the name of a socket. Give a data directory "
                                 "with a shorter path",
                                 path)};
    }
    // The lock on the directory is ours: what lies there is left over from a process that died.
    std::error_code failure;
    std::filesystem::remove(path, failure);
    if (failure) {
        return error{errc::conflict, fmt::format("removing what lies at '{}'", path), failure,
                     "Move it away: the socket for administrators belongs there"};
    }
    administrators_ =
        std::make_shared<local_listener>(turns_, *administrators_door_, administrators_socket);
    // Nobody else may connect, not even between bind and chmod.
    constexpr mode_t owner_only = 0177;
    const mode_t before = ::umask(owner_only);
    auto opened = administrators_->open(asio::local::stream_protocol::endpoint{path});
    ::umask(before);
    return opened;
}

std::string daemon::start_line() const {
    const auto cluster = driver_->status().durable.cluster;
    return fmt::format("almenarad {}: server {}, {}, listening on {}", version, directory_.server(),
                       cluster ? fmt::format("cluster {}", *cluster) : "no cluster yet", address_);
}

void daemon::run(reload_function reload, exit_watch& leaving) {
    reload_ = std::move(reload);
    leaving_ = &leaving;
    turns_.at_end_of_turn([this] { end_of_turn(); });
    network_->resume();
    administrators_->resume();
    driver_->begin();
    if (beacon_) {
        beacon_->begin();
    }
    if (waits_for_go_ && driver_->status().role == replica::role_name::boot) {
        typed_.open();
    }
    manager_.ready(status_line());
    feed_watchdog();
    log::notice("server {} is ready at {}, data in {}", directory_.server(), address_,
                directory_.path());
    turns_.run();
    log::notice("server {} has stopped", directory_.server());
}

wire::welcome daemon::welcome() const {
    const cluster_view view = driver_->view();
    wire::welcome text;
    text.cluster = view.status.durable.cluster;
    text.server = view.self;
    text.role = role_of(view.status);
    text.epoch = view.status.epoch;
    if (const auto primary = primary_of(view)) {
        text.primary = view.addresses.find(*primary);
    }
    text.members = members_of(view);
    text.config_index = view.status.config_index;
    return text;
}

wire::status_reply daemon::status() const {
    return status_of(driver_->view());
}

wire::pong daemon::position() const {
    const replica::core_status& now = driver_->status();
    wire::pong answer;
    answer.server = directory_.server();
    answer.role = role_of(now);
    answer.epoch = now.epoch;
    answer.index = now.commit;
    return answer;
}

std::size_t daemon::files_of_state() const {
    return driver_ ? driver_->files_of_state() : 0;
}

void daemon::administer(connection_id who, const wire::admin& what) {
    clients_.answer({.connection = who,
                     .what = server::administer(*driver_, what),
                     .rests_on = {},
                     .session = {}});
}

void daemon::server_calls(std::unique_ptr<net::byte_stream> stream) {
    driver_->accept(std::move(stream));
}

void daemon::handle_signal(int number) {
    switch (number) {
    case SIGHUP:
        reload();
        break;
    case SIGUSR1:
        dump_state();
        break;
    default:
        stop(number == SIGINT ? "SIGINT" : "SIGTERM");
    }
}

void daemon::reload() {
    manager_.reloading();
    if (const auto changed = reload_()) {
        clients_.set_max_clients(changed->max_clients);
        hook_.use(changed->on_primary_change);
    }
    manager_.ready(status_line());
}

void daemon::dump_state() {
    constexpr unsigned nearly_all = 999; // of 1000
    const auto micros = [now = turns_.now()](const loop_lag& of) {
        return of.per_mille(now, nearly_all).count() / 1000;
    };
    const client_room room = clients_.room();
    const replica::core_status& now = driver_->status();
    log::notice("state: server {}, {}, at {}; {} clients inside, {} connections, room for {} (by "
                "{}); turns p99.9 {} us, of the processor {} us; epoch {}, log up to {}, commit "
                "{}, applied {}, reach {}",
                directory_.server(), role_of(now), address_, clients_.inside(),
                clients_.connections(), room.clients, room.bound_by, micros(turns_.lag()),
                micros(turns_.work()), now.epoch, now.last.index, now.commit, now.applied,
                now.reach);
    if (beacon_) {
        log::notice("beacon: {}", beacon_->in_words());
    }
}

void daemon::stop(std::string_view why) {
    if (std::exchange(stopping_, true)) {
        // Style 10: a second signal forces the exit. No close of the log: that may take seconds.
        log::last_words(log::level::warning, fmt::format("{} again: leaving at once", why));
        std::_Exit(EXIT_FAILURE);
    }
    log::notice("{}: stopping; {} clients are told", why, clients_.inside());
    manager_.stopping();
    network_->close();
    administrators_->close();
    goodbyes_are_due_ = true;
    // B.10: clients hear at once who rules next, if anybody does by then.
    driver_->terminate([this] { is_handed_over_ = true; });
    stop_began_ = turns_.now();
    hook_.stop(stop_began_ + longest_stop);
    stop_timer_.expires_after(longest_handover);
    stop_timer_.async_wait([this](const error_code& failure) {
        if (!failure && !has_stopped_) {
            say_goodbye(); // Nobody rules yet, but they can look for somebody.
            wait_for_those_inside();
        }
    });
}

void daemon::say_goodbye() {
    if (std::exchange(goodbyes_are_due_, false)) {
        clients_.stop([this] { all_have_left_ = true; });
    }
}

void daemon::wait_for_those_inside() {
    // Whoever stood still meanwhile has said it only now.
    const instant latest = std::max(stop_began_ + longest_stop, turns_.now() + shortest_farewell);
    stop_timer_.expires_at(net::timer_point(latest));
    stop_timer_.async_wait([this](const error_code& failure) {
        if (failure || has_stopped_) {
            return;
        }
        if (const std::size_t left = clients_.connections(); left > 0) {
            log::warning("{} connections did not end in time and are closed", left);
        }
        clients_.close_all();
        stopped();
    });
}

void daemon::stopped() {
    if (std::exchange(has_stopped_, true)) {
        return; // The last connection may go in the turn in which the time for the stop is over.
    }
    // Nothing is left that anybody waits for: run() returns by itself (S27).
    leaving_->begin(stop_began_ + longest_exit);
    driver_->close();
    if (beacon_) {
        beacon_->close();
    }
    typed_.close();
    stop_timer_.cancel();
    status_timer_.cancel();
    watchdog_timer_.cancel();
    signals_.stop();
    std::error_code ignored; // Only tidiness: the next start removes it as well.
    std::filesystem::remove(directory_.path() + "/" + administrators_socket, ignored);
}

void daemon::feed_watchdog() {
    if (!watchdog_interval_) {
        return;
    }
    manager_.watchdog();
    watchdog_timer_.expires_after(*watchdog_interval_);
    watchdog_timer_.async_wait([this](const error_code& failure) {
        if (!failure) {
            feed_watchdog();
        }
    });
}

std::string daemon::status_line() const {
    const replica::core_status& now = driver_->status();
    if (!now.durable.cluster) {
        return fmt::format("server {}, boot, no cluster yet, {} clients", directory_.server(),
                           clients_.inside());
    }
    return fmt::format("server {}, {}, epoch {}, {} clients", directory_.server(), role_of(now),
                       now.epoch, clients_.inside());
}

void daemon::tell_status() {
    const replica::core_status& now = driver_->status();
    const told_status shows{.in_cluster = now.durable.cluster.has_value(),
                            .role = now.role,
                            .epoch = now.epoch,
                            .clients = clients_.inside()};
    // Each turn comes here: a text is made only when it would be another one.
    if (stopping_ || status_timer_runs_ || told_ == shows) {
        return;
    }
    if (!manager_.status(status_line(), turns_.now())) {
        told_ = shows;
        return;
    }
    status_timer_runs_ = true;
    status_timer_.expires_after(service_manager::status_spacing);
    status_timer_.async_wait([this](const error_code&) { status_timer_runs_ = false; });
}

bool daemon::all_is_answered() {
    const duration since = turns_.now() - stop_began_;
    const bool is_read = turns_.is_dry() || since >= longest_listening;
    return is_read && (!driver_->has_more_to_serve() || since >= longest_answering);
}

void daemon::end_of_turn() {
    // S27: what clients asked before the signal has come in with this turn and is answered first.
    driver_->end_of_turn();
    if (beacon_) {
        beacon_->end_of_turn();
    }
    if (goodbyes_are_due_ && is_handed_over_ && all_is_answered()) {
        say_goodbye();
    }
    clients_.flush();
    if (is_handed_over_ && all_have_left_) {
        stopped();
    }
    // There may be room again for those who stand outside.
    network_->resume();
    administrators_->resume();
    tell_status();
}

} // namespace almenara::server
