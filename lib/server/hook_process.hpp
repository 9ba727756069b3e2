#pragma once

#include "base/error.hpp"
#include "server/hook_schedule.hpp"
#include "storage/file.hpp"

#include <optional>
#include <string>

#include <sys/types.h>

namespace almenara::server {

/// How a process ended. Neither is known if somebody else has asked the system before.
struct process_end {
    std::optional<int> code{};   ///< of exit()
    std::optional<int> signal{}; ///< that ended it
};

/// A script that runs, in a process group of its own: who tells it to end tells its children too.
class hook_process {
  public:
    /// What the script is told of the change stands in its environment. It has /dev/null to read,
    /// one pipe for all that it writes, no other descriptor of ours, and no signal blocked or
    /// ignored.
    [[nodiscard]] static result<hook_process> start(const std::string& script,
                                                    const primary_change& what);

    /// Becomes readable when it has ended.
    [[nodiscard]] int watch() const { return watch_.number(); }
    /// What it writes; a read does not wait.
    [[nodiscard]] int output() const { return output_.number(); }

    /// To all of its group; not after end().
    void signal(int number) const;

    /// Until it has been asked how, its group is still its own.
    [[nodiscard]] bool has_ended() const;
    /// How it ended, once it has. It is over then, and its number may be somebody else's.
    [[nodiscard]] process_end end();

  private:
    hook_process() = default;

    pid_t id_ = -1;
    storage::descriptor watch_;
    storage::descriptor output_;
};

} // namespace almenara::server
