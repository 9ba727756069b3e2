// words refuses this as lib/server/words.cpp
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp> // refused
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdlib>
#include <thread>

#include <unistd.h>

void fire_and_forget(boost::asio::io_context& loop) {
    boost::asio::co_spawn(loop, work(), boost::asio::detached); // refused
    std::thread([] {}).detach();                                // refused
}

void guess_a_time() {
    std::this_thread::sleep_for(std::chrono::seconds(1)); // refused
    ::usleep(100);                                        // refused
    ::sleep(1);                                           // refused
}

int throw_a_die() {
    std::srand(1);                 // refused
    return std::rand() + ::rand(); // refused
}

void stop_at_once(boost::asio::io_context& loop, session* owner) {
    loop.stop();                                // refused
    owner->io_context().stop();                 // refused
    auto stop = &boost::asio::io_context::stop; // refused
}

bool hide_an_exception() {
    try {
        return risky();
    } catch (...) { // refused
        return false;
    }
}
