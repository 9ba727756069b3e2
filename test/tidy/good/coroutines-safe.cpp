// coroutines accepts this as lib/net/safe.cpp
#include "task.hpp"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

struct message {
    std::string from;
    std::string text{};
};
struct point {
    int x = 0;
    int y = 0;
};
class title {
  public:
    title(std::string text, int level = 0) : text_(std::move(text)), level_(level) {}

  private:
    std::string text_;
    int level_;
};
struct piece {
    const void* data = nullptr;
    std::size_t size = 0;
};

task<> send(message what);
task<> send_point(point where);
task<> send_title(title what);
task<> send_text(std::string text);
task<> send_pieces(std::array<piece, 2> pieces);
task<> send_pair(std::pair<std::string, int> pair);
task<> send_owned(std::unique_ptr<std::string> text);
task<> send_numbers(std::vector<int> numbers);
task<message> receive();
task<std::string> receive_text();
task<int> count();
template <class Function>
task<> call(Function function) {
    function();
    co_return;
}
template <class Function>
void spawn(Function function) {
    function();
}

message make_message(std::string from) {
    return message{.from = std::move(from)};
}

task<> temporaries_with_constructors(std::string name) {
    co_await send_title(title{name});
    co_await send_title(title(name, 2));
    co_await send_title({name, 1});
    co_await send_text("literal");
    co_await send_text(std::string("a") + name);
    co_await send_text(std::string{"a"});
    co_await send_pair({name, 1});
    co_await send_owned(std::make_unique<std::string>(name));
    co_await send_owned(std::unique_ptr<std::string>(new std::string(name)));
    co_await send(make_message(name));
}

task<> trivial_aggregates() {
    co_await send_point({1, 2});
    co_await send_point(point{.x = 1});
    co_await send_pieces({{{nullptr, 1}, {nullptr, 2}}});
}

task<> named_before(std::string name, bool loud) {
    message what{.from = name};
    co_await send(std::move(what));
    auto later = send(message{.from = name});
    co_await std::move(later);
    auto work = [name] { return name.size(); };
    co_await call(std::move(work));
    std::string text = loud ? name : std::string("hello");
    co_await send_text(std::move(text));
    std::vector<int> numbers{1, 2, 3};
    co_await send_numbers(std::move(numbers));
}

task<> captures_that_need_no_destructor(std::string name) {
    const int level = 3;
    co_await call([&name] { return name.size(); });
    co_await call([level] { return level; });
    co_await call([] { return 1; });
}

task<> conditionals_of_numbers(int level) {
    int size = level > 2 ? 1 : 2;
    size += co_await count() > 1 ? 3 : 4;
    co_await send_text(level > size ? "much" : "little");
}

task<> what_is_awaited_is_named(std::string name) {
    message got = co_await receive();
    const auto& [from, text] = got;
    if (auto other = co_await receive(); !other.from.empty()) {
        name += from + text;
    }
    for (char letter : co_await receive_text()) {
        name += letter;
    }
    co_await send_text(co_await receive_text());
}

task<message> without_await_in_the_statement(std::string name) {
    std::vector<std::function<void()>> later;
    later.push_back([name] { (void)name; });
    std::optional<message> maybe;
    maybe = message{.from = name};
    spawn([name]() -> task<> { co_await send_text(name); });
    const auto use = [&]() -> task<> { co_await send_text(name); };
    spawn([&] { return use(); });
    co_return message{.from = name};
}

std::vector<std::string> no_coroutine_at_all() {
    return {"a", "b"};
}
