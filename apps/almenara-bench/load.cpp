#include "load.hpp"

#include "base/version.hpp"
#include "history.hpp"
#include "net/clock.hpp"
#include "services/kv/bodies.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace almenara::bench {

namespace asio = boost::asio;

namespace {

/// Keys that a client writes at a time before they are read.
constexpr std::size_t filled_at_a_time = 16;

client::api_options options_of(const settings& asked) {
    client::api_options options;
    options.how.servers = asked.servers;
    options.how.user = asked.user;
    options.how.client_name = fmt::format("almenara-bench {}", version);
    options.how.device_name = "almenara-bench";
    options.how.seed = client::random_seed();
    options.how.must_find_somebody = true;
    options.how.follow = asked.follow;
    options.how.opens_session = asked.kind != workload_kind::read;
    options.plaintext = asked.plaintext;
    return options;
}

} // namespace

/// One client: it keeps so many operations under way, or as many as are due.
class load::player {
  public:
    player(load& owner, std::uint32_t number)
        : owner_(owner),
          number_(number),
          api_(owner.executor_, options_of(owner.asked_)),
          ideas_({.kind = owner.asked_.kind,
                  .client = number,
                  .keys = owner.asked_.keys,
                  .seed = client::random_seed()}),
          fillings_({.kind = workload_kind::write, .client = number, .keys = 1}) {}

    [[nodiscard]] client::api& api() { return api_; }

    /// Nothing is due at a time of its own: as many as may be, again and again.
    void keep_busy(instant now) {
        while (open_ < owner_.asked_.pipeline && !owner_.is_over(now)) {
            begin(now, now);
        }
    }

    /// It was due then, whenever it can begin: a client that is held up must not forget what it
    /// would have asked meanwhile.
    void due(instant when, instant now) {
        due_.push_back(when);
        begin_due(now);
    }

    /// Writes keys before anything is measured.
    void fill_further() {
        while (filling_ < filled_at_a_time && owner_.takes_key()) {
            operation writes = fillings_.next();
            writes.key = workload::key(owner_.keys_taken_++);
            ++filling_;
            ++owner_.open_;
            api_.write(body_of(writes, owner_.asked_.size),
                       net::monotonic_now() + owner_.asked_.timeout,
                       [this](const client::answer& how) { filled(how); });
        }
    }

    /// What was due and could not begin while there was time for it. It did not happen.
    void forget_due(instant now) {
        for (const instant when : std::exchange(due_, {})) {
            owner_.report_.add(client::answer{wire::result_code::cancelled}, true, now, now - when);
        }
    }

  private:
    void filled(const client::answer& how) {
        --filling_;
        --owner_.open_;
        if (how.code == wire::result_code::ok) {
            fill_further();
        } else {
            owner_.how_filled_ = how;
        }
        owner_.filled();
    }

    void begin_due(instant now) {
        while (open_ < owner_.asked_.pipeline && !due_.empty() && !owner_.stopped_) {
            const instant when = due_.front();
            due_.pop_front();
            begin(when, now);
        }
    }

    void begin(instant when, instant now) {
        ++open_;
        ++owner_.open_;
        operation asked = ideas_.next();
        base::byte_vector body = body_of(asked, owner_.asked_.size);
        const bool is_read = asked.what == verb::get;
        auto then = [this, when, now, asked = std::move(asked)](client::answer how) mutable {
            ended({.client = number_,
                   .asked = std::move(asked),
                   .called = now,
                   .returned = net::monotonic_now(),
                   .how = std::move(how),
                   .heard = {}},
                  when);
        };
        const instant deadline = now + owner_.asked_.timeout;
        if (is_read) {
            api_.read(std::move(body), deadline, std::move(then));
        } else {
            api_.write(std::move(body), deadline, std::move(then));
        }
    }

    void ended(history_entry what, instant when) {
        --open_;
        --owner_.open_;
        if (owner_.history_ || ideas_.learns()) {
            what.heard = outcome_of(what.asked, what.how);
            ideas_.learn(what.asked, what.heard);
        }
        // A condition that does not hold any more and a key that is not there yet are answers.
        const bool is_answer = what.how.code == wire::result_code::ok ||
                               what.how.code == wire::result_code::conflict ||
                               what.how.code == wire::result_code::not_found;
        owner_.report_.add(what.how, !is_answer, what.returned, what.returned - when);
        if (owner_.history_) {
            *owner_.history_ << line_of(what);
        }
        if (owner_.asked_.rate) {
            begin_due(what.returned);
        } else if (is_answer) {
            keep_busy(what.returned);
        } else {
            owner_.stop(); // Whoever fails at once would fail as fast as it can.
        }
        owner_.ended();
    }

    load& owner_;
    std::uint32_t number_;
    client::api api_;
    workload ideas_;
    workload fillings_;
    std::size_t open_ = 0;
    std::size_t filling_ = 0;
    std::deque<instant> due_;
};

