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

static void* counted_allocation(std::size_t size) noexcept {
    if (counting) {
        ++counted.count;
        counted.bytes += size;
        counted.largest = std::max(counted.largest, size);
    }
    return std::malloc(std::max<std::size_t>(size, 1));
}

} // namespace almenara::test::detail

// The array, sized and nothrow forms of the standard library end in these, but those of the
// sanitizers do not: all of them are replaced, so that each new meets its own delete.
using almenara::test::detail::counted_allocation;

void* operator new(std::size_t size) {
    if (void* const memory = counted_allocation(size)) {
        return memory;
    }
    throw std::bad_alloc{};
}

void* operator new[](std::size_t size) {
    return operator new(size);
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return counted_allocation(size);
}

void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return counted_allocation(size);
}

void operator delete(void* memory) noexcept {
    std::free(memory);
}

void operator delete[](void* memory) noexcept {
    std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}

void operator delete(void* memory, const std::nothrow_t&) noexcept {
    std::free(memory);
}

void operator delete[](void* memory, const std::nothrow_t&) noexcept {
    std::free(memory);
}
