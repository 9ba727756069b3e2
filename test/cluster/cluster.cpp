#include "cluster/cluster.hpp"

#include "cluster/good_client.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <utility>

namespace almenara::test {

namespace {

/// An election after a silence and a start on a busy machine, many times over.
constexpr std::chrono::seconds patience_with_elections{60};

/// The machine that a server has for itself.
machine machine_of(server_id which) {
    return machine{which.value()};
}

bool is_in_sync(const wire::status_reply& told, server_id which) {
    return std::any_of(told.servers.begin(), told.servers.end(), [&](const auto& server) {
        return server.id == which && server.state == wire::server_state::in_sync;
    });
}

} // namespace

std::vector<std::string> with(std::vector<std::string> words,
                              const std::string& option,
                              const std::string& value) {
    const auto found = std::find(words.begin(), words.end(), option);
    if (found == words.end()) {
        words.insert(words.end(), {option, value});
    } else {
        *(found + 1) = value;
    }
    return words;
}

void write_secret(const std::string& path, char digit) {
    write_file(path, std::string(64, digit) + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_read |
                                           std::filesystem::perms::owner_write);
}

cluster::cluster(cluster_settings settings)
    : arguments_(std::move(settings.arguments)),
      network_(settings.on),
      secret_file_(home_ / "secret") {
    write_secret(secret_file_, 'a');
    for (std::size_t number = 1; number <= settings.servers; ++number) {
        ids_.push_back(server_id{static_cast<std::uint16_t>(number)});
        place& own = places_[ids_.back()];
        if (network_ == nullptr) {
            own.port.emplace();
        }
    }
}

/// Who stands still is not asked to end.
cluster::~cluster() = default;

std::string cluster::address(server_id which) const {
    const auto& port = places_.at(which).port;
    return port ? fmt::format("127.0.0.1:{}", port->number())
                : fmt::format("{}:7400", network_->address(machine_of(which)));
}

std::vector<std::string> cluster::addresses() const {
    std::vector<std::string> all;
    for (const server_id id : ids_) {
        all.push_back(address(id));
    }
    return all;
}

std::string cluster::peers() const {
    std::vector<std::string> all;
    for (const server_id id : ids_) {
        all.push_back(fmt::format("{}={}", id, address(id)));
    }
    return fmt::format("{}", fmt::join(all, ","));
}

std::string cluster::data_dir(server_id which) const {
    return home_ / fmt::format("{}", which);
}

std::vector<std::string> cluster::arguments_of(server_id which) const {
    std::vector<std::string> all{"--id",          fmt::format("{}", which),
                                 "--listen",      address(which),
                                 "--peers",       peers(),
                                 "--secret-file", secret_file_,
                                 "--auth",        "trust",
                                 "--wal-segment", "4MiB"};
    all.insert(all.end(), arguments_.begin(), arguments_.end());
    return all;
}

void cluster::start(server_id which) {
    INFO("server " << fmt::format("{}", which));
    REQUIRE_FALSE(runs(which));
    server_options options{.arguments = arguments_of(which), .data_dir = data_dir(which)};
    if (network_ != nullptr) {
        options.network = network_->space(machine_of(which));
    }
    running_[which] = std::make_unique<server_process>(std::move(options));
    done_.starts += std::exchange(places_.at(which).has_started, true) ? 1U : 0U;
}

void cluster::start_all() {
    for (const server_id id : ids_) {
        start(id);
    }
}

server_process& cluster::at(server_id which) {
    return *running_.at(which);
}

std::vector<server_id> cluster::others_than(server_id which) const {
    std::vector<server_id> others;
    std::copy_if(ids_.begin(), ids_.end(), std::back_inserter(others),
                 [which](server_id id) { return id != which; });
    return others;
}

void cluster::kill(const std::vector<server_id>& victims) {
    for (const server_id id : victims) {
        at(id).child().send(SIGKILL);
    }
    for (const server_id id : victims) {
        REQUIRE(at(id).child().wait() == exit_status{.signal = SIGKILL});
        running_.erase(id);
        paused_.erase(id);
        ++done_.kills;
    }
}

void cluster::pause(server_id which) {
    at(which).freeze();
    paused_.insert(which);
    ++done_.pauses;
}

void cluster::resume(server_id which) {
    REQUIRE(at(which).child().is_stopped());
    at(which).thaw();
    paused_.erase(which);
}

exit_status cluster::stop(server_id which) {
    const exit_status ended = at(which).stop();
    running_.erase(which);
    ++done_.stops;
    return ended;
}

std::optional<wire::status_reply> cluster::status(server_id of) const {
    if (!runs(of) || paused_.contains(of)) {
        return std::nullopt;
    }
    good_client asks{address(of), "cluster of a test"};
    if (!asks.enter()) {
        return std::nullopt;
    }
    auto told = asks.status();
    return told ? std::optional{*std::move(told)} : std::nullopt;
}

std::optional<cluster::office> cluster::look_for_primary(epoch behind) const {
    for (const auto& [id, server] : running_) {
        const auto told = status(id);
        if (told && told->primary == id && told->epoch > behind) {
            return office{.primary = id, .epoch = told->epoch};
        }
    }
    return std::nullopt;
}

cluster::office cluster::wait_for_primary(epoch behind) const {
    std::optional<office> found;
    eventually([&] { return (found = look_for_primary(behind)).has_value(); },
               patience_with_elections, "somebody is primary");
    return *found;
}

cluster::office cluster::wait_until_in_sync() const {
    std::optional<office> found;
    const auto all_in_sync = [&] {
        found = look_for_primary();
        const auto told = found ? status(found->primary) : std::nullopt;
        return told && std::all_of(running_.begin(), running_.end(),
                                   [&](const auto& each) { return is_in_sync(*told, each.first); });
    };
    eventually(all_in_sync, patience_with_elections, "everybody who runs is in sync");
    return *found;
}

} // namespace almenara::test
