#pragma once

#include "base/time.hpp"
#include "client/api.hpp"
#include "client/operation_error.hpp"
#include "client/ways.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The client library, for programs that are not part of Almenara. docs/client-library.md explains
/// it; the programs in docs/examples use it.
namespace almenara::client {

struct cluster_options {
    /// `HOST:PORT` or `unix:PATH`. One is enough: the others are learnt from it.
    std::vector<std::string> servers;
    std::string user;
    /// Name and version, for the servers' logs.
    std::string program = "a program";
    /// Without TLS, which this version does not have. Only to loopback addresses.
    bool plaintext = false;
    /// What is asked fails at once when none of the servers was ever there.
    bool must_find_somebody = false;
    /// How a new primary may be found, once one has served.
    ways follow = all_ways;
    /// Where this program keeps what its next run needs, in a directory of its own: the servers'
    /// addresses, and a session for each process that runs at the same time. Nothing: nowhere.
    std::optional<std::string> state_directory{};
    /// With a state directory: a write that was not answered when the program was killed is sent
    /// again by the next run, which is told what became of it (client::resumed).
    bool journal = true;
};

/// Until when an answer is waited for.
class time_limit {
  public:
    /// Not explicit, so that people write `execute(what, 5s)`.
    template <class Rep, class Period>
    time_limit(std::chrono::duration<Rep, Period> from_now)
        : time_limit(std::chrono::steady_clock::now() +
                     std::chrono::duration_cast<duration>(from_now)) {}
    time_limit(std::chrono::steady_clock::time_point at);

    [[nodiscard]] instant at() const { return at_; }

  private:
    instant at_;
};

/// A message of a service that can be asked: its header says how (services/asked.hpp).
template <class Request>
concept request = requires(const Request& what, base::byte_view answer) {
    { how_asked(what).body(what) } -> std::same_as<base::byte_vector>;
    { how_asked(what).reply_in(answer) };
    { how_asked(what).writes } -> std::convertible_to<bool>;
};
template <request Request>
using how_asked_of = decltype(how_asked(std::declval<const Request&>()));
template <request Request>
using reply_of = typename how_asked_of<Request>::reply;

/// What a request brought, and as of when.
template <class Reply>
struct done {
    Reply reply;
    /// Of a write: its place in the log, which grows from write to write: a fencing token. Of a
    /// question: the state that answered held everything up to here.
    log_index index;
    almenara::epoch epoch;
    std::uint8_t durable_on = 0; ///< a write's: the servers that have it on their disks
    std::uint8_t voters = 0;     ///< a write's: of so many
};

/// A value, or the reason why there is none.
template <class Reply>
using answer_to = boost::system::result<done<Reply>, operation_error>;

/// A client of a cluster. It finds the primary, follows it when it changes, and holds what is asked
/// meanwhile; what it writes is done exactly once, whatever happens to servers and connections.
///
/// Everything runs on one thread, that of the executor; any number of requests may be under way at
/// the same time, and writes leave in the order in which they were asked.
///
///     almenara::client::cluster cluster{context, {.servers = {"127.0.0.1:7401"}, .user = "anna"}};
///     const services::kv::add one{.key = "visits", .delta = 1};
///     const auto sum = co_await cluster.execute(one, 5s);
///
/// A request is named before it is executed, as here: g++ 12 destroys the members of an aggregate
/// twice that is made in the same expression as a co_await.
class cluster {
  public:
    cluster(boost::asio::any_io_executor executor, cluster_options options);
    cluster(boost::asio::io_context& context, cluster_options options)
        : cluster(context.get_executor(), std::move(options)) {}
    /// At once: what is open ends now, and the goodbye is said if it goes. close() is better.
    /// Behind it no listener is called; it may be a listener's doing.
    ~cluster() = default;
    cluster(const cluster&) = delete;
    cluster& operator=(const cluster&) = delete;

    /// Executes a write exactly once, or asks a question that the newest confirmed state answers,
    /// as soon as it is awaited. A coroutine that is cancelled while it waits here gives the
    /// request up: the error says whether it may have happened.
    template <request Request>
    [[nodiscard]] boost::asio::awaitable<answer_to<reply_of<Request>>> execute(const Request& what,
                                                                               time_limit until) {
        using how = how_asked_of<Request>;
        return ask<how>(how::writes ? api_.write(how::body(what), until.at())
                                    : api_.read(how::body(what), until.at()));
    }

    /// Returns when the primary knows who asks. Not needed before execute().
    [[nodiscard]] boost::asio::awaitable<std::optional<operation_error>> log_in(time_limit until);

    /// Says goodbye and waits, but not for long, until the servers have heard it. What is open ends
    /// now.
    [[nodiscard]] boost::asio::awaitable<void> close() { return api_.close(); }

    /// What is told besides answers: the primary was lost, or found again.
    void listen(api::on_news to) { api_.listen(std::move(to)); }
    /// What people should know of the files in the state directory: what was damaged.
    void listen_to_notes(api::on_note to) { api_.listen_to_notes(std::move(to)); }

  private:
    template <class How>
    [[nodiscard]] static boost::asio::awaitable<answer_to<typename How::reply>> ask(
        boost::asio::awaitable<answer> asked) {
        answer how = co_await std::move(asked);
        co_return understood<How>(std::move(how));
    }

    template <class How>
    [[nodiscard]] static answer_to<typename How::reply> understood(answer&& how) {
        if (how.code != wire::result_code::ok) {
            return operation_error{std::move(how), How::writes};
        }
        auto found = How::reply_in(how.body);
        if (!found) {
            return operation_error::of_nonsense();
        }
        return done<typename How::reply>{.reply = *std::move(found),
                                         .index = how.index,
                                         .epoch = how.epoch,
                                         .durable_on = how.durable_on,
                                         .voters = how.voters};
    }

    api api_;
};

} // namespace almenara::client
