#include "client/api.hpp"

#include "client/beacon_socket.hpp"
#include "client/bell.hpp"
#include "client/in_order.hpp"
#include "client/keeper.hpp"
#include "client/link.hpp"
#include "net/clock.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace almenara::client {

namespace asio = boost::asio;

std::uint64_t random_seed() {
    std::random_device device;
    return std::uint64_t{device()} << 32U | device();
}

/// Moves messages and the time between the links and the failover, and wakes who waits. It decides
/// nothing. Coroutines that are under way keep it alive.
class api::driver final : public std::enable_shared_from_this<driver>,
                          private link::owner,
                          private beacon_socket::owner {
  public:
    driver(asio::any_io_executor executor, api_options options)
        : executor_(std::move(executor)),
          options_(std::move(options)),
          keeper_(keeper_of(options_)),
          core_(options_.how, net::monotonic_now()),
          timer_(executor_),
          over_(executor_) {
        beacon_socket::owner& me = *this;
        beacon_ = std::make_shared<beacon_socket>(executor_, me);
    }

    [[nodiscard]] failover& core() { return core_; }
    void answer_later(const outcome<ticket>& which, on_answer then);
    template <class Ask>
    [[nodiscard]] static asio::awaitable<answer> ask(std::shared_ptr<driver> self, Ask what);
    [[nodiscard]] static asio::awaitable<void> close(std::shared_ptr<driver> self);

    void perform();
    void leave();
    void drop();

    [[nodiscard]] static asio::awaitable<logout> log_out(std::shared_ptr<driver> self,
                                                         instant deadline);

    void listen(on_news to) {
        on_news_ = to ? std::make_shared<const on_news>(std::move(to)) : nullptr;
    }
    void listen_to_notes(on_note to) {
        on_note_ = to ? std::make_shared<const on_note>(std::move(to)) : nullptr;
    }
    [[nodiscard]] const std::optional<wire::login_ok>& user() const { return user_; }

  private:
    /// A coroutine that waits for an answer. It stands in that coroutine's frame, which may be
    /// destroyed at any time.
    class waiter {
      public:
        waiter(driver& owner, ticket which)
            : owner_(owner), which_(which), answered_(owner.executor_) {
            owner_.waiting_.put(which_, [this](answer how) {
                answer_ = std::move(how);
                answered_.ring();
            });
        }
        waiter(const waiter&) = delete;
        waiter& operator=(const waiter&) = delete;
        ~waiter() { owner_.waiting_.take(which_); }

        [[nodiscard]] asio::awaitable<void> wait() { return answered_.wait(); }
        [[nodiscard]] bool is_answered() const { return answered_.rung(); }
        [[nodiscard]] answer take() { return std::move(answer_); }

      private:
        driver& owner_;
        ticket which_;
        bell answered_;
        answer answer_{wire::result_code::uncertain, "this client gave up waiting"};
    };

    struct refusal {
        on_answer then;
        answer how;
    };

    /// Also when somebody who is told something throws.
    class performing {
      public:
        explicit performing(bool& flag) : flag_(flag) { flag_ = true; }
        performing(const performing&) = delete;
        performing& operator=(const performing&) = delete;
        ~performing() { flag_ = false; }

      private:
        bool& flag_;
    };

    [[nodiscard]] static std::optional<keeper> keeper_of(api_options& options);
    [[nodiscard]] static answer refused(const failure& why);
    void enter(cluster_id cluster);
    void tell_notes();
    void turn();
    void execute(failover_output& output);
    void send(std::vector<said>& messages);
    void tell_all();
    void tell(news& what);
    void answer_refused(std::size_t count);
    void arm(instant wake);

    // link::owner
    void link_connected(link_id which) override { core_.connected(net::monotonic_now(), which); }
    void link_failed(link_id which, failure why) override;
    void link_alive(link_id which) override {
        heard_at_ = net::monotonic_now();
        core_.sign_of_life(heard_at_, which);
    }
    void link_heard(link_id which, from_server&& message) override {
        core_.heard(heard_at_, which, std::move(message));
    }
    void link_broke_rules(link_id which, std::string why) override {
        core_.broken(net::monotonic_now(), which, std::move(why));
    }
    void link_ended(link_id which, std::error_code why) override;
    void link_told_all() override { perform(); }
    void link_gone(link_id which) override;
    void look_whether_over();

    // beacon_socket::owner
    void datagram_came(base::byte_view bytes) override {
        core_.datagram(net::monotonic_now(), bytes);
    }
    void datagrams_told() override { perform(); }
    void no_datagrams(std::error_code why) override {
        untold_.emplace_back(no_beacon{why});
        perform();
    }

    asio::any_io_executor executor_;
    api_options options_;
    std::optional<keeper> keeper_;
    failover core_;
    std::map<link_id, std::shared_ptr<link>> links_; ///< leaving ones included
    std::shared_ptr<beacon_socket> beacon_;
    in_order<ticket, on_answer> waiting_;
    std::shared_ptr<const on_news> on_news_; ///< shared: it may be replaced while it is called
    std::shared_ptr<const on_note> on_note_;
    std::vector<news> untold_; ///< from next_untold_ on
    std::size_t next_untold_ = 0;
    std::deque<refusal> refused_; ///< to be answered in a moment, not in the call
    std::optional<wire::login_ok> user_;
    asio::steady_timer timer_;
    instant armed_for_ = instant::max(); ///< nothing waits then
    instant heard_at_;                   ///< when the bytes came whose messages are heard
    failover_output output_;             ///< used up, for its room
    bell over_;
    bool performing_ = false;
    bool again_ = false; ///< something was asked or heard while performing
    bool left_ = false;
};

