#pragma once

#include "cluster/raw_client.hpp"
#include "support/temporary_directory.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>

namespace almenara::test {

/// What a service told its manager at a time: STATUS=... and the like.
using notification = std::map<std::string, std::string>;

/// Plays systemd: the socket that services of Type=notify write to.
class notify_socket {
  public:
    notify_socket();

    [[nodiscard]] const std::string& path() const { return path_; }

    /// The next notification; nothing if none comes within the time.
    [[nodiscard]] std::optional<notification> next(std::chrono::milliseconds within);

    /// Passes over what comes until one has this; the test fails if none does.
    notification wait_for(const std::string& name, const std::string& value);

    /// Whether it has no room for another notification.
    [[nodiscard]] bool is_full() const;

    /// Forgets what has come and was not read.
    void forget();

  private:
    temporary_directory home_;
    std::string path_;
    handle socket_;
};

} // namespace almenara::test
