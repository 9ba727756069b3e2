#pragma once

#include "base/ids.hpp"
#include "cluster/network.hpp"
#include "cluster/reserved_port.hpp"
#include "cluster/server_process.hpp"
#include "support/temporary_directory.hpp"
#include "wire/client_messages.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::test {

/// How a cluster of a test differs from the plain one.
struct cluster_settings {
    std::size_t servers = 3;
    std::vector<std::string> arguments{}; ///< for each of them
    const network* on = nullptr;          ///< server N on its machine N; else all on this one
};

/// What the kernel confirmed of the faults that a test asked for.
struct faults_done {
    unsigned kills = 0;
    unsigned pauses = 0;
    unsigned stops = 0;
    unsigned starts = 0; ///< the first ones not counted
};

/// Servers 1 to N on ports, or machines, and in directories of their own, which are theirs as long
/// as this exists, whether they run or not. A fault that does not happen fails the test.
class cluster {
  public:
    explicit cluster(cluster_settings settings = {});
    ~cluster();
    cluster(const cluster&) = delete;
    cluster& operator=(const cluster&) = delete;

    [[nodiscard]] const std::vector<server_id>& ids() const { return ids_; }
    [[nodiscard]] std::string address(server_id which) const; ///< HOST:PORT
    [[nodiscard]] std::vector<std::string> addresses() const;
    [[nodiscard]] std::string peers() const; ///< as --peers takes them
    [[nodiscard]] const std::string& secret_file() const { return secret_file_; }
    [[nodiscard]] std::string data_dir(server_id which) const;

    /// Its words, for a start that must fail or differ.
    [[nodiscard]] std::vector<std::string> arguments_of(server_id which) const;

    /// Returns when the server listens.
    void start(server_id which);
    void start_all();
    [[nodiscard]] server_process& at(server_id which);
    [[nodiscard]] bool runs(server_id which) const { return running_.contains(which); }
    [[nodiscard]] std::vector<server_id> others_than(server_id which) const;

    /// SIGKILL; returns when they are gone. Several are signalled before the first is waited for.
    void kill(const std::vector<server_id>& victims);
    /// SIGSTOP and SIGCONT; returns when it stands still.
    void pause(server_id which);
    void resume(server_id which);
    /// SIGTERM, and how it ended.
    exit_status stop(server_id which);

    /// What a server that runs and is not paused answers.
    [[nodiscard]] std::optional<wire::status_reply> status(server_id of) const;

    /// The server that says of itself that it is primary, in an epoch above `behind`.
    struct office {
        server_id primary;
        almenara::epoch epoch;
    };
    [[nodiscard]] std::optional<office> look_for_primary(epoch behind = epoch{}) const;
    office wait_for_primary(epoch behind = epoch{}) const;
    /// Somebody is primary and says so of everybody who runs: in sync.
    office wait_until_in_sync() const;

    [[nodiscard]] const faults_done& done() const { return done_; }

  private:
    struct place {
        std::optional<reserved_port> port; ///< where they share a machine
        bool has_started = false;
    };

    temporary_directory home_;
    std::vector<std::string> arguments_;
    const network* network_;
    std::string secret_file_;
    std::vector<server_id> ids_;
    std::map<server_id, place> places_;
    std::map<server_id, std::unique_ptr<server_process>> running_;
    std::set<server_id> paused_;
    faults_done done_;
};

/// The words with another value for this option.
[[nodiscard]] std::vector<std::string> with(std::vector<std::string> words,
                                            const std::string& option,
                                            const std::string& value);

/// 64 hex digits in a file that only its owner reads.
void write_secret(const std::string& path, char digit);

} // namespace almenara::test