void api::driver::perform() {
    again_ = true;
    if (performing_) {
        return;
    }
    const auto self = shared_from_this(); // Whoever is answered may let go of the client.
    {
        const performing here{performing_};
        while (std::exchange(again_, false)) {
            turn();
        }
    }
    look_whether_over();
}

/// What was heard is told first: what is asked because of it goes out in the same turn. Who is told
/// may leave, which takes a turn within this one.
void api::driver::turn() {
    failover_output output;
    output.swap(output_);
    core_.take_pending(output);
    execute(output);
    again_ = false;
    core_.take_output(net::monotonic_now(), output);
    const instant wake = output.wake;
    execute(output);
    output.clear();
    output.swap(output_);
    arm(wake);
}

/// Does what the core has decided, in the order of its output.
void api::driver::execute(failover_output& output) {
    if (keeper_ && !output.keep.empty()) {
        keeper_->execute(output.keep, core_);
        again_ = true; // It waits for that.
    }
    send(output.send);
    for (const link_id which : output.close) {
        if (const auto found = links_.find(which); found != links_.end()) {
            const auto leaving = found->second;
            leaving->finish();
        }
    }
    for (dial_order& order : output.dial) {
        const link::settings how{.id = order.link,
                                 .plaintext = options_.plaintext,
                                 .longest_goodbye = options_.longest_goodbye};
        link::owner& me = *this;
        const auto fresh = std::make_shared<link>(executor_, how, me);
        links_.emplace(order.link, fresh);
        link::start(fresh, std::move(order.addresses), order.by);
    }
    if (options_.plaintext) {
        for (const datagram_order& each : output.datagrams) {
            beacon_->send(each);
        }
    }
    if (untold_.empty()) {
        untold_.swap(output.news);
    } else {
        std::move(output.news.begin(), output.news.end(), std::back_inserter(untold_));
    }
    tell_all();
    tell_notes();
}

/// Who is told something may leave, and then hears the rest before this goes on.
void api::driver::tell_all() {
    while (next_untold_ < untold_.size()) {
        news what = std::move(untold_[next_untold_++]);
        tell(what);
    }
    untold_.clear();
    next_untold_ = 0;
}

/// What is said of a state directory before anybody logs in.
std::optional<keeper> api::driver::keeper_of(api_options& options) {
    if (!options.state_directory) {
        return std::nullopt;
    }
    keeper files{*options.state_directory, options.how.user};
    options.how.keeps_state = true;
    options.how.hint = files.hint(options.how.servers);
    return files;
}

void api::driver::enter(cluster_id cluster) {
    core_.remember(keeper_->enter(cluster));
    again_ = true;
}

