#pragma once

#include "support/temporary_directory.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace almenara::test {

/// A script that may be executed, in a directory of its own that goes with the test.
class shell_script {
  public:
    explicit shell_script(std::string_view text) {
        write_file(path(), "#!/bin/sh\n" + std::string{text});
        std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
    }
    [[nodiscard]] std::string path() const { return place_ / "script"; }
    [[nodiscard]] const temporary_directory& place() const { return place_; }

  private:
    temporary_directory place_;
};

} // namespace almenara::test
