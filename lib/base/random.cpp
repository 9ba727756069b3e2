#include "base/random.hpp"

#include "base/check.hpp"

#include <bit>

namespace almenara::base {

namespace {

// splitmix64: spreads a small seed over the whole state, which must not be all zeros.
std::uint64_t spread(std::uint64_t& seed) {
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = seed;
    mixed = (mixed ^ mixed >> 30U) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ mixed >> 27U) * 0x94d049bb133111ebU;
    return mixed ^ mixed >> 31U;
}

} // namespace

generator::generator(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
        word = spread(seed);
    }
}

std::uint64_t generator::next() {
    const std::uint64_t value = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return value;
}

std::uint64_t generator::below(std::uint64_t bound) {
    ALMENARA_CHECK(bound > 0);
    // Numbers under 2^64 mod bound would make the small results likelier: draw again.
    const std::uint64_t uneven = (0 - bound) % bound;
    std::uint64_t drawn = next();
    while (drawn < uneven) {
        drawn = next();
    }
    return drawn % bound;
}

bool generator::chance(std::uint64_t numerator, std::uint64_t denominator) {
    return below(denominator) < numerator;
}

duration generator::between(duration shortest, duration longest) {
    ALMENARA_CHECK(shortest <= longest);
    const auto width = static_cast<std::uint64_t>((longest - shortest).count()) + 1;
    return shortest + duration{static_cast<std::int64_t>(below(width))};
}

} // namespace almenara::base
