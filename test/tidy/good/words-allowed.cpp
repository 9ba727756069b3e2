// words accepts this as lib/server/allowed.cpp
// Never detached, never io_context::stop(), no sleep_for: a comment may name what is not done.
#include <exception>
#include <string>

const std::string help = "std::rand() and sleep(1) in a string are only text";
const std::string framework = "build/work, work/, TODOS";

void stop_what_may_stop(listener& listener, spinner& spinner, int operand) {
    listener.stop();
    listener.detach();
    spinner.sleep(operand);
    brand(operand);
}

void pass_on() {
    try {
        risky();
    } catch (...) {
        log_error("doing something risky", std::current_exception());
    }
    try {
        risky();
    } catch (...) {
        throw;
    }
}
