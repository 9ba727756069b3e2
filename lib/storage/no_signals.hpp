#pragma once

#include <csignal>

#include <pthread.h>

namespace almenara::storage {

/// While it exists no signal reaches this thread. One that is started meanwhile never gets any:
/// signals are the reactor's.
class no_signals {
  public:
    no_signals() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~no_signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    no_signals(const no_signals&) = delete;
    no_signals& operator=(const no_signals&) = delete;

  private:
    sigset_t before_{};
};

} // namespace almenara::storage
