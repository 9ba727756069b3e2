#pragma once

#include "base/strong.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almenara::test {

/// One of the machines on a network of a test, from 1.
using machine = base::strong<struct machine_tag, unsigned>;

/// What does not get through.
enum class traffic : std::uint8_t { all, udp, tcp };

/// Machines that see each other over a wire of their own and nothing else: network namespaces on a
/// bridge, which drops what a test says. Their addresses count as loopback ones (127.77.0.N), so
/// servers and clients without TLS may use them (F). They have no names in the system: they are
/// gone with the last process that is in them or in this test, however it ends.
///
/// As long as it exists the thread that made it is on the network too, as one more machine that
/// sees everybody, whatever is cut.
class network {
  public:
    explicit network(unsigned machines);
    ~network();
    network(const network&) = delete;
    network& operator=(const network&) = delete;

    /// Whether there can be none here. It says why ("skipped: ..."), and the test is over then.
    [[nodiscard]] static bool is_impossible();

    [[nodiscard]] std::string address(machine which) const; ///< without a port
    /// A descriptor, for `program` and `load_habits`.
    [[nodiscard]] int space(machine which) const;

    /// From each to each, in this direction and from one moment on. What is on its way already may
    /// arrive.
    void drop(const std::vector<machine>& from,
              const std::vector<machine>& to,
              traffic what = traffic::all);
    /// The same in both directions.
    void cut(const std::vector<machine>& some,
             const std::vector<machine>& others,
             traffic what = traffic::all);
    /// Nothing is dropped any more.
    void heal();

    /// How many packets were dropped since the last heal(): a fault that meets nothing is none.
    [[nodiscard]] std::uint64_t dropped() const;
    /// How many TCP connections one of them has begun to the other, answered or not.
    [[nodiscard]] std::uint64_t dialled(machine from, machine to) const;

  private:
    class space_of_its_own;

    void plug_in(unsigned number);
    void lay_the_switch(unsigned machines);
    [[nodiscard]] std::uint64_t count_of(const std::string& counter) const;
    void forbid(const std::vector<std::pair<machine, machine>>& ways, traffic what);
    [[nodiscard]] static std::optional<std::string> obstacle();
    [[nodiscard]] std::string configure(const space_of_its_own& where,
                                        std::string_view tool,
                                        const std::string& commands) const;

    temporary_directory notes_;
    std::unique_ptr<space_of_its_own> before_; ///< where the test came from
    std::unique_ptr<space_of_its_own> switch_;
    std::vector<std::unique_ptr<space_of_its_own>> spaces_; ///< the test's own first
};

/// Takes the calling thread there, and what it starts from then on.
void enter_space(int descriptor);

} // namespace almenara::test
