#pragma once

#include <cstddef>
#include <cstdint>

namespace almenara::server {

/// Raises the number of descriptors this process may open to what it is allowed to raise it to, and
/// says how many that are.
[[nodiscard]] std::size_t raise_descriptor_limit();

/// Bytes that this process could still use: of the machine, or of its control group if that allows
/// less. All there is, if the system does not say.
[[nodiscard]] std::uint64_t available_memory();

} // namespace almenara::server
