#include "cluster/client_program.hpp"
#include "cluster/cluster.hpp"
#include "cluster/kept_files.hpp"
#include "support/wait.hpp"
#include "unit/client/little_server.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// `almenara` as a process. The server that it is named first does not mean well, or is none at all.
namespace almenara::test {

namespace {

using namespace std::chrono_literals;

constexpr epoch absurd_epoch{std::uint64_t{1} << 62U};
constexpr log_index absurd_index{std::uint64_t{1} << 62U};

/// A server that does what the test says, in the test's own process.
class rogue {
  public:
    explicit rogue(visitor::manners how) {
        server_.listen_on_loopback();
        server_.behave = std::move(how);
    }

    void becomes(visitor::manners how) { server_.behave = std::move(how); }

    [[nodiscard]] std::string address() const { return server_.address(); }
    [[nodiscard]] std::size_t visits() const { return server_.visits(); }

    /// The program, to its end.
    [[nodiscard]] finished meets(const program& what) {
        process client{what};
        const auto latest = test_clock::now() + patience;
        while (!client.has_ended()) {
            REQUIRE(test_clock::now() < latest);
            context_.restart();
            context_.run_for(2ms);
        }
        const exit_status status = client.wait();
        return {.status = status, .out = client.output(), .err = client.errors()};
    }

  private:
    boost::asio::io_context context_;
    little_server server_{context_};
};

/// A welcome to somebody who has said hello; nothing to anybody else.
visitor::manners welcoming(wire::welcome what) {
    return [what = std::move(what)](visitor& client, const client_message& said) mutable {
        if (const auto* const hello = std::get_if<wire::c_hello>(&said)) {
            what.request = hello->request;
            client.say(what);
        }
    };
}

visitor::manners saying(std::string_view bytes) {
    return [bytes](visitor& client, const client_message&) { client.send(base::as_bytes(bytes)); };
}

struct three_servers {
    three_servers() {
        all.start_all();
        const auto office = all.wait_until_in_sync();
        status = all.status(office.primary).value();
    }

    [[nodiscard]] std::vector<std::string> names_behind(const rogue& first) const {
        std::vector<std::string> names{first.address()};
        const auto good = all.addresses();
        names.insert(names.end(), good.begin(), good.end());
        return names;
    }
    [[nodiscard]] std::string counter() const {
        std::vector<std::string> words = naming(all.addresses());
        words.insert(words.end(), {"--no-state", "kv", "get", "n"});
        return almenara_says(words).out;
    }

    /// As server 9, which is no member, would say it if it were honest.
    [[nodiscard]] wire::welcome truth() const {
        wire::welcome what = plain_welcome({});
        what.server = server_id{9};
        what.cluster = status.cluster;
        what.role = wire::server_role::backup;
        what.epoch = status.epoch;
        what.config_index = status.config_index.value_or(log_index{});
        for (const wire::server_status& each : status.servers) {
            what.members.push_back({.id = each.id, .addresses = {each.address}});
            if (each.id == status.primary) {
                what.primary = what.members.back();
            }
        }
        return what;
    }

