#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace almenara::cli {

inline constexpr std::size_t most_servers = 7;

/// Where a demo has its servers' files. A directory that it made itself goes away with it.
class demo_place {
  public:
    /// Nothing: a temporary one.
    [[nodiscard]] static result<demo_place> open(const std::optional<std::string>& directory,
                                                 bool keep);
    demo_place(demo_place&& other) noexcept;
    demo_place& operator=(demo_place&&) = delete;
    ~demo_place();

    [[nodiscard]] const std::string& directory() const { return directory_; }
    [[nodiscard]] bool is_kept() const { return is_kept_; }

  private:
    demo_place(std::string directory, bool keep)
        : directory_(std::move(directory)), is_kept_(keep) {}

    std::string directory_;
    bool is_kept_;
};

/// How many servers a demo has had in that directory; 0 if it was none's.
[[nodiscard]] std::size_t servers_in(const std::string& directory);

/// The end of a file, of what stands there behind the first so many bytes.
[[nodiscard]] std::string end_of(const std::string& file, std::uintmax_t behind);

/// How big it is; 0 if it is not there.
[[nodiscard]] std::uintmax_t size_of(const std::string& file);

/// Whether nothing more can be written there.
[[nodiscard]] bool is_full(const std::string& directory);

/// Why a program has ended, as its last line says, without the full stop; to be shown to people.
[[nodiscard]] std::string last_line(std::string_view said);

/// The `almenarad` that lies beside this program, or the one that PATH finds.
[[nodiscard]] std::string server_program();

/// So many ports of 127.0.0.1 behind one another on which nobody listens, `wanted` being the first
/// if it can. Somebody may take one of them meanwhile: the server says so then.
[[nodiscard]] std::optional<std::uint16_t> free_ports(std::uint16_t wanted,
                                                      std::size_t count,
                                                      bool only_there);

} // namespace almenara::cli
