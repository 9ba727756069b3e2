// coroutines refuses this as lib/net/lambda.cpp
#include "task.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>

template <class Function>
task<> call(Function function) {
    function();
    co_return;
}
task<> call_any(std::function<void()> function);
template <class Function>
int measure(Function function, int more) {
    return static_cast<int>(function()) + more;
}
task<int> count();
task<std::string> receive();

task<> captures_by_value(std::string name) {
    co_await call([name] { return name.size(); });                    // refused
    co_await call([=] { return name.size(); });                       // refused
    co_await call([copy = name] { return copy.size(); });             // refused
    co_await call([own = std::make_unique<int>(1)] { return *own; }); // refused
    co_await call_any([name] { (void)name; });                        // refused
    co_await call_any(std::function<void()>([name] { (void)name; })); // refused
    measure([name] { return name.size(); }, co_await count());        // refused
}

task<> is_a_coroutine_itself(std::string name) {
    co_await [name]() -> task<> { co_return; }();     // refused
    co_await call([name]() -> task<> { co_return; }); // refused
}

task<> captures_what_is_awaited() {
    auto later = [name = co_await receive()] { return name.size(); }; // refused
    later();
}
