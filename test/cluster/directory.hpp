#pragma once

#include "support/shell_script.hpp"
#include "support/temporary_directory.hpp"

#include <fmt/format.h>

#include <string>

namespace almenara::test {

/// S21: a hosts file with one name, which the script of --on-primary-change writes.
class directory {
  public:
    directory() { write_file(hosts(), "# nobody rules\n"); }

    static constexpr const char* name = "primary.almenara.test";

    [[nodiscard]] std::string hosts() const { return place_ / "hosts"; }
    [[nodiscard]] static std::string address() { return fmt::format("{}:7400", name); }
    [[nodiscard]] std::string script() const { return keeper_.path(); }
    [[nodiscard]] std::string says() const { return content_of(hosts()); }
    [[nodiscard]] bool names_somebody() const { return says().find(name) != std::string::npos; }

  private:
    temporary_directory place_;
    /// In place: a client sees this file as its own, and not another one of the same name.
    shell_script keeper_{fmt::format("[ $ALMENARA_IS_ME = 1 ] || exit 0\n"
                                     "echo \"${{ALMENARA_PRIMARY_ADDRESS%:*}} {}\" >'{}'\n",
                                     name,
                                     hosts())};
};

} // namespace almenara::test