void api::driver::tell_notes() {
    if (!keeper_ || !on_note_) {
        return;
    }
    for (const std::string& text : keeper_->take_notes()) {
        if (const auto listener = on_note_) {
            (*listener)(text);
        }
    }
}

/// What goes to one server in a turn goes in one piece.
void api::driver::send(std::vector<said>& messages) {
    for (const said& each : messages) {
        if (const auto found = links_.find(each.link); found != links_.end()) {
            found->second->say(each.message);
        }
    }
    // Who was spoken to twice has nothing left to send at the second time.
    for (const said& each : messages) {
        if (const auto found = links_.find(each.link); found != links_.end()) {
            const auto to = found->second; // Sending may find that it has ended.
            to->flush();
        }
    }
}

void api::driver::tell(news& what) {
    if (auto* const ended = std::get_if<ended_errand>(&what)) {
        // Nobody waits any more for what a destroyed coroutine asked.
        if (const auto then = waiting_.take(ended->ticket)) {
            (*then)(std::move(ended->answer));
        }
        return;
    }
    if (const auto* const login = std::get_if<logged_in>(&what)) {
        user_ = login->who;
    }
    if (const auto* const entered = std::get_if<entered_cluster>(&what); entered && keeper_) {
        enter(entered->cluster);
    }
    if (const auto listener = on_news_) {
        (*listener)(what);
    }
}

/// Waking too early does no harm, and a timer that is moved at each answer costs more.
void api::driver::arm(instant wake) {
    if (left_ || wake >= armed_for_) {
        return;
    }
    armed_for_ = wake;
    timer_.expires_at(net::timer_point(wake));
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
        if (!cancelled) {
            self->armed_for_ = instant::max();
            self->perform();
        }
    });
}

answer api::driver::refused(const failure& why) {
    return answer{why.kind == failure_kind::busy ? wire::result_code::busy
                                                 : wire::result_code::cancelled,
                  why.why};
}

void api::driver::answer_later(const outcome<ticket>& which, on_answer then) {
    if (!which) {
        refused_.push_back({.then = std::move(then), .how = refused(which.error())});
        // One for each: who asks again at once must not keep the reactor from everybody else.
        asio::post(executor_, [self = shared_from_this()] { self->answer_refused(1); });
        return;
    }
    waiting_.put(*which, std::move(then));
    perform();
}

void api::driver::answer_refused(std::size_t count) {
    for (; count > 0 && !refused_.empty(); --count) {
        refusal one = std::move(refused_.front());
        refused_.pop_front();
        one.then(std::move(one.how));
    }
}

/// When it is awaited, not before: nobody would hear an answer that came sooner.
template <class Ask>
asio::awaitable<answer> api::driver::ask(std::shared_ptr<driver> self, Ask what) {
    const outcome<ticket> which = what(self->core_);
    if (!which) {
        co_return refused(which.error());
    }
    waiter here{*self, *which};
    self->perform();
    // By who was told something just now, perhaps; then no cancellation comes any more.
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() == asio::cancellation_type::none) {
        co_await here.wait();
    }
    if (!here.is_answered()) { // The coroutine was cancelled.
        self->core_.cancel(*which);
        self->perform();
    }
    answer how = here.take();
    co_return how;
}

/// All that is open is answered when it returns, even if it was called by who is told something.
void api::driver::leave() {
    if (std::exchange(left_, true)) {
        return;
    }
    const auto self = shared_from_this(); // Whoever is answered may let go of the client.
    core_.leave(net::monotonic_now());
    beacon_->close();
    if (performing_) {
        turn();
    } else {
        perform();
    }
    if (keeper_) {
        keeper_->leave();
        tell_notes();
    }
}

asio::awaitable<void> api::driver::close(std::shared_ptr<driver> self) {
    if (self->keeper_ && self->keeper_->has_too_many() && self->core_.session()) {
        const instant soon = net::monotonic_now() + self->options_.longest_goodbye;
        const auto close = [soon](failover& core) { return core.close_session(soon); };
        co_await ask(self, close);
    }
    self->leave();
    co_await self->over_.wait();
}

