#include "client/connection.hpp"

#include "base/check.hpp"
#include "client/bell.hpp"
#include "client/conversation.hpp"
#include "client/dialler.hpp"
#include "net/byte_pump.hpp"
#include "net/clock.hpp"
#include "net/spawn.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <variant>

namespace almenara::client {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// A server that talks and does not listen is not read any more beyond this many unsent bytes.
constexpr std::size_t most_unsent = 256 * 1024;

} // namespace

/// Moves bytes and the time between the pump and the conversation, and wakes who waits. It decides
/// nothing. Coroutines that are under way keep it alive.
class connection::driver final : public std::enable_shared_from_this<driver>,
                                 private net::byte_pump::owner {
  public:
    driver(asio::any_io_executor executor, connection_options options)
        : executor_(std::move(executor)),
          options_(std::move(options)),
          timer_(executor_),
          opened_(executor_),
          over_(executor_) {}

    static asio::awaitable<outcome<wire::welcome>> open(std::shared_ptr<driver> self,
                                                        server_address where,
                                                        instant deadline);

    template <class Request>
    static asio::awaitable<outcome<typename reply_to<Request>::type>> ask(
        std::shared_ptr<driver> self, Request request, instant deadline);

    static asio::awaitable<void> close(std::shared_ptr<driver> self);

    void give_up();
    void drop();

    [[nodiscard]] bool is_open() const { return conversation_ && conversation_->is_open(); }
    [[nodiscard]] const std::string& peer() const { return peer_; }

  private:
    enum class phase : std::uint8_t {
        fresh,
        dialling,
        talking,
        leaving, ///< all is said; the server has yet to hang up
        over,
    };

    /// A coroutine that waits for an answer. It stands in that coroutine's frame, which may be
    /// destroyed at any time.
    class waiter {
      public:
        waiter(driver& owner, request_id request)
            : owner_(owner), request_(request), answered_(owner.executor_) {
            owner_.waiters_.emplace(request_, this);
        }
        waiter(const waiter&) = delete;
        waiter& operator=(const waiter&) = delete;
        ~waiter() { owner_.waiters_.erase(request_); }

        void answer(outcome<reply> with) {
            answer_ = std::move(with);
            answered_.ring();
        }
        [[nodiscard]] asio::awaitable<void> wait() { return answered_.wait(); }

        template <class Reply>
        [[nodiscard]] outcome<Reply> take() {
            if (!answer_) {
                return failure{failure_kind::cancelled, "this client gave up waiting"};
            }
            if (!*answer_) {
                return std::move(*answer_).error();
            }
            if (const auto* const other = std::get_if<wire::redirect>(&**answer_)) {
                return elsewhere(*other);
            }
            // The conversation has compared the type with the request's.
            return std::get<Reply>(std::move(**answer_));
        }

      private:
        driver& owner_;
        request_id request_;
        bell answered_;
        std::optional<outcome<reply>> answer_;
    };

    void become_dialling();
    void become_talking(dialled way, instant deadline);
    void become_leaving();
    void become_over();

    void perform();
    void on_event(opened&& happened);
    void on_event(answered&& happened);
    void on_event(failed&& happened);
    void on_event(told&&) {} // Who asks one server is not interested in the others.
    void on_event(ended&& happened);
    [[nodiscard]] failure why_not_open() const;

    static asio::awaitable<void> keep_time(std::shared_ptr<driver> self);
    [[nodiscard]] asio::steady_timer::time_point next_wake_up() const;

    // net::byte_pump::owner
    std::span<std::byte> read_into() override { return conversation_->free_space(); }
    void bytes_arrived(std::size_t count) override;
    void all_sent() override;
    void stream_ended(const error_code& why) override;

    asio::any_io_executor executor_;
    connection_options options_;
    phase phase_ = phase::fresh;
    std::shared_ptr<dialler> dialler_;
    std::shared_ptr<net::byte_pump> pump_;
    std::optional<conversation> conversation_;
    std::string peer_;
    std::vector<std::string> tried_;
    std::optional<outcome<wire::welcome>> opening_; ///< what open() returns, once it is known
    std::optional<failure> ending_;
    std::map<request_id, waiter*> waiters_;
    instant goodbye_deadline_;
    asio::steady_timer timer_; ///< of the nearest deadline of the conversation or the goodbye
    bell opened_;
    bell over_;
    bool reading_paused_ = false;
};

