#pragma once

#include "base/check.hpp"
#include "state/codes.hpp"
#include "state/desk.hpp"
#include "state/inputs.hpp"
#include "state/needs.hpp"
#include "state/overlay.hpp"
#include "state/requests.hpp"

#include <utility>
#include <variant>

/// What the sources of the desk share; for nobody else.
namespace almenara::state {

/// The state as one request sees it, and what it missed there.
class desk::look {
  public:
    look(const overlay& all, overlay::part seen, const inputs& supplied)
        : base_(all.base(), supplied), view_(all, seen, base_) {}
    look(const look&) = delete;
    look& operator=(const look&) = delete;

    [[nodiscard]] const table_view& rows() const { return view_; }
    /// Whether what was read can be believed.
    [[nodiscard]] bool is_whole() const { return base_.missing().empty(); }
    [[nodiscard]] const needs& missing() const { return base_.missing(); }

  private:
    base_look base_;
    overlay::view view_;
};

[[nodiscard]] inline turned_away turn_away(result_code code) {
    return {.reply = {.code = code, .body = {}}};
}

/// For a base that has everything in memory.
template <class Kind, class... Kinds>
[[nodiscard]] Kind warm(std::variant<Kinds...>&& what) {
    ALMENARA_CHECK(std::holds_alternative<Kind>(what));
    return std::move(std::get<Kind>(what));
}

} // namespace almenara::state