load::load(asio::any_io_executor executor, const settings& asked)
    : executor_(std::move(executor)),
      asked_(asked),
      timer_(executor_),
      patience_(executor_),
      all_filled_(executor_),
      all_ended_(executor_) {
    if (!asked_.history.empty()) {
        history_.emplace(asked_.history, std::ios::trunc);
    }
    for (std::size_t number = 0; number < asked_.clients; ++number) {
        players_.push_back(std::make_unique<player>(*this, static_cast<std::uint32_t>(number)));
    }
}

load::~load() {
    stopped_ = true;
    give_up(); // While all that is there which the answers are counted with.
}

bool load::history_is_whole() const {
    return !history_ || history_->good();
}

asio::awaitable<client::answer> load::run() {
    client::answer how = co_await log_in();
    if (how.code == wire::result_code::ok) {
        how = co_await fill();
    }
    if (how.code == wire::result_code::ok) {
        co_await play();
    }
    co_await leave();
    patience_.cancel();
    if (history_) {
        history_->flush();
    }
    co_return how;
}

/// Before anything is measured every client has its session.
asio::awaitable<client::answer> load::log_in() {
    const instant deadline = net::monotonic_now() + asked_.timeout;
    client::answer how;
    for (const auto& each : players_) {
        how = co_await each->api().log_in(deadline);
        if (how.code != wire::result_code::ok) {
            break;
        }
    }
    co_return how;
}

/// What is read has been written. Each client takes the next key that nobody has taken.
asio::awaitable<client::answer> load::fill() {
    if (asked_.kind == workload_kind::read && !asked_.filled) {
        for (const auto& each : players_) {
            each->fill_further();
        }
        filled(); // An interrupt that came with the last login leaves nothing to fill in.
        co_await all_filled_.wait();
    }
    co_return how_filled_;
}

bool load::takes_key() const {
    return !stopped_ && how_filled_.code == wire::result_code::ok && keys_taken_ < asked_.keys;
}

void load::filled() {
    if (!takes_key() && open_ == 0) {
        all_filled_.ring();
    }
}

asio::awaitable<void> load::play() {
    const duration length = std::chrono::seconds{static_cast<std::int64_t>(asked_.seconds)};
    begin_ = net::monotonic_now();
    end_ = begin_ + length;
    report_.begin(begin_, length);
    if (asked_.rate) {
        co_await keep_rate();
    } else {
        for (const auto& each : players_) {
            each->keep_busy(begin_);
        }
        timer_.expires_at(net::timer_point(end_));
        co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    stop();
    co_await all_ended_.wait();
}

/// Each operation has its moment, whatever became of those before it.
asio::awaitable<void> load::keep_rate() {
    std::uint64_t begun = 0;
    const auto moment = [this](std::uint64_t number) {
        const auto second = static_cast<std::int64_t>(number / *asked_.rate);
        const auto rest = static_cast<std::int64_t>(number % *asked_.rate);
        return begin_ + std::chrono::seconds{second} +
               duration{std::chrono::seconds{1}} * rest / static_cast<std::int64_t>(*asked_.rate);
    };
    while (!stopped_ && moment(begun) < end_) {
        timer_.expires_at(net::timer_point(moment(begun)));
        co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        const instant now = net::monotonic_now();
        while (!stopped_ && moment(begun) <= now && moment(begun) < end_) {
            players_[begun % players_.size()]->due(moment(begun), now);
            ++begun;
        }
    }
}

bool load::is_over(instant now) const {
    return stopped_ || now >= end_;
}

/// Begins nothing more; what is open is waited for, each until its own deadline.
void load::stop() {
    stopped_ = true;
    timer_.cancel();
    const instant now = net::monotonic_now();
    for (const auto& each : players_) {
        each->forget_due(now);
    }
    ended();
}

void load::interrupt() {
    constexpr duration longest_patience = std::chrono::seconds{1};
    if (begin_ == instant{}) {
        stop();
        give_up(); // It waits for a login, or fills in what is to be read.
        return;
    }
    report_.end_early(net::monotonic_now());
    stop();
    patience_.expires_after(std::min(longest_patience, asked_.timeout));
    patience_.async_wait([this](const boost::system::error_code& cancelled) {
        if (!cancelled) {
            give_up();
        }
    });
}

/// What is open is answered now: it may have happened, or it did not.
void load::give_up() {
    for (const auto& each : players_) {
        each->api().give_up();
    }
}

void load::ended() {
    if (stopped_ && open_ == 0) {
        all_ended_.ring();
    }
}

asio::awaitable<void> load::leave() {
    // Nobody uses the sessions again; who does not answer now will forget them by itself.
    const instant soon = net::monotonic_now() + std::chrono::seconds{2};
    for (const auto& each : players_) {
        if (each->api().session()) {
            co_await each->api().close_session(soon);
        }
    }
    give_up(); // All of them: one by one they would wait for each other's servers.
    for (const auto& each : players_) {
        co_await each->api().close();
    }
}

} // namespace almenara::bench
