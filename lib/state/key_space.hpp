#pragma once

#include "state/rows.hpp"
#include "state/table_view.hpp"
#include "state/update.hpp"

#include <span>

namespace almenara::state {

/// Where the applied part of the state is kept (B.4, `base`).
class key_space : public table_view {
  public:
    /// Changes and the row that says how far they go become visible together, or not at all.
    virtual void apply(const applied_row& upto, std::span<const change> changes) = 0;

    [[nodiscard]] virtual const applied_row& applied() const = 0;

  protected:
    key_space() = default;
    key_space(const key_space&) = default;
    key_space& operator=(const key_space&) = default;
};

} // namespace almenara::state
