#include "client/link.hpp"

#include "net/clock.hpp"
#include "net/spawn.hpp"

#include <boost/asio/error.hpp>
#include <fmt/format.h>

#include <utility>

namespace almenara::client {

namespace asio = boost::asio;
using boost::system::error_code;

link::link(asio::any_io_executor executor, settings how, owner& told)
    : executor_(std::move(executor)), how_(how), owner_(&told), goodbye_(executor_) {}

void link::start(const std::shared_ptr<link>& self,
                 std::vector<std::string> addresses,
                 instant by) {
    net::spawn(self->executor_, fmt::format("client link {}", self->how_.id),
               dial(self, std::move(addresses), by));
}

asio::awaitable<void> link::dial(std::shared_ptr<link> self,
                                 std::vector<std::string> addresses,
                                 instant by) {
    failure why{failure_kind::not_resolved, "the server has no address"};
    for (const std::string& address : addresses) {
        if (self->phase_ != phase::dialling) {
            co_return;
        }
        auto where = parse_server_address(address);
        if (!where) {
            why = failure{failure_kind::not_resolved, where.error().message()};
            continue;
        }
        self->dialler_ = std::make_shared<dialler>(self->executor_, self->how_.plaintext);
        auto way = co_await dialler::dial(self->dialler_, *std::move(where), by);
        if (way && self->phase_ == phase::dialling) {
            self->become_talking(*std::move(way));
            co_return;
        }
        // What may not be dialled says less than what could not be reached.
        if (!way && (why.kind == failure_kind::not_resolved ||
                     way.error().kind != failure_kind::not_allowed)) {
            why = std::move(way).error();
        }
    }
    if (self->phase_ == phase::dialling) {
        self->phase_ = phase::over;
        self->owner_->link_failed(self->how_.id, std::move(why));
        self->owner_->link_told_all();
    }
}

void link::become_talking(dialled way) {
    phase_ = phase::talking;
    net::byte_pump::owner& me = *this;
    pump_ = std::make_shared<net::byte_pump>(executor_, std::move(way.stream), me,
                                             "client of " + way.peer);
    pump_->start_reading();
    owner_->link_connected(how_.id);
    owner_->link_told_all();
}

void link::flush() {
    if (phase_ == phase::talking && !unsent_.empty()) {
        pump_->send(unsent_);
    }
}

void link::finish() {
    if (phase_ == phase::dialling) {
        become_over();
        return;
    }
    flush(); // It may find the stream broken.
    if (phase_ == phase::talking) {
        become_leaving();
    }
}

void link::become_leaving() {
    phase_ = phase::leaving;
    goodbye_.expires_at(net::timer_point(net::monotonic_now() + how_.longest_goodbye));
    goodbye_.async_wait([self = shared_from_this()](const error_code& cancelled) {
        if (!cancelled) {
            self->become_over();
        }
    });
    pump_->finish();
}

void link::close() {
    owner_ = nullptr;
    become_over();
}

void link::become_over() {
    if (std::exchange(phase_, phase::over) == phase::over) {
        return;
    }
    goodbye_.cancel();
    if (dialler_) {
        dialler_->give_up();
    }
    if (pump_) {
        pump_->close();
    }
    if (owner_ != nullptr) {
        owner_->link_gone(how_.id);
    }
}

void link::bytes_arrived(std::size_t count) {
    const auto self = shared_from_this(); // Whoever is told may let go of it.
    owner_->link_alive(how_.id);
    const auto sense = ear_.received(count, [this](from_server&& message) {
        owner_->link_heard(how_.id, std::move(message));
        return true;
    });
    if (!sense) {
        owner_->link_broke_rules(how_.id, sense.error().message());
    }
    owner_->link_told_all();
}

void link::stream_ended(const error_code& why) {
    const auto self = shared_from_this();
    if (phase_ == phase::leaving) {
        become_over();
        return;
    }
    phase_ = phase::over;
    pump_->close();
    owner_->link_ended(how_.id, why == asio::error::eof ? std::error_code{} : std::error_code{why});
    owner_->link_told_all();
}

} // namespace almenara::client
