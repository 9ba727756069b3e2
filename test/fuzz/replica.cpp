// Three cores that speak to each other, and bytes that say when a frame arrives, a disk is done, a
// process dies, or somebody says what nobody should: the invariants of B.14 hold, nothing asserts,
// and what a core keeps is bounded. Only where members lie, which no protocol of this kind
// forgives, a server may end instead.
#include "fuzz/replica/oracles.hpp"
#include "fuzz/replica/play.hpp"
#include "fuzz/target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace almenara;
    if (size == 0) {
        return -1;
    }
    try {
        fuzz::play_input(fuzz::input(data, size));
    } catch (const fuzz::violation& what) {
        base::invariant_broken(what.what(), __FILE__, __LINE__);
    }
    return 0;
}
