#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <initializer_list>
#include <memory>

namespace almenara::net {

/// Tells of signals, on the reactor, as long as it is there. Asio's set alone hands a signal to its
/// handler even when the set is gone by then, because it had come before.
class signal_watch {
  public:
    using on_signal = std::function<void(int number)>;

    /// `tell` may do anything with this watch, destroy it too.
    signal_watch(const boost::asio::any_io_executor& executor,
                 std::initializer_list<int> numbers,
                 on_signal tell);
    ~signal_watch();
    signal_watch(const signal_watch&) = delete;
    signal_watch& operator=(const signal_watch&) = delete;

    /// Nothing is told any more, and the reactor need not wait for it. The signals do nothing.
    void stop();
    /// The same, and the signals have their usual effect again.
    void let_go();

  private:
    struct hearing;
    static void wait(const std::shared_ptr<hearing>& self);

    std::shared_ptr<hearing> hearing_;
};

} // namespace almenara::net
