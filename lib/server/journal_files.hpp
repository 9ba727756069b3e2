#pragma once

#include "base/error.hpp"
#include "server/journal_bounds.hpp"
#include "storage/file.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace almenara::server {

/// A folder of numbered files of lines. The newest is written at its end; what a crash left of a
/// last line there is cut off at the start. Nothing is synced: a journal is a help and no promise.
class journal_files {
  public:
    [[nodiscard]] static result<journal_files> open(std::string directory,
                                                    const journal_bounds& bounds);

    /// Whole lines, or none of them: half a line of a full disk is taken back.
    [[nodiscard]] result<void> append(std::string_view lines);

    /// Bytes of an unfinished line that were cut off at the start.
    [[nodiscard]] std::uint64_t torn() const { return torn_; }

  private:
    journal_files(std::string directory, const journal_bounds& bounds)
        : directory_(std::move(directory)), bounds_(bounds) {}

    [[nodiscard]] std::string path_of(std::uint64_t number) const;
    [[nodiscard]] result<void> list();
    [[nodiscard]] result<void> open_newest();
    [[nodiscard]] result<void> cut_torn_line();
    [[nodiscard]] result<void> begin_next();

    std::string directory_;
    journal_bounds bounds_;
    std::deque<std::uint64_t> numbers_; ///< of the files that are there, ascending
    storage::descriptor newest_;
    std::uint64_t size_ = 0; ///< of the newest; up to here it holds whole lines
    std::uint64_t torn_ = 0;
};

} // namespace almenara::server