    cluster all;
    wire::status_reply status;
};

} // namespace

TEST_CASE("C.3: a server that makes no sense is left, and the write is done once by a good one") {
    const three_servers here;
    const std::string noise(200, '\x7f');
    // A frame that says it goes on, and does not.
    const auto half_a_welcome = [](visitor& client, const client_message&) {
        const base::byte_vector whole = bytes_of(plain_welcome(request_id{1}));
        client.send(base::byte_view{whole}.first(whole.size() / 2));
        client.hang_up();
    };
    const auto wrong_answer = [](visitor& client, const client_message&) {
        client.say(wire::pong{.request = request_id{77}});
    };
    const auto nothing = [](visitor&, const client_message&) {};
    unsigned done = 0;
    for (const visitor::manners& how :
         std::vector<visitor::manners>{saying(noise), half_a_welcome, wrong_answer, nothing}) {
        rogue first{how};
        const kept_files anna{naming(here.names_behind(first))};
        const finished added = first.meets(anna.with({"kv", "add", "n", "1"}));
        CAPTURE(added.out, added.err);
        CHECK(added.status == good_exit);
        CHECK(first.visits() > 0);
        ++done;
        CHECK(here.counter() == std::to_string(done));
    }
}

TEST_CASE("C.3: where nobody else is, what was wrong with the server is said, and what to do") {
    rogue noisy{saying("HTTP/1.1 400 Bad Request\r\n\r\n")};
    const kept_files anna{naming({noisy.address()})};
    const finished told = noisy.meets(anna.with({"--timeout", "2s", "kv", "get", "n"}));
    CAPTURE(told.out, told.err);
    CHECK(told.status == exit_status{.code = 1});
    CHECK(told.out.empty());
    CHECK(told.err.find(noisy.address() + ": what answers there is not an Almenara server") !=
          std::string::npos);
    CHECK(told.err.find("Check that -s names") != std::string::npos);
    CHECK(anna.sessions().empty());
}

TEST_CASE("C.3: a welcome that lies costs time, and leads neither away nor astray for good") {
    const three_servers here;
    wire::welcome lie = plain_welcome({});
    lie.cluster = here.status.cluster;
    lie.role = wire::server_role::primary;
    lie.epoch = absurd_epoch;
    lie.config_index = absurd_index;
    // Plaintext stays on this machine, whoever says that the primary is elsewhere.
    lie.primary = wire::member_address{.id = server_id{7}, .addresses = {"192.0.2.1:7400"}};
    lie.members = {*lie.primary};
    rogue liar{welcoming(lie)};
    const kept_files anna{naming(here.names_behind(liar))};
    const finished first = liar.meets(anna.with({"--timeout", "5s", "kv", "add", "n", "1"}));
    CAPTURE(first.out, first.err);
    const std::string after_first = here.counter();

    // It is gone, and what it said is not kept as the truth.
    const finished second = run(almenara_with(anna.path(), [&] {
        std::vector<std::string> words = naming(here.all.addresses());
        words.insert(words.end(), {"-u", "anna", "--timeout", "5s", "kv", "add", "n", "1"});
        return words;
    }()));
    CAPTURE(second.out, second.err);
    CHECK(first.status == good_exit);
    CHECK(second.status == good_exit);
    CHECK(after_first == "1");
    CHECK(here.counter() == "2");
}

TEST_CASE("C.3: who has the port of a known server, and lies, does not hide the others") {
    const three_servers here;
    rogue named{welcoming(here.truth())};
    const kept_files anna{naming({named.address()})};
    const finished first = named.meets(anna.with({"kv", "add", "n", "1"}));
    CAPTURE(first.out, first.err);
    REQUIRE(first.status == good_exit);

    wire::welcome lie = here.truth();
    lie.role = wire::server_role::primary;
    lie.epoch = absurd_epoch;
    lie.config_index = absurd_index;
    lie.primary = wire::member_address{.id = lie.server, .addresses = {named.address()}};
    lie.members = {*lie.primary};
    const bool lets_in = GENERATE(false, true);
    named.becomes([lie, lets_in](visitor& client, const client_message& said) {
        if (const auto* const who = std::get_if<wire::login>(&said); who != nullptr && lets_in) {
            client.say(
                wire::login_ok{.request = who->request, .user = who->user, .epoch = absurd_epoch});
        } else {
            welcoming(lie)(client, said);
        }
    });
    const finished read = named.meets(anna.with({"kv", "get", "n"}));
    CAPTURE(read.out, read.err);
    CHECK(read.status == good_exit);
    CHECK(read.out == "1");
    const finished written = named.meets(anna.with({"kv", "add", "n", "1"}));
    CAPTURE(written.out, written.err);
    CHECK(written.status == good_exit);
    CHECK(here.counter() == "2");
}

} // namespace almenara::test
