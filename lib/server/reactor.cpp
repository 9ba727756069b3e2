#include "server/reactor.hpp"

#include "net/clock.hpp"

namespace almenara::server {

namespace {

/// A flood must not keep the flush from ever coming: beyond so many handlers the turn ends.
constexpr unsigned most_handlers_per_turn = 4096;

/// One thread runs this context; Asio then leaves out what only several would need.
constexpr int one_thread = 1;

} // namespace

reactor::reactor() : context_(one_thread) {}

instant reactor::now() {
    if (!turn_began_) {
        turn_began_ = net::monotonic_now();
    }
    return *turn_began_;
}

void reactor::run() {
    while (context_.run_one() > 0) {
        const instant began = now();
        for (unsigned handlers = 1; handlers < most_handlers_per_turn; ++handlers) {
            if (context_.poll_one() == 0) {
                break;
            }
        }
        if (flush_) {
            flush_();
        }
        const instant ended = net::monotonic_now();
        lag_.record(ended, ended - began);
        turn_began_.reset();
    }
}

} // namespace almenara::server
