#pragma once

#include "base/error.hpp"
#include "base/ids.hpp"
#include "client/failover.hpp"
#include "client/known_cluster.hpp"
#include "client/recollection.hpp"
#include "client/session_file.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::client {

/// The directory of a user, as it stands among others: letters, digits and a few signs are
/// themselves, everything else is written as %2f.
[[nodiscard]] std::string directory_name(std::string_view user);

/// Makes the directory for the state, and those above it. The failure says why it cannot be used.
[[nodiscard]] result<void> make_state_directory(const std::string& directory);

/// C.1, C.3: the files that a client keeps for its next run, and what is done to them. They are
/// small, so this happens on the client's thread.
///
///     DIRECTORY/clusters/<id>/cluster                  who the servers are
///     DIRECTORY/clusters/<id>/users/<name>/device      the nonce by which the device is known
///     DIRECTORY/clusters/<id>/users/<name>/sessions/   a file for each session, locked by whoever
///                                                      uses it
class keeper {
  public:
    /// Beyond that a client closes its session when it leaves.
    static constexpr std::size_t most_sessions = 64;
    /// Beyond that the one whose use is longest ago is forgotten, unless it waits for an answer.
    static constexpr std::size_t most_clusters = 32;
    /// What has ended is not cut off while anything is open: so much is written before something
    /// new has to wait for that.
    static constexpr std::uint64_t largest_file = std::uint64_t{8} << 20U;

    keeper(std::string directory, std::string user);

    /// The cluster that was reached by one of these the last time.
    [[nodiscard]] std::optional<known_cluster> hint(const std::vector<std::string>& servers);
    [[nodiscard]] recollection enter(cluster_id cluster);

    /// Does what the core has ordered, in its order, and answers.
    void execute(std::vector<keep_order>& orders, failover& core);
    /// What could not be done at its time is done at the end.
    void leave();

    /// Another session that nobody uses.
    [[nodiscard]] std::optional<kept_session> another_session();
    /// Whether there are so many files that this one should not stay.
    [[nodiscard]] bool has_too_many() const { return has_too_many_; }
    /// Everything of the user goes, but for what other processes use: so many files.
    [[nodiscard]] result<std::size_t> forget_user();

    /// What people should know: what was damaged, and what is lost with it. Told once.
    [[nodiscard]] std::vector<std::string> take_notes();

  private:
    [[nodiscard]] std::string clusters_path() const { return directory_ + "/clusters"; }
    [[nodiscard]] std::string cluster_path() const;
    [[nodiscard]] std::string user_path() const;
    [[nodiscard]] std::string sessions_path() const { return user_path() + "/sessions"; }
    [[nodiscard]] std::string session_path(session_id session) const;

    [[nodiscard]] result<void> make_directories();
    [[nodiscard]] result<std::optional<known_cluster>> read_cluster(const std::string& directory);
    [[nodiscard]] std::vector<known_cluster> read_clusters();
    void note_use();
    void forget_old_clusters();
    [[nodiscard]] result<device_nonce> read_device();
    [[nodiscard]] std::optional<kept_session> take_session(std::vector<kept_operation>& lost);
    [[nodiscard]] std::optional<session_file> take_file(const std::string& name,
                                                        std::vector<kept_operation>& lost);
    void write_cluster();

    void act(keep_cluster& order, failover& core);
    void act(keep_session& order, failover& core);
    void act(keep_operation& order, failover& core);
    void act(keep_numbers& order, failover& core);
    void act(forget_operation& order, failover& core);
    void act(forget_session& order, failover& core);
    void write_down(failover& core);

    void note(std::string text);

    std::string directory_;
    std::string user_;
    std::optional<cluster_id> cluster_;
    known_cluster known_;
    bool must_write_cluster_ = false;
    std::optional<session_file> session_;
    std::deque<kept_operation> waiting_; ///< to be written down
    bool has_too_many_ = false;
    std::vector<std::string> notes_;
    std::set<std::string> noted_; ///< all of them: nothing is told twice
};

} // namespace almenara::client