asio::awaitable<outcome<wire::welcome>> connection::driver::open(std::shared_ptr<driver> self,
                                                                 server_address where,
                                                                 instant deadline) {
    ALMENARA_CHECK(self->phase_ == phase::fresh);
    self->become_dialling();
    auto way = co_await dialler::dial(self->dialler_, std::move(where), deadline);
    if (!way) {
        self->become_over();
        co_return std::move(way).error();
    }
    if (self->phase_ == phase::dialling) {
        self->become_talking(*std::move(way), deadline);
    }
    co_await self->opened_.wait();
    if (!self->opening_) {
        failure why{failure_kind::cancelled, "this client gave up waiting"};
        co_return why;
    }
    outcome<wire::welcome> opening = *std::move(self->opening_);
    co_return opening;
}

template <class Request>
asio::awaitable<outcome<typename reply_to<Request>::type>> connection::driver::ask(
    std::shared_ptr<driver> self, Request asked, instant deadline) {
    using reply_type = typename reply_to<Request>::type;
    if (!self->is_open()) {
        co_return self->why_not_open();
    }
    const auto request = self->conversation_->ask(std::move(asked), deadline);
    if (!request) {
        co_return request.error();
    }
    waiter here{*self, *request};
    self->perform();
    co_await here.wait();
    outcome<reply_type> answer = here.template take<reply_type>();
    co_return answer;
}

asio::awaitable<void> connection::driver::close(std::shared_ptr<driver> self) {
    self->give_up();
    if (self->phase_ == phase::leaving) {
        co_await self->over_.wait();
    }
}

void connection::driver::give_up() {
    if (phase_ == phase::dialling) {
        dialler_->give_up();
    } else if (phase_ == phase::talking) {
        conversation_->leave();
        perform();
    }
}

void connection::driver::drop() {
    give_up();
    become_over();
}

void connection::driver::become_dialling() {
    phase_ = phase::dialling;
    dialler_ = std::make_shared<dialler>(executor_, options_.plaintext);
}

void connection::driver::become_talking(dialled way, instant deadline) {
    phase_ = phase::talking;
    peer_ = std::move(way.peer);
    tried_ = std::move(way.tried);
    conversation_options options{.client_name = options_.client_name};
    conversation_.emplace(std::move(options), deadline);
    net::byte_pump::owner& me = *this;
    pump_ = std::make_shared<net::byte_pump>(executor_, std::move(way.stream), me,
                                             "client of " + peer_);
    net::spawn(executor_, "client deadlines of " + peer_, keep_time(shared_from_this()));
    pump_->start_reading();
    perform();
}

void connection::driver::become_leaving() {
    phase_ = phase::leaving;
    goodbye_deadline_ = net::monotonic_now() + options_.longest_goodbye;
    pump_->finish();
}

void connection::driver::become_over() {
    phase_ = phase::over;
    if (pump_) {
        pump_->close();
    }
    timer_.cancel();
    opened_.ring();
    over_.ring();
}

/// Does what the conversation has decided, in the order of its output. Sending may find the stream
/// broken and come back here through stream_ended(); what was taken out before is still told.
void connection::driver::perform() {
    conversation_output output = conversation_->take_output();
    pump_->send(output.send);
    if (output.finish && phase_ == phase::talking) {
        become_leaving();
    }
    for (event& happened : output.events) {
        std::visit([this](auto& what) { on_event(std::move(what)); }, happened);
    }
    if (next_wake_up() < timer_.expiry()) {
        timer_.cancel(); // keep_time() looks again.
    }
}

