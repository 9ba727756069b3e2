#include "cluster/good_client.hpp"

#include "client/connection.hpp"
#include "net/clock.hpp"
#include "net/spawn.hpp"
#include "support/wait.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <optional>
#include <utility>

namespace almenara::test {

namespace asio = boost::asio;

namespace {

template <class T>
asio::awaitable<void> keep(asio::awaitable<T> task, std::shared_ptr<std::optional<T>> place) {
    T value = co_await std::move(task);
    *place = std::move(value);
}

asio::awaitable<void> keep(asio::awaitable<void> task, std::shared_ptr<std::optional<bool>> place) {
    co_await std::move(task);
    *place = true;
}

} // namespace

/// The reactor of one client; it turns only while the test waits for this client.
class good_client::workings {
  public:
    workings(const std::string& address, std::string name)
        : where(client::parse_server_address(address).value()),
          connection(reactor.get_executor(), {.client_name = std::move(name), .plaintext = true}) {}

    static instant deadline() { return net::monotonic_now() + patience; }

    template <class T, class Place>
    void begin(asio::awaitable<T> task, std::shared_ptr<std::optional<Place>>& place) {
        place = std::make_shared<std::optional<Place>>();
        net::spawn(reactor.get_executor(), "client of a test", keep(std::move(task), place));
    }

    void turn() {
        reactor.restart();
        reactor.poll();
    }

    template <class Place>
    Place finish(const std::shared_ptr<std::optional<Place>>& place) {
        // The library has its own deadlines, which come first.
        const auto latest = test_clock::now() + 2 * patience;
        reactor.restart();
        while (!*place) {
            if (test_clock::now() >= latest || reactor.run_one_until(latest) == 0) {
                FAIL("the client library has not come back");
            }
        }
        return **place;
    }

    asio::io_context reactor{1};
    client::server_address where;
    std::shared_ptr<std::optional<client::outcome<wire::welcome>>> entering;
    std::shared_ptr<std::optional<client::outcome<wire::pong>>> ping;
    std::shared_ptr<std::optional<client::outcome<wire::status_reply>>> status;
    std::shared_ptr<std::optional<bool>> leaving;
    client::connection connection;
};

good_client::good_client(const std::string& where, std::string name)
    : workings_(std::make_unique<workings>(where, std::move(name))) {}

good_client::~good_client() = default;

client::outcome<wire::welcome> good_client::enter() {
    begin_entering();
    return workings_->finish(workings_->entering);
}

client::outcome<wire::pong> good_client::ping() {
    begin_ping();
    return finish_ping();
}

client::outcome<wire::status_reply> good_client::status() {
    workings_->begin(workings_->connection.status(workings::deadline()), workings_->status);
    return workings_->finish(workings_->status);
}

void good_client::leave() {
    workings_->begin(workings_->connection.close(), workings_->leaving);
    workings_->finish(workings_->leaving);
}

void good_client::begin_entering() {
    workings_->begin(workings_->connection.open(workings_->where, workings::deadline()),
                     workings_->entering);
    workings_->turn();
}

bool good_client::entering_is_decided() {
    workings_->turn();
    return workings_->entering->has_value();
}

void good_client::begin_ping() {
    workings_->begin(workings_->connection.ping(workings::deadline()), workings_->ping);
    workings_->turn();
}

client::outcome<wire::pong> good_client::finish_ping() {
    return workings_->finish(workings_->ping);
}

bool good_client::is_inside() {
    workings_->turn();
    return workings_->connection.is_open();
}

client_inside::client_inside(const std::string& where, std::string name)
    : good_client(where, std::move(name)) {
    static_cast<void>(value_of(enter()));
}

void client_inside::check_answers() {
    static_cast<void>(value_of(ping()));
}

} // namespace almenara::test
