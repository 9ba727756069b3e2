#include "server/random_pool.hpp"

#include "base/check.hpp"

#include <algorithm>

#include <sys/random.h>

namespace almenara::server {

state::random_bytes random_pool::take() {
    state::random_bytes some{};
    if (bytes_.size() - used_ < some.size()) {
        // So few are given whole or not at all.
        const auto got = ::getrandom(bytes_.data(), bytes_.size(), 0);
        ALMENARA_CHECK(got > 0 && static_cast<std::size_t>(got) == bytes_.size());
        used_ = 0;
    }
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(used_), some.size(), some.begin());
    // Who reads this memory later learns nothing of what was given away.
    std::fill_n(bytes_.begin() + static_cast<std::ptrdiff_t>(used_), some.size(), std::byte{0});
    used_ += some.size();
    return some;
}

} // namespace almenara::server
