#pragma once

#include "base/bytes.hpp"
#include "base/session_ids.hpp"
#include "cluster/raw_client.hpp"
#include "wire/beacon.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace almenara::test {

/// A datagram that came, and from which port of this machine.
struct heard_datagram {
    std::uint16_t from = 0;
    base::byte_vector bytes;
};

/// A UDP socket of the test's own, on a loopback address that no server has.
class raw_datagrams {
  public:
    explicit raw_datagrams(const std::string& host = "127.0.0.2", std::uint16_t port = 0);

    void send(std::uint16_t to, base::byte_view bytes);
    /// To another machine of a test.
    void send(const std::string& host, std::uint16_t port, base::byte_view bytes);
    /// The next one, if it comes in time.
    [[nodiscard]] std::optional<heard_datagram> hear(std::chrono::milliseconds within);
    [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }

  private:
    handle socket_;
    std::uint64_t bytes_sent_ = 0;
};

/// What a client has for the beacon: the key that a server gave it, and a socket.
class raw_device {
  public:
    /// `number`: which device of the user it is.
    explicit raw_device(std::uint8_t number, const std::string& host = "127.0.0.2")
        : number_(number), socket_(host) {}

    /// Any server gives a key; returns the connection over which it came.
    raw_client log_in(std::uint16_t port);
    /// A session, attached for service at the primary, as long as the connection lives.
    [[nodiscard]] raw_client attach(std::uint16_t port);
    /// Of the last attach().
    [[nodiscard]] session_id session() const { return session_; }

    /// Both steps, with acknowledgements that must come.
    void register_with(std::uint16_t port);
    [[nodiscard]] base::byte_vector registration(wire::beacon_cookie cookie = {}) const;
    [[nodiscard]] base::byte_vector last_registration() const { return last_; }

    /// The next announcement of an epoch above `behind`, whose MAC is good, and who sent it.
    struct announcement {
        std::uint16_t from = 0;
        wire::u_coord what;
    };
    [[nodiscard]] std::optional<announcement> hear_announcement(epoch behind,
                                                                std::chrono::milliseconds within);

    [[nodiscard]] const wire::beacon_pass& pass() const { return *pass_; }
    [[nodiscard]] raw_datagrams& socket() { return socket_; }

  private:
    [[nodiscard]] wire::beacon_cookie ask_for_cookie(std::uint16_t port, wire::beacon_cookie shown);
    wire::login_ok log_in_on(raw_client& client, std::optional<open_nonce> session);

    std::uint8_t number_;
    raw_datagrams socket_;
    std::optional<wire::beacon_pass> pass_;
    wire::cluster_tag cluster_;
    base::byte_vector last_;
    session_id session_;
};

} // namespace almenara::test
