#pragma once

#include "base/error.hpp"
#include "base/ids.hpp"
#include "storage/file.hpp"
#include "storage/records.hpp"

#include <optional>
#include <string>

namespace almenara::storage {

/// Who has a data directory, and what it was told of its cluster.
struct occupant {
    server_id server;
    std::optional<cluster_record> cluster;
};

/// The directory that belongs to one server, and to one process at a time. It is made on first use
/// and carries an identity from then on; a directory with other people's files is never touched.
class data_directory {
  public:
    /// `wanted` is the id the operator gave; a new directory without one belongs to server 1. The
    /// failure says what is wrong with which path and what to do.
    [[nodiscard]] static result<data_directory> open(const std::string& path,
                                                     std::optional<server_id> wanted);

    /// What open() would say about the identity, without making or locking anything.
    [[nodiscard]] static result<void> check(const std::string& path,
                                            std::optional<server_id> wanted);

    /// Whose directory it is, also without that; nothing if it would be made or taken. The failure
    /// is that of check().
    [[nodiscard]] static result<std::optional<occupant>> look(const std::string& path,
                                                              std::optional<server_id> wanted);

    /// Whether a path means one of the files that are the server's own in that directory.
    [[nodiscard]] static bool is_own_file(const std::string& directory, const std::string& file);

    [[nodiscard]] const std::string& path() const { return path_; }
    /// Where the log is. A directory that has it but no identity is not taken for a new one.
    [[nodiscard]] std::string log_path() const { return path_ + "/" + log_directory; }
    /// Where its server notes what it decided. Nothing is lost with it.
    [[nodiscard]] std::string journal_path() const { return path_ + "/" + journal_directory; }
    /// Where the state's database is.
    [[nodiscard]] std::string state_path() const { return path_ + "/" + state_directory; }
    [[nodiscard]] data_uuid uuid() const { return identity_.uuid; }
    [[nodiscard]] server_id server() const { return identity_.server; }
    [[nodiscard]] bool is_new() const { return is_new_; }

    /// Whether the log was made once. note_log() keeps that on the disk.
    [[nodiscard]] bool has_log() const { return identity_.has_log; }
    [[nodiscard]] result<void> note_log();

    /// What was said of the cluster; nothing if nothing was.
    [[nodiscard]] result<std::optional<cluster_record>> read_cluster() const;
    [[nodiscard]] result<void> write_cluster(const cluster_record& record) const;

  private:
    static constexpr const char* log_directory = "log";
    static constexpr const char* journal_directory = "journal";
    static constexpr const char* state_directory = "state";

    data_directory(std::string path, descriptor lock, identity_record identity, bool is_new);

    std::string path_;
    descriptor lock_; ///< the lock goes when the process does, however it ends
    identity_record identity_;
    bool is_new_;
};

} // namespace almenara::storage
