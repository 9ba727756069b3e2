#pragma once

#include "sim/coverage.hpp"
#include "sim/profile.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace almenara::sim {

/// What was asked for on the command line.
struct options {
    std::uint64_t seed = 1;
    std::uint64_t seeds = 1;
    std::uint64_t seconds = 60;
    std::size_t servers = 3;
    std::size_t clients = 4;
    std::uint64_t rate = 25;
    std::string profile = "default"; ///< "all": one after the other
    std::optional<std::string> mutate;
    std::vector<std::string> rules; ///< the same, one by one
    std::size_t jobs = 1;
    bool trace = false;
    bool json = false;
    bool expect_failure = false;
    bool expect_coverage = false;
    std::vector<sight> expect_sights; ///< must have been seen, whatever else was
    bool help = false;
};

/// Something in the command line cannot be; says what and what would do.
struct bad_options : std::runtime_error {
    using std::runtime_error::runtime_error;
};

[[nodiscard]] options parse_options(int count, const char* const* words);

[[nodiscard]] std::string help_text();

/// The profile of a seed: the one that was named, or with "all" one after the other.
[[nodiscard]] const profile& profile_of(const options& asked, std::uint64_t seed);

/// The line that runs this seed again.
[[nodiscard]] std::string replay_line(const options& asked, std::uint64_t seed);

} // namespace almenara::sim
