#include "support/instead_of.hpp"

#include <sched.h>
#include <sys/mount.h>

namespace almenara::test {

bool show(const shown_instead& files) {
    if (files.empty()) {
        return true;
    }
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        return false;
    }
    for (const auto& [hidden, shown] : files) {
        if (::mount(shown.c_str(), hidden.c_str(), nullptr, MS_BIND, nullptr) != 0) {
            return false;
        }
    }
    return true;
}

} // namespace almenara::test
