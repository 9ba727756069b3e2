#pragma once

#include "base/time.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// What looks at all servers, disks and clients of a simulated cluster at once and knows what must
/// hold (B.14).
namespace almenara::sim::check {

/// Something that must never be. `invariant` is its name in B.14.
struct violation {
    std::string invariant;
    std::string evidence;
    instant at;
};

/// Where all checkers report. Only the first counts: what comes behind it is mostly its result.
class findings {
  public:
    /// The world's time of whatever is checked next.
    void now(instant time) { now_ = time; }
    [[nodiscard]] instant now() const { return now_; }

    template <class... Values>
    void report(std::string_view invariant,
                fmt::format_string<Values...> text,
                Values&&... values) {
        if (!first_) {
            first_ = violation{.invariant = std::string{invariant},
                               .evidence = fmt::format(text, std::forward<Values>(values)...),
                               .at = now_};
        }
    }

    [[nodiscard]] bool clean() const { return !first_; }
    [[nodiscard]] const std::optional<violation>& first() const { return first_; }

  private:
    instant now_;
    std::optional<violation> first_;
};

} // namespace almenara::sim::check
