// words refuses this as test/unit/server/words_test.cpp
#include <chrono>
#include <thread>

TEST_CASE("the server is surely up after a while") {
    std::this_thread::sleep_for(std::chrono::seconds(2)); // refused
}
