#include "scripts/server.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace almenara::scripts {

namespace {

/// The entries that a damage leaves usable.
void forget_damaged(server& s) {
    if (!s.found_damaged) {
        return;
    }
    std::vector<replica::entry_ptr>& log = s.storage.cached.log;
    const auto usable = static_cast<std::size_t>(s.found_damaged->from.value()) - 1;
    log.resize(std::min(log.size(), usable));
    s.storage.process_starts();
}

} // namespace

replica::start_state start_state_of(server& s,
                                    const std::vector<server_id>& listed,
                                    replica::confirm_policy confirm) {
    s.storage.process_starts();
    forget_damaged(s);
    ++s.starts;
    replica::start_state state{
        .self = s.id,
        .uuid = s.uuid,
        .incarnation = s.incarnation(),
        .seed = s.id.value(),
        .addresses = {fmt::format("server-{}:7770", s.id)},
        .priority = s.priority,
        .listed = listed,
        .confirm = confirm,
        .meta = s.storage.cached.meta,
        .found_damaged = s.found_damaged,
        .unclean_boot = s.unclean,
        .applied = s.applied.empty() ? log_index{0} : s.applied.back()->index,
    };
    for (const replica::entry_ptr& each : s.storage.cached.log) {
        state.positions.push_back(point_of(*each));
        state.recent.push_back(each);
        if (each->type == replica::entry_type::config) {
            state.configs.push_back(each);
        }
    }
    s.found_damaged.reset();
    s.unclean = false;
    return state;
}

} // namespace almenara::scripts
