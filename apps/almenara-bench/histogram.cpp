#include "histogram.hpp"

#include <algorithm>
#include <bit>

namespace almenara::bench {

namespace {

// A bucket holds the numbers that share their highest seven bits.
constexpr unsigned exact_bits = 7;
constexpr std::uint64_t halves = std::uint64_t{1} << (exact_bits - 1);

std::size_t bucket_of(std::uint64_t number) {
    const auto width = static_cast<unsigned>(std::bit_width(number));
    if (width <= exact_bits) {
        return static_cast<std::size_t>(number);
    }
    const unsigned dropped = width - exact_bits;
    return static_cast<std::size_t>(dropped * halves + (number >> dropped));
}

/// The largest number in a bucket.
std::uint64_t end_of(std::size_t bucket) {
    if (bucket < 2 * halves) {
        return bucket;
    }
    const std::uint64_t dropped = bucket / halves - 1;
    const std::uint64_t top = bucket - dropped * halves;
    return ((top + 1) << dropped) - 1;
}

} // namespace

void histogram::add(duration length) {
    const duration measured = std::max(length, duration{0});
    const std::size_t bucket = bucket_of(static_cast<std::uint64_t>(measured.count()));
    if (bucket >= counts_.size()) {
        counts_.resize(bucket + 1);
    }
    ++counts_[bucket];
    ++count_;
    largest_ = std::max(largest_, measured);
}

duration histogram::at(std::uint64_t of_thousand) const {
    // Rounded up: of three, the one in the middle is the half.
    const std::uint64_t wanted = (count_ * of_thousand + 999) / 1000;
    std::uint64_t passed = 0;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
        passed += counts_[bucket];
        if (passed >= wanted && passed > 0) {
            const auto end = static_cast<duration::rep>(end_of(bucket));
            return std::min(duration{end}, largest_);
        }
    }
    return duration{0};
}

} // namespace almenara::bench
