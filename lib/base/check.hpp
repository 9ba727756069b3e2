#pragma once

#include <string_view>

namespace almenara::base {

/// Prints what was broken and where, then aborts.
[[noreturn]] void invariant_broken(std::string_view condition, std::string_view file, int line);

} // namespace almenara::base

/// Style 9: a broken invariant ends the process, in release builds too. A wrong answer that was
/// confirmed cannot be taken back; a restart can.
#define ALMENARA_CHECK(condition)                                                                  \
    do {                                                                                           \
        if (!(condition)) [[unlikely]] {                                                           \
            ::almenara::base::invariant_broken(#condition, __FILE__, __LINE__);                    \
        }                                                                                          \
    } while (false)
