#include "net/spawn.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace almenara::net {

void spawn(const boost::asio::any_io_executor& executor,
           std::string name,
           boost::asio::awaitable<void> task) {
    const auto finished = [name = std::move(name)](std::exception_ptr failure) {
        if (!failure) {
            return;
        }
        try {
            std::rethrow_exception(std::move(failure));
        } catch (const std::exception& exception) {
            std::throw_with_nested(task_failed{name + ": " + exception.what()});
        }
    };
    boost::asio::co_spawn(executor, std::move(task), finished);
}

} // namespace almenara::net
