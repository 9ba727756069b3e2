// coroutines refuses this as lib/net/aggregate.cpp
#include "task.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

struct message {
    std::string from;
    std::string text{};
};
struct envelope {
    message inner;
    int copies = 1;
};

task<> send(message what);
task<> send_same(const message& what);
task<> send_shared(std::shared_ptr<message> what);
task<> send_owned(std::unique_ptr<message> what);
task<> send_optional(std::optional<message> what);
task<> send_at(int priority, message what, int copies);
task<> send_envelope(envelope what);
task<> send_both(std::array<std::string, 2> what);
task<> send_name(std::string name);
task<std::string> receive();
task<int> count();
int size_of(const message& what, int more);

task<> in_braces(std::string name) {
    co_await send(message{.from = name});              // refused
    co_await send(message{name});                      // refused
    co_await send({name});                             // refused
    co_await send({.from = name});                     // refused
    co_await send_same(message{.from = name});         // refused
    co_await send_same({.from = name});                // refused
    co_await send_at(1, {name}, 2);                    // refused
    co_await send_envelope({.inner = {.from = name}}); // refused
    co_await send_both({name, name});                  // refused
    co_await send(message{});                          // refused
    co_await send({});                                 // refused
}

task<> in_parentheses(std::string name) {
    co_await send(message(name, name));      // refused
    co_await send_same(message(name, name)); // refused
}

task<> nested_in_calls(std::string name) {
    co_await send_shared(std::make_shared<message>(message{.from = name})); // refused
    co_await send_owned(std::unique_ptr<message>(new message{name}));       // refused
    co_await send_owned(std::unique_ptr<message>(new message(name, name))); // refused
    co_await send_optional(message{.from = name});                          // refused
    co_await send_optional({{name}});                                       // refused
    co_await send(std::move(message{name}));                                // refused
    co_await send_name(message{name}.from);                                 // refused
}

std::string make_name();
task<> send_owned_name(std::unique_ptr<std::string> name);

// No aggregate, but the same mistake: the object is made in the place that new has found for it.
task<> new_of_what_a_call_returns() {
    co_await send_owned_name(std::unique_ptr<std::string>(new std::string(make_name()))); // refused
    auto* name = new std::string(co_await receive());                                     // refused
    delete name;
}

task<> made_of_what_is_awaited() {
    message received{.from = co_await receive()};                                  // refused
    received = {co_await receive()};                                               // refused
    auto owned = std::unique_ptr<message>(new message{co_await receive()});        // refused
    for (const auto& name : std::array<std::string, 2>{"a", co_await receive()}) { // refused
        received.text += name;
    }
}

task<int> elsewhere_in_the_expression(std::string name) {
    int size = size_of(message{name}, co_await count()); // refused
    size += co_await count() + size_of({name}, 1);       // refused
    if (size_of({name}, co_await count()) > 1) {         // refused
        ++size;
    }
    co_return co_await count() + size_of({name}, 1); // refused
}

// In `co_await greet()` nobody sees the aggregate.
task<> greet(message what = {.from = "me"}); // refused
