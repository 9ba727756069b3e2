#pragma once

#include "base/error.hpp"
#include "log/log.hpp"
#include "server/daemon.hpp"
#include "storage/data_directory.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::almenarad {

/// One thing that can be set, in every place where it can be set: `--max-clients`, the key
/// `max-clients` in a file, ALMENARA_MAX_CLIENTS. Help, parsing and suggestions come from this.
struct setting_kind {
    std::string_view key;
    std::string_view short_option; ///< empty: none
    std::string_view value_name;   ///< empty: a switch
    std::string_view fallback;     ///< empty: none
    std::string_view help;
    bool reloadable = false;
};

[[nodiscard]] std::span<const setting_kind> setting_kinds();

/// A value and where it came from: "command line", "environment", "almenarad.conf:3", "default".
struct setting {
    std::string value;
    std::string origin;
};

/// What the command line asks for beside settings.
struct command_line {
    bool help = false;
    bool version = false;
    bool check_config = false;
    bool print_config = false;
    std::optional<std::string> make_secret; ///< a file
    std::optional<std::string> config_file;
    std::map<std::string, setting, std::less<>> settings;
};

[[nodiscard]] result<command_line> parse_command_line(std::span<const char* const> arguments);

/// All settings, each from the first place that has it: command line, environment, file, default.
class settings {
  public:
    /// `environment` finds a variable, as std::getenv does.
    using environment = const char* (*)(const char* name);

    [[nodiscard]] static result<settings> gather(const command_line& given, environment find);

    [[nodiscard]] const setting* find(std::string_view key) const;

    /// A configuration file that says the same, with where each setting comes from:
    /// `# from the default`, and below it `max-clients = auto`.
    [[nodiscard]] std::string to_text() const;

  private:
    std::map<std::string, setting, std::less<>> values_;
};

/// The settings understood. The failure names the setting and where it came from.
struct configuration {
    server::daemon_options daemon;
    log::options log;
};
[[nodiscard]] result<configuration> understand(const settings& all);

/// Whether this machine has the places that the settings name: addresses are looked up, which may
/// take seconds, and paths that must differ do.
[[nodiscard]] result<void> check_places(const settings& all, const configuration& understood);

/// Whether what is said of the cluster fits whoever has the data directory; nobody: a new server.
/// What the list says of that server counts from then on. Nothing is made or taken before.
[[nodiscard]] result<void> fit_cluster(const settings& all,
                                       const std::optional<storage::occupant>& found,
                                       configuration& understood);

[[nodiscard]] std::string help_text();

} // namespace almenara::almenarad
