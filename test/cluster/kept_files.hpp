#pragma once

#include "client/session_record.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace almenara::test {

/// One person's `almenara` and what it keeps, which a test can look into.
class kept_files {
  public:
    /// What it keeps is of this user.
    explicit kept_files(std::vector<std::string> words, std::string user = "anna");

    [[nodiscard]] program with(const std::vector<std::string>& words) const;
    [[nodiscard]] finished says(const std::vector<std::string>& words) const {
        return run(with(words));
    }

    /// Where the sessions of all clusters are.
    [[nodiscard]] std::vector<std::string> sessions() const;
    /// The first of `sessions`, if it holds more than its header.
    [[nodiscard]] static bool holds_records(const std::vector<std::string>& sessions);
    /// Records that are in the files: open ones, and all.
    struct counted {
        std::size_t open = 0;
        std::size_t all = 0;
    };
    [[nodiscard]] counted records() const;

    [[nodiscard]] const std::string& path() const { return state_; }

  private:
    temporary_directory home_;
    std::string state_ = home_ / "state";
    std::vector<std::string> words_;
};

} // namespace almenara::test
