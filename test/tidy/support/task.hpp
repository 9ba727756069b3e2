#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

/// The smallest coroutine type, so that samples need not parse all of Asio: like its awaitable it
/// is a class with a destructor, and so is what co_await makes of it.
template <class T = void>
class task {
  public:
    struct promise_type;

    explicit task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    task(task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    ~task() {
        if (frame_) {
            frame_.destroy();
        }
    }

    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting);
    T await_resume();

  private:
    std::coroutine_handle<promise_type> frame_;
};

struct task_promise_base {
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void unhandled_exception() { std::terminate(); }
};

template <class T>
struct task<T>::promise_type : task_promise_base {
    task get_return_object();
    void return_value(T value);
};

template <>
struct task<void>::promise_type : task_promise_base {
    task get_return_object();
    void return_void() {}
};
