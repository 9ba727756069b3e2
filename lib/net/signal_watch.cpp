#include "net/signal_watch.hpp"

#include <boost/asio/signal_set.hpp>
#include <boost/system/error_code.hpp>

#include <utility>

namespace almenara::net {

struct signal_watch::hearing {
    hearing(const boost::asio::any_io_executor& executor, on_signal to)
        : signals(executor), tell(std::move(to)) {}

    boost::asio::signal_set signals;
    on_signal tell;
    bool is_over = false;
};

signal_watch::signal_watch(const boost::asio::any_io_executor& executor,
                           std::initializer_list<int> numbers,
                           on_signal tell)
    : hearing_(std::make_shared<hearing>(executor, std::move(tell))) {
    for (const int number : numbers) {
        hearing_->signals.add(number);
    }
    wait(hearing_);
}

signal_watch::~signal_watch() {
    let_go();
}

void signal_watch::stop() {
    hearing_->is_over = true;
    hearing_->signals.cancel();
}

void signal_watch::let_go() {
    stop();
    boost::system::error_code ignored; // It cannot fail for signals that were added.
    hearing_->signals.clear(ignored);
}

void signal_watch::wait(const std::shared_ptr<hearing>& self) {
    self->signals.async_wait([self](const boost::system::error_code& failure, int number) {
        if (failure || self->is_over) {
            return;
        }
        self->tell(number);
        if (!self->is_over) {
            wait(self);
        }
    });
}

} // namespace almenara::net
