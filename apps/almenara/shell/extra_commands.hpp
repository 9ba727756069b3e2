#pragma once

#include "console.hpp"
#include "exit_code.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almenara::cli {

/// What a shell can be told besides the commands of the table: whoever opens it brings it along.
class extra_commands {
  public:
    struct entry {
        std::string_view name;  ///< its first word
        std::string_view words; ///< what stands behind it, for the help: `SERVER`
        std::string_view summary;
    };

    virtual ~extra_commands() = default;

    [[nodiscard]] virtual std::span<const entry> list() const = 0;

    /// What may stand behind these words, of which the first is one of the names. Asked on the
    /// reactor while somebody types; nothing may take long.
    [[nodiscard]] virtual std::vector<std::string> complete(
        std::span<const std::string> words) const = 0;

    /// Runs it and tells its failures, as a command of the table does.
    [[nodiscard]] virtual boost::asio::awaitable<exit_code> run(std::vector<std::string> words,
                                                                console& out,
                                                                bool json) = 0;

    /// Ctrl-C: what runs comes to its end soon.
    virtual void interrupt() = 0;

    /// Takes a line to where it does not stand in what somebody types.
    using voice = std::function<void(const std::string& line)>;

    /// The shell that is open lends its voice, and takes it back (an empty one) when it ends.
    void set_voice(voice lent) { voice_ = std::move(lent); }

    /// What happens meanwhile is told if a shell is open.
    void say(const std::string& line) const {
        if (voice_) {
            voice_(line);
        }
    }

  private:
    voice voice_;
};

} // namespace almenara::cli
