#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/session_ids.hpp"
#include "base/time.hpp"
#include "client/errands.hpp"
#include "client/failover.hpp"
#include "wire/client_messages.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace almenara::client {

struct api_options {
    failover_options how;
    /// Without TLS, which this version does not have. Only to loopback addresses; a Unix socket
    /// needs no leave.
    bool plaintext = false;
    /// Where this client keeps what its next run needs, such as ~/.local/state/almenara: the
    /// servers' addresses, its device, and sessions with what was not answered. Nothing: it keeps
    /// nothing. Empty: no such place is known, so writes are refused.
    std::optional<std::string> state_directory;
    /// How long a server that was told goodbye may take to hang up.
    duration longest_goodbye = std::chrono::milliseconds{500};
};

/// For failover_options::seed.
[[nodiscard]] std::uint64_t random_seed();

/// A client of a cluster: it finds the primary, follows it when it changes, and holds what is asked
/// meanwhile. Everything runs on one thread, the executor's; any number of things may be asked at
/// the same time. Deadlines are moments of net::monotonic_now().
///
///     client::api here{executor, {.how = {.servers = {"127.0.0.1:7401"}, .user = "anna"}, ...}};
///     base::byte_vector body = services::kv::body::put("colour", blue);
///     const client::answer how = co_await here.write(std::move(body), deadline);
class api {
  public:
    using on_answer = std::function<void(answer how)>;
    using on_news = std::function<void(const news& what)>;
    using on_note = std::function<void(const std::string& text)>;

    api(boost::asio::any_io_executor executor, api_options options);
    /// At once: what is open is answered now, and the goodbye is said if it goes. Behind it nobody
    /// is told anything. It may be done by who is told something.
    ~api();
    api(const api&) = delete;
    api& operator=(const api&) = delete;

    /// Bodies are those of services/kv/bodies.hpp. Each is answered exactly once: from the reactor,
    /// in the call when it is hopeless already, or when this client is given up or destroyed.
    void write(base::byte_vector body, instant deadline, on_answer then);
    void read(base::byte_vector body, instant deadline, on_answer then);

    /// It is asked when it is awaited. A coroutine that waits for one may be cancelled, as Asio
    /// does it: what it asked is given up, and the answer says at once whether it may have
    /// happened. The client goes on.
    [[nodiscard]] boost::asio::awaitable<answer> write(base::byte_vector body, instant deadline);
    [[nodiscard]] boost::asio::awaitable<answer> read(base::byte_vector body, instant deadline);
    /// Until the primary knows who asks; who it is is in user().
    [[nodiscard]] boost::asio::awaitable<answer> log_in(instant deadline);
    [[nodiscard]] boost::asio::awaitable<answer> administer(wire::admin what, instant deadline);
    /// The session ends, with everything that is kept for it. With a state directory it need not:
    /// the next run goes on with it.
    [[nodiscard]] boost::asio::awaitable<answer> close_session(instant deadline);

    /// Ends all sessions that are kept for this user and that no other process uses, and removes
    /// what is kept of them and of the device. `kept` is how many are in use elsewhere.
    struct logout {
        logout() = default;
        answer how;
        std::size_t closed = 0;
        std::size_t kept = 0;
    };
    [[nodiscard]] boost::asio::awaitable<logout> log_out(instant deadline);

    /// Says goodbye and waits, but not for long, until the servers have heard it.
    [[nodiscard]] boost::asio::awaitable<void> close();
    /// The same without waiting; what is open is answered now.
    void give_up();

    /// What is told besides answers: a primary was lost or found.
    void listen(on_news to);
    /// What people should know of the files in the state directory: what was damaged and is lost.
    void listen_to_notes(on_note to);

    /// As the primary knows it; nothing before the login.
    [[nodiscard]] const std::optional<wire::login_ok>& user() const;
    [[nodiscard]] std::optional<session_id> session() const;

  private:
    class driver;
    std::shared_ptr<driver> driver_;
};

} // namespace almenara::client
