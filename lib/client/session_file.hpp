#pragma once

#include "base/error.hpp"
#include "client/own_files.hpp"
#include "client/session_record.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace almenara::client {

/// The file of a session that this process has for itself: C.1, no two processes may count its
/// numbers. Nothing is synced: what a killed process has written is there, and what a power loss
/// takes is found out (docs/decisions/022). Since the machine was started only a process that was
/// killed while it wrote can have left half a record, and what is not whole was not sent: that is
/// cut off.
class session_file {
  public:
    /// So much is written behind what has ended, before that is cut off.
    static constexpr std::uint64_t enough_to_cut = std::uint64_t{64} << 10U;

    /// Nothing if another process has it, or if it is not there any more.
    [[nodiscard]] static result<std::optional<session_file>> take(const std::string& path);
    /// A new one, taken.
    [[nodiscard]] static result<session_file> make(const std::string& path,
                                                   const session_header& what);

    /// As it was when it was taken.
    [[nodiscard]] const session_content& content() const { return content_; }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::uint64_t size() const { return end_; }
    [[nodiscard]] bool has_open() const { return !open_.empty(); }

    /// All of them, or none and why.
    [[nodiscard]] result<void> write_down(const std::vector<kept_operation>& what);
    /// It is not sent again by anybody.
    [[nodiscard]] result<void> note_end(sequence which);
    /// Numbers below are used from now on.
    [[nodiscard]] result<void> use_numbers(sequence upto);
    /// Back to the header, if nothing is open.
    void cut();
    /// There is no such session any more.
    void remove();
    [[nodiscard]] result<void> set_aside();

  private:
    session_file(std::string path, open_file file, session_content content);
    [[nodiscard]] result<void> write_header();

    std::string path_;
    open_file file_;
    session_content content_;
    std::map<sequence, std::uint64_t> open_; ///< and where they stand
    sequence next_;
    std::uint64_t end_ = 0;
    bool broken_ = false; ///< what stands behind the end may be half a record
};

} // namespace almenara::client
