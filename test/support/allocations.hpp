#pragma once

#include <cstddef>
#include <utility>

/// Counts what operator new gives out. allocations.cpp replaces operator new for the whole program,
/// so it is linked only into programs that ask.
namespace almenara::test {

struct allocations {
    std::size_t count = 0;
    std::size_t bytes = 0;
    std::size_t largest = 0;
};

namespace detail {

void start_counting();
[[nodiscard]] allocations stop_counting();

} // namespace detail

/// What `work` allocated. For one thread, and not nested.
template <class Work>
[[nodiscard]] allocations allocations_of(Work&& work) {
    detail::start_counting();
    std::forward<Work>(work)();
    return detail::stop_counting();
}

} // namespace almenara::test