/// Nothing is told behind it.
void api::driver::drop() {
    const auto self = shared_from_this();
    leave();
    tell_all();
    answer_refused(refused_.size());
    on_news_.reset();
    on_note_.reset();
    for (const auto& [which, each] : links_) {
        each->close();
    }
    links_.clear();
    look_whether_over();
}

void api::driver::link_failed(link_id which, failure why) {
    links_.erase(which);
    core_.dial_failed(net::monotonic_now(), which, std::move(why));
}

void api::driver::link_ended(link_id which, std::error_code why) {
    links_.erase(which);
    core_.link_ended(net::monotonic_now(), which, why);
}

void api::driver::link_gone(link_id which) {
    links_.erase(which);
    look_whether_over();
}

void api::driver::look_whether_over() {
    if (left_ && links_.empty()) {
        timer_.cancel();
        over_.ring();
    }
}

api::api(asio::any_io_executor executor, api_options options)
    : driver_(std::make_shared<driver>(std::move(executor), std::move(options))) {}

api::~api() {
    driver_->drop();
}

void api::write(base::byte_vector body, instant deadline, on_answer then) {
    driver_->answer_later(driver_->core().write(std::move(body), deadline), std::move(then));
}

void api::read(base::byte_vector body, instant deadline, on_answer then) {
    driver_->answer_later(driver_->core().read(std::move(body), wire::read_mode::quorum, deadline),
                          std::move(then));
}

asio::awaitable<answer> api::write(base::byte_vector body, instant deadline) {
    return driver::ask(driver_, [body = std::move(body), deadline](failover& core) mutable {
        return core.write(std::move(body), deadline);
    });
}

asio::awaitable<answer> api::read(base::byte_vector body, instant deadline) {
    return driver::ask(driver_, [body = std::move(body), deadline](failover& core) mutable {
        return core.read(std::move(body), wire::read_mode::quorum, deadline);
    });
}

asio::awaitable<answer> api::log_in(instant deadline) {
    return driver::ask(driver_, [deadline](failover& core) { return core.log_in(deadline); });
}

asio::awaitable<answer> api::administer(wire::admin what, instant deadline) {
    return driver::ask(
        driver_, [what, deadline](failover& core) { return core.administer(what, deadline); });
}

asio::awaitable<answer> api::close_session(instant deadline) {
    return driver::ask(driver_,
                       [deadline](failover& core) { return core.close_session(deadline); });
}

/// One after the other: a client has one session at a time.
asio::awaitable<api::logout> api::driver::log_out(std::shared_ptr<driver> self, instant deadline) {
    const auto log_in = [deadline](failover& core) { return core.log_in(deadline); };
    const auto close = [deadline](failover& core) { return core.close_session(deadline); };
    // Who is cancelled between two questions learns from the next one how it ended.
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    logout done;
    done.how = co_await ask(self, log_in);
    while (done.how.code == wire::result_code::ok && self->core_.session()) {
        done.how = co_await ask(self, close);
        done.closed += done.how.code == wire::result_code::ok ? 1U : 0U;
        if (self->keeper_) {
            if (auto next = self->keeper_->another_session()) {
                self->core_.resume(std::move(*next));
            }
        }
    }
    if (self->keeper_ && done.how.code == wire::result_code::ok) {
        const auto kept = self->keeper_->forget_user();
        done.kept = kept ? *kept : 0;
        if (!kept) {
            done.how = answer{wire::result_code::cancelled, kept.error().message()};
            done.how.trouble = failure{failure_kind::not_kept, kept.error().message()};
        }
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return done;
}

asio::awaitable<api::logout> api::log_out(instant deadline) {
    return driver::log_out(driver_, deadline);
}

asio::awaitable<void> api::close() {
    return driver::close(driver_);
}

void api::give_up() {
    driver_->leave();
}

void api::listen(on_news to) {
    driver_->listen(std::move(to));
}

void api::listen_to_notes(on_note to) {
    driver_->listen_to_notes(std::move(to));
}

const std::optional<wire::login_ok>& api::user() const {
    return driver_->user();
}

std::optional<session_id> api::session() const {
    return driver_->core().session();
}

} // namespace almenara::client
