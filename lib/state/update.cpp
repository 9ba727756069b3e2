#include "state/update.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <cstddef>

namespace almenara::state {

void splice_into(base::byte_vector& value, std::uint64_t offset, base::byte_view bytes) {
    ALMENARA_CHECK(splice_fits(offset, bytes));
    const std::size_t end = offset + bytes.size();
    if (value.size() < end) {
        value.resize(end);
    }
    std::copy(bytes.begin(), bytes.end(), value.begin() + static_cast<std::ptrdiff_t>(offset));
}

} // namespace almenara::state
