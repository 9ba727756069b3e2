#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"

#include <optional>
#include <string>
#include <utility>

namespace almenara::storage {

/// A file descriptor with one owner.
class descriptor {
  public:
    descriptor() = default;
    explicit descriptor(int number) : number_(number) {}
    descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~descriptor();

    [[nodiscard]] int number() const { return number_; }
    [[nodiscard]] explicit operator bool() const { return number_ >= 0; }

  private:
    int number_ = -1;
};

/// All of a file that is at most `largest` bytes long; nothing if there is no such file.
[[nodiscard]] result<std::optional<base::byte_vector>> read_file(const std::string& path,
                                                                 std::size_t largest);

/// Replaces the file as a whole, or not at all, whatever happens in between: written beside it,
/// synced, renamed, and the directory synced (E.1).
[[nodiscard]] result<void> replace_file(const std::string& directory,
                                        const std::string& name,
                                        base::byte_view content);

} // namespace almenara::storage
