#pragma once

#include "base/bytes.hpp"
#include "base/check.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

/// What libFuzzer and replay.cpp call. Returns 0, or -1 for an input that says nothing. What must
/// hold for every input is checked with ALMENARA_CHECK.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace almenara::fuzz {

[[nodiscard]] inline base::byte_view input(const std::uint8_t* data, std::size_t size) {
    return std::as_bytes(std::span{data, size});
}

} // namespace almenara::fuzz
