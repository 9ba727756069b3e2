#pragma once

#include "support/process.hpp"
#include "support/sanitized.hpp"
#include "support/temporary_directory.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::test {

/// How a server of a test differs from the plain one: plaintext, on a free port, with a new data
/// directory.
struct server_options {
    std::vector<std::string> arguments{};
    std::map<std::string, std::string> environment{};
    std::optional<std::string> data_dir{}; ///< it stays; else one that goes with the server
    std::optional<std::size_t> descriptors{};
    std::optional<uid_t> user{};
    std::optional<int> network{}; ///< see test/support/process.hpp
    bool stderr_is_terminal = false;
};

/// How much more memory that may take.
inline constexpr std::size_t memory_factor = is_sanitized ? 16 : 1;

/// `almenarad` with these words after the options of the plain server; for starts that fail.
[[nodiscard]] program almenarad(const std::string& data_dir,
                                const std::vector<std::string>& arguments);

/// A running almenarad. When the test fails while it exists, its log is printed.
class server_process {
  public:
    /// Returns when it has printed its start line.
    explicit server_process(server_options options = {});
    ~server_process();
    server_process(const server_process&) = delete;
    server_process& operator=(const server_process&) = delete;

    [[nodiscard]] const std::string& start_line() const { return start_line_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] const std::string& address() const { return address_; } ///< HOST:PORT
    [[nodiscard]] const std::string& data_dir() const { return data_dir_; }
    [[nodiscard]] std::string admin_socket() const { return data_dir_ + "/admin.sock"; }

    [[nodiscard]] process& child() { return child_; }
    [[nodiscard]] const std::string& log() { return child_.errors(); }
    [[nodiscard]] std::size_t times_logged(std::string_view text);
    /// Waits until the log says it so many times.
    void wait_for_log(std::string_view text, std::size_t times = 1);

    /// SIGTERM, and how it ended.
    exit_status stop();

    /// Stops it as the kernel does (SIGSTOP) and returns when it stands still.
    void freeze();
    void thaw();

    [[nodiscard]] std::size_t open_descriptors() const;
    [[nodiscard]] std::size_t memory_kib() const; ///< resident

  private:
    std::optional<temporary_directory> own_directory_;
    std::string data_dir_;
    process child_;
    std::string start_line_;
    std::string address_;
    std::uint16_t port_ = 0;
    int exceptions_;
};

} // namespace almenara::test
