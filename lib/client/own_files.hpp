#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

/// Files and directories of one user, which nobody else may read or change.
namespace almenara::client {

/// An open file with one owner. Its lock goes with it, and when the process ends in any way.
class open_file {
  public:
    open_file() = default;
    explicit open_file(int number) : number_(number) {}
    open_file(open_file&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    open_file& operator=(open_file&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~open_file();

    [[nodiscard]] int number() const { return number_; }
    [[nodiscard]] explicit operator bool() const { return number_ >= 0; }

    /// For this process alone, without waiting: false if another one has it.
    [[nodiscard]] bool lock() const;
    /// The file still has a name.
    [[nodiscard]] bool has_name() const;

  private:
    int number_ = -1;
};

/// Made if it is not there; the one it lies in must be there. Fails if it is not this user's alone.
[[nodiscard]] result<void> make_own_directory(const std::string& path);
/// The names in it, in order; none if there is no such directory.
[[nodiscard]] std::vector<std::string> names_in(const std::string& directory);

/// For its lock alone.
[[nodiscard]] open_file directory_to_lock(const std::string& path);

/// To read and write it; nothing if it is not there. Fails if it is not this user's alone.
[[nodiscard]] result<std::optional<open_file>> open_own_file(const std::string& path);
[[nodiscard]] result<std::string> read_all(const open_file& file,
                                           std::string_view path,
                                           std::size_t largest);
/// Both in one.
[[nodiscard]] result<std::optional<std::string>> read_own_file(const std::string& path,
                                                               std::size_t largest);

/// All of the bytes at that place, or a failure.
[[nodiscard]] result<void> write_at(const open_file& file,
                                    off_t place,
                                    std::string_view bytes,
                                    const std::string& path);

/// The file as a whole, or as it was. One process at a time. Nobody waits for the disk: when the
/// power is lost soon after, what is there may make no sense.
[[nodiscard]] result<void> replace_own_file(const std::string& path, std::string_view content);
/// For a file that must not be there yet: false if somebody was quicker. It is on the disk then.
[[nodiscard]] result<bool> make_own_file(const std::string& path, std::string_view content);

/// Keeps it for people as PATH.damaged, out of the way of programs.
[[nodiscard]] result<void> set_aside(const std::string& path);

} // namespace almenara::client
