#include "server/start_up.hpp"

#include "base/check.hpp"
#include "storage/space_watch.hpp"

#include <fmt/format.h>

#include <utility>

#include <sys/random.h>

namespace almenara::server {

namespace {

result<storage::opened_log> open_log(storage::data_directory& directory,
                                     const cluster_options& wanted,
                                     const state::applied_row& applied) {
    const auto boot = storage::this_boot();
    if (!boot) {
        return boot.error();
    }
    auto opened =
        storage::open_log(directory,
                          {.settings = {.segment_size = wanted.segment_size},
                           .seed = random_number(),
                           .boot = *boot,
                           .missing = directory.has_log() ? storage::missing_log::is_refused
                                                          : storage::missing_log::is_made,
                           .make = {}},
                          storage::row_for_log(applied));
    if (!opened) {
        return opened;
    }
    // Before anything is promised: from here on a log that is not there was lost.
    if (!directory.has_log()) {
        if (auto noted = directory.note_log(); !noted) {
            return noted.error();
        }
    }
    return opened;
}

/// What the log is not, beside what it holds.
void tell_of(const storage::opened_log& log, std::vector<std::string>& warnings) {
    warnings.insert(warnings.end(), log.warnings.begin(), log.warnings.end());
    if (log.verdict == storage::core::scan_verdict::torn) {
        warnings.emplace_back("the end of the log was torn, and nobody was told of what stood "
                              "there: it is cut");
    }
    if (log.found.found_damaged) {
        warnings.push_back(fmt::format("the log cannot be read from entry {} on: the other servers "
                                       "repair it",
                                       log.found.found_damaged->from));
    }
    if (log.found.log_given_up) {
        warnings.emplace_back("the log ends before the state does: it begins anew behind it");
    }
}

/// What was told once counts, though this start may say nothing of it.
result<void> keep_founding(replica::start_state& start,
                           const storage::cluster_record& cluster,
                           const cluster_options& wanted) {
    const auto confirm = confirm_in(cluster.options);
    if (!confirm) {
        return while_doing("the cluster options that are kept", confirm.error());
    }
    for (const wire::member_address& one : cluster.servers) {
        start.listed.push_back(one.id);
    }
    start.confirm = *confirm;
    start.options = cluster.options;
    start.secret = cluster.secret;
    start.waits_for_go = wanted.waits_for_go;
    return {};
}

} // namespace

std::uint64_t random_number() {
    std::uint64_t number = 0;
    ALMENARA_CHECK(::getrandom(&number, sizeof(number), 0) == ssize_t{sizeof(number)});
    return number;
}

result<start_up> start(storage::data_directory& directory,
                       const cluster_options& wanted,
                       const std::string& address) {
    const auto before = directory.read_cluster();
    if (!before) {
        return before.error();
    }
    start_up begun;
    // Once before anything is made, for what cannot be in any case.
    founder who{.self = directory.server(), .address = address, .has_begun = false};
    if (const auto agreed = agree(*before, wanted, who, begun.warnings); !agreed) {
        return agreed.error();
    }
    if (auto room = storage::room_to_start({.directory = directory.path()}); !room) {
        return room.error();
    }
    auto state = storage::state_db::open(directory.state_path());
    if (!state) {
        return while_doing("opening the state", state.error());
    }
    begun.state = std::move(*state);
    auto opened = open_log(directory, wanted, begun.state->applied());
    if (!opened) {
        return while_doing("opening the log", opened.error());
    }
    begun.warnings.clear();
    who.has_begun = opened->meta.cluster.has_value();
    auto agreed = agree(*before, wanted, who, begun.warnings);
    if (!agreed) {
        return agreed.error();
    }
    begun.cluster = std::move(*agreed);
    if (*before != begun.cluster) {
        if (auto written = directory.write_cluster(begun.cluster); !written) {
            return written.error();
        }
    }
    tell_of(*opened, begun.warnings);
    begun.log = std::move(opened->parts);
    begun.directory = directory.path();
    replica::start_state& start = begun.core;
    start.self = directory.server();
    start.uuid = directory.uuid();
    start.incarnation = replica::incarnation{random_number()};
    start.seed = random_number();
    start.addresses = {address};
    start.priority = wanted.priority;
    if (const auto kept = keep_founding(start, begun.cluster, wanted); !kept) {
        return kept.error();
    }
    std::move(*opened).give_to(start);
    return begun;
}

} // namespace almenara::server
