#include "server/turn_timer.hpp"

namespace almenara::server {

bool turn_timer::is_to_be_set(instant next, instant now) {
    if (next == set_for_ || next == instant::max()) {
        return false;
    }
    if (next > set_for_) {
        if (moved_at_ && now - *moved_at_ < between_moves) {
            return false;
        }
        moved_at_ = now;
    }
    set_for_ = next;
    return true;
}

} // namespace almenara::server
