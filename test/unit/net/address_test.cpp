#include "net/address.hpp"

#include "support/results.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

namespace almenara::net {

namespace {

using boost::asio::ip::make_address;
using test::failure_of;
using test::says;
using test::value_of;

endpoint_list endpoints(const std::vector<std::string>& addresses) {
    endpoint_list all;
    for (const std::string& address : addresses) {
        all.emplace_back(make_address(address), default_port);
    }
    return all;
}

} // namespace

TEST_CASE("HOST:PORT is read as people write it") {
    const auto [text, host, port] = GENERATE(table<std::string, std::string, std::uint16_t>({
        {"127.0.0.1:7401", "127.0.0.1", std::uint16_t{7401}},
        {"127.0.0.1", "127.0.0.1", default_port},
        {"localhost:0", "localhost", std::uint16_t{0}},
        {"tower.example:65535", "tower.example", std::uint16_t{65535}},
        {"my_box-2", "my_box-2", default_port},
        {"[::1]:7401", "::1", std::uint16_t{7401}},
        {"[::1]", "::1", default_port},
        {"[fe80::1]:1", "fe80::1", std::uint16_t{1}},
    }));
    CAPTURE(text);
    CHECK(value_of(parse_host_port(text)) == host_port{host, port});
}

TEST_CASE("what is not HOST:PORT is refused with the reason and two examples") {
    const auto [text, why] = GENERATE(table<std::string, std::string>({
        {"", "the host is missing"},
        {":7400", "the host is missing"},
        {"::1", "the host is missing"},
        {"fe80::1", "the port must be a number"},
        {"host:", "the port must be a number"},
        {"host:http", "the port must be a number"},
        {"host:-1", "the port must be a number"},
        {"host:+1", "the port must be a number"},
        {"host: 1", "the port must be a number"},
        {"host:65536", "the port must be a number"},
        {"host:99999999999999999999", "the port must be a number"},
        {"host:1:2", "the port must be a number"},
        {"ho st:1", "a host has letters"},
        {"http://host:1", "the port must be a number"},
        {"user@host:1", "a host has letters"},
        {"host/x", "a host has letters"},
        {"h\xc3\xb6st:1", "a host has letters"},
        {std::string("a\0b", 3), "a host has letters"},
        {"[::1", "the ']' is missing"},
        {"[", "the ']' is missing"},
        {"[]:1", "not an IPv6 address"},
        {"[127.0.0.1]:1", "not an IPv6 address"},
        {"[localhost]:1", "not an IPv6 address"},
        {"[::1]:", "the port must be a number"},
        {"[::1]:x", "the port must be a number"},
        {"[::1]7401", "behind the ']'"},
        {"[::1]x7401", "behind the ']'"},
    }));
    CAPTURE(text);
    const error failure = failure_of(parse_host_port(text));
    CAPTURE(failure.message());
    CHECK(failure.code == errc::invalid);
    CHECK(says(failure, why));
    CHECK(says(failure, "write 127.0.0.1:7400 or [::1]:7400"));
}

TEST_CASE("what the refusal of an address repeats is harmless") {
    const error failure = failure_of(parse_host_port("\x1b[2J:1"));
    CHECK(says(failure, R"('\x1b[2J:1')"));
}

TEST_CASE("an address that was read and printed is the same again") {
    for (const std::string text : {"127.0.0.1:7401", "[::1]:7401", "tower.example:1"}) {
        CHECK(to_string(value_of(parse_host_port(text))) == text);
    }
    const boost::asio::ip::tcp::endpoint six{make_address("::1"), 7};
    CHECK(to_string(six) == "[::1]:7");
}

TEST_CASE("a numeric address is found without anybody being asked") {
    CHECK(value_of(resolve({"127.0.0.1", 7400})) == endpoints({"127.0.0.1"}));
    CHECK(value_of(resolve({"::1", 7400})) == endpoints({"::1"}));
}

TEST_CASE("F without TLS only loopback addresses are good") {
    CHECK(require_loopback(endpoints({"127.0.0.1"})));
    CHECK(require_loopback(endpoints({"127.255.1.2", "::1"})));

    const auto bad =
        GENERATE(values<std::string>({"0.0.0.0", "::", "192.168.0.1", "10.0.0.1", "169.254.1.1",
                                      "fe80::1", "::ffff:192.168.0.1", "128.0.0.1"}));
    // One that is not is enough, and is named.
    const error failure = failure_of(require_loopback(endpoints({"127.0.0.1", bad, "::1"})));
    CHECK(failure.code == errc::denied);
    CHECK(says(failure, to_string(endpoints({bad}).front())));
    CHECK(says(failure, "use 127.0.0.1 or [::1]"));
}

} // namespace almenara::net
