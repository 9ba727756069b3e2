#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "client/ways.hpp"
#include "workload.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace almenara::bench {

struct settings {
    std::vector<std::string> servers;
    bool plaintext = false;
    std::string user = "bench";
    workload_kind kind = workload_kind::write;
    std::size_t clients = 64;
    std::size_t size = 128;
    std::uint64_t seconds = 10;
    std::size_t pipeline = 1;
    std::optional<std::uint64_t> rate{}; ///< of all clients together, per second
    std::size_t keys = 1000;
    bool filled = false;                         ///< what is to be read is there already
    duration timeout = std::chrono::seconds{30}; ///< of each operation
    client::ways follow = client::all_ways;
    bool json = false;
    std::string history; ///< a file; empty: none
    bool help = false;
    bool version = false;
};

[[nodiscard]] result<settings> parse_settings(std::span<const std::string> arguments);

[[nodiscard]] std::string help_text();

} // namespace almenara::bench
