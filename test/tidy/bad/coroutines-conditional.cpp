// coroutines refuses this as lib/net/conditional.cpp
#include "task.hpp"

#include <memory>
#include <string>

task<> send(std::string text);
task<> send_same(const std::string& text);
task<std::string> receive();
int size_of(const std::string& text, int more);
task<int> count();

task<> of_class_type(bool loud, std::string name) {
    co_await send(loud ? std::string("HELLO") : name);                        // refused
    co_await send_same(loud ? name : std::string("hello"));                   // refused
    co_await send_same(loud ? name + "!" : name + ".");                       // refused
    int size = size_of(loud ? std::string("HELLO") : name, co_await count()); // refused
    (void)size;
}

task<> around_what_is_awaited(bool wait) {
    std::string text = wait ? co_await receive() : std::string{};      // refused
    std::string more = wait ? text : co_await receive();               // refused
    auto* made = wait ? new std::string(co_await receive()) : nullptr; // refused
    delete made;
}
