#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace almenara::base {

void invariant_broken(std::string_view condition, std::string_view file, int line) {
    std::fprintf(stderr, "almenara: invariant broken: %.*s (%.*s:%d)\n",
                 static_cast<int>(condition.size()), condition.data(),
                 static_cast<int>(file.size()), file.data(), line);
    std::abort();
}

} // namespace almenara::base
