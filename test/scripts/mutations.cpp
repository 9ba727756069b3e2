#include "scripts/mutations.hpp"

#include "replica/rules.hpp"
#include "scripts/words.hpp"
#include "state/rules.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace almenara::scripts {

namespace {

using replica::rule;

constexpr std::array replica_rules{
    std::pair{std::string_view{"promise_synced"}, rule::promise_synced},
    std::pair{std::string_view{"promise_repeat_synced"}, rule::promise_repeat_synced},
    std::pair{std::string_view{"own_sync_before_office"}, rule::own_sync_before_office},
    std::pair{std::string_view{"answer_log_test"}, rule::answer_log_test},
    std::pair{std::string_view{"promise_log_test"}, rule::promise_log_test},
    std::pair{std::string_view{"commit_own_epoch"}, rule::commit_own_epoch},
    std::pair{std::string_view{"ack_after_sync"}, rule::ack_after_sync},
    std::pair{std::string_view{"link_session_isolation"}, rule::link_session_isolation},
    std::pair{std::string_view{"epoch_start"}, rule::epoch_start},
    std::pair{std::string_view{"no_truncation_below_commit"}, rule::no_truncation_below_commit},
    std::pair{std::string_view{"pull_generation"}, rule::pull_generation},
    std::pair{std::string_view{"bulk_epoch"}, rule::bulk_epoch},
    std::pair{std::string_view{"damaged_record"}, rule::damaged_record},
    std::pair{std::string_view{"damaged_until_caught_up"}, rule::damaged_until_caught_up},
    std::pair{std::string_view{"defer_limit"}, rule::defer_limit},
    std::pair{std::string_view{"able_to_run"}, rule::able_to_run},
    std::pair{std::string_view{"promise_wait_doubles"}, rule::promise_wait_doubles},
    std::pair{std::string_view{"late_promise_counts"}, rule::late_promise_counts},
    std::pair{std::string_view{"refuse_taken_back"}, rule::refuse_taken_back},
    std::pair{std::string_view{"primary_frames_only"}, rule::primary_frames_only},
    std::pair{std::string_view{"reconnect_announced"}, rule::reconnect_announced},
    std::pair{std::string_view{"permit_before_persist"}, rule::permit_before_persist},
    std::pair{std::string_view{"permit_current"}, rule::permit_current},
    std::pair{std::string_view{"corrupt_never_truncates"}, rule::corrupt_never_truncates},
    std::pair{std::string_view{"corrupt_blames_primary"}, rule::corrupt_blames_primary},
    std::pair{std::string_view{"sync_set_lag"}, rule::sync_set_lag},
    std::pair{std::string_view{"sync_set_full_at_start"}, rule::sync_set_full_at_start},
    std::pair{std::string_view{"confirmed_is_not_committed"}, rule::confirmed_is_not_committed},
    std::pair{std::string_view{"client_epoch_probe"}, rule::client_epoch_probe},
    std::pair{std::string_view{"commit_verified_match"}, rule::commit_verified_match},
    std::pair{std::string_view{"init_deterministic"}, rule::init_deterministic},
};

constexpr std::array state_rules{
    std::pair{std::string_view{"dedup_row_in_update"}, state::rule::dedup_row_in_update},
    std::pair{std::string_view{"overlay_dropped_after_office"},
              state::rule::overlay_dropped_after_office},
    std::pair{std::string_view{"refusal_is_entry"}, state::rule::refusal_is_entry},
    std::pair{std::string_view{"attachment_newest_only"}, state::rule::attachment_newest_only},
};

} // namespace

void break_rule(std::string_view name) {
    for (const auto& [known, which] : replica_rules) {
        if (known == name) {
            replica::break_rule(which);
            return;
        }
    }
    for (const auto& [known, which] : state_rules) {
        if (known == name) {
            state::break_rule(which);
            return;
        }
    }
    throw script_error{fmt::format("'{}' is no rule", name)};
}

std::vector<std::string> all_rules() {
    std::vector<std::string> names;
    for (const auto& [name, which] : replica_rules) {
        names.emplace_back(name);
    }
    for (const auto& [name, which] : state_rules) {
        names.emplace_back(name);
    }
    return names;
}

} // namespace almenara::scripts