void connection::driver::on_event(opened&& happened) {
    opening_ = std::move(happened.welcome);
    opened_.ring();
}

void connection::driver::on_event(answered&& happened) {
    // A coroutine that was destroyed does not wait any more.
    if (const auto found = waiters_.find(happened.request); found != waiters_.end()) {
        found->second->answer(std::move(happened.reply));
    }
}

void connection::driver::on_event(failed&& happened) {
    if (const auto found = waiters_.find(happened.request); found != waiters_.end()) {
        found->second->answer(std::move(happened.why));
    }
}

void connection::driver::on_event(ended&& happened) {
    ending_ = std::move(happened.why);
    ending_->tried = tried_;
    if (!opening_) {
        opening_ = *ending_;
        opened_.ring();
    }
}

/// Who asks too late hears how it ended.
failure connection::driver::why_not_open() const {
    return ending_ ? *ending_ : failure{failure_kind::closed, "the connection is not open"};
}

asio::awaitable<void> connection::driver::keep_time(std::shared_ptr<driver> self) {
    while (self->phase_ == phase::talking || self->phase_ == phase::leaving) {
        self->timer_.expires_at(self->next_wake_up());
        co_await self->timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        const instant now = net::monotonic_now();
        if (self->phase_ == phase::talking) {
            self->conversation_->tick(now);
            self->perform();
        } else if (self->phase_ == phase::leaving && now >= self->goodbye_deadline_) {
            self->become_over();
        }
    }
}

asio::steady_timer::time_point connection::driver::next_wake_up() const {
    if (phase_ == phase::leaving) {
        return net::timer_point(goodbye_deadline_);
    }
    const auto next = conversation_->next_deadline();
    return next ? net::timer_point(*next) : asio::steady_timer::time_point::max();
}

void connection::driver::bytes_arrived(std::size_t count) {
    const auto self = shared_from_this(); // Whoever is told may let go of the connection.
    conversation_->received(count, net::monotonic_now());
    perform();
    if (phase_ == phase::talking && pump_->queued() > most_unsent) {
        reading_paused_ = true;
        pump_->pause_reading();
    }
}

void connection::driver::all_sent() {
    if (std::exchange(reading_paused_, false) && phase_ == phase::talking) {
        pump_->start_reading();
    }
}

void connection::driver::stream_ended(const error_code& why) {
    const auto self = shared_from_this();
    if (phase_ == phase::talking) {
        conversation_->stream_ended(why == asio::error::eof ? std::error_code{}
                                                            : std::error_code{why});
        perform();
    }
    become_over();
}

connection::connection(asio::any_io_executor executor, connection_options options)
    : driver_(std::make_shared<driver>(std::move(executor), std::move(options))) {}

connection::~connection() {
    driver_->drop();
}

asio::awaitable<outcome<wire::welcome>> connection::open(server_address where, instant deadline) {
    return driver::open(driver_, std::move(where), deadline);
}

asio::awaitable<outcome<wire::pong>> connection::ping(instant deadline) {
    return driver::ask(driver_, wire::ping{}, deadline);
}

asio::awaitable<outcome<wire::status_reply>> connection::status(instant deadline) {
    return driver::ask(driver_, wire::status_request{}, deadline);
}

asio::awaitable<outcome<wire::login_ok>> connection::log_in(std::string user, instant deadline) {
    wire::login who;
    who.user = std::move(user);
    return driver::ask(driver_, std::move(who), deadline);
}

asio::awaitable<outcome<wire::admin_result>> connection::administer(wire::admin what,
                                                                    instant deadline) {
    return driver::ask(driver_, what, deadline);
}

asio::awaitable<void> connection::close() {
    return driver::close(driver_);
}

void connection::give_up() {
    driver_->give_up();
}

bool connection::is_open() const {
    return driver_->is_open();
}

const std::string& connection::peer() const {
    return driver_->peer();
}

} // namespace almenara::client
