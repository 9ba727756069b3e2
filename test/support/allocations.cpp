#include "support/allocations.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace almenara::test::detail {

namespace {

thread_local bool counting = false;
thread_local allocations counted;

} // namespace

void start_counting() {
    counted = {};
    counting = true;
}

allocations stop_counting() {
    counting = false;
    return counted;
}

static void* counted_allocation(std::size_t size) {
    if (counting) {
        ++counted.count;
        counted.bytes += size;
        counted.largest = std::max(counted.largest, size);
    }
    if (void* const memory = std::malloc(std::max<std::size_t>(size, 1))) {
        return memory;
    }
    throw std::bad_alloc{};
}

} // namespace almenara::test::detail

// The array, nothrow and sized forms of the standard library call these two.
void* operator new(std::size_t size) {
    return almenara::test::detail::counted_allocation(size);
}

void operator delete(void* memory) noexcept {
    std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
