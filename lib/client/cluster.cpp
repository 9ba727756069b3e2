#include "client/cluster.hpp"

#include <utility>

namespace almenara::client {

namespace asio = boost::asio;

namespace {

api_options options_of(cluster_options&& wanted) {
    api_options options;
    options.how.servers = std::move(wanted.servers);
    options.how.user = std::move(wanted.user);
    options.how.client_name = wanted.program;
    options.how.device_name = std::move(wanted.program);
    options.how.seed = random_seed();
    options.how.must_find_somebody = wanted.must_find_somebody;
    options.how.follow = wanted.follow;
    options.how.journal = wanted.journal;
    options.state_directory = std::move(wanted.state_directory);
    options.plaintext = wanted.plaintext;
    return options;
}

asio::awaitable<std::optional<operation_error>> logged_in_or_not(asio::awaitable<answer> asked) {
    answer how = co_await std::move(asked);
    std::optional<operation_error> why;
    if (how.code != wire::result_code::ok) {
        why = operation_error{std::move(how), false};
    }
    co_return why;
}

} // namespace

// net/clock.hpp: it is the same clock.
time_limit::time_limit(std::chrono::steady_clock::time_point at)
    : at_(instant{at.time_since_epoch()}) {}

cluster::cluster(asio::any_io_executor executor, cluster_options options)
    : api_(std::move(executor), options_of(std::move(options))) {}

asio::awaitable<std::optional<operation_error>> cluster::log_in(time_limit until) {
    return logged_in_or_not(api_.log_in(until.at()));
}

} // namespace almenara::client
