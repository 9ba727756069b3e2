#pragma once

#include "state/outcome.hpp"

namespace almenara::services::kv {

/// A map from keys to values for scripts: each write is atomic and confirmed, its log index is the
/// key's version. Rows stand under "kv/".
class service final : public state::service {
  public:
    [[nodiscard]] state::outcome execute(const state::context& about,
                                         state::transaction& rows,
                                         base::byte_view body) const override;

    [[nodiscard]] bool accepts(const state::change& what) const override;

    [[nodiscard]] state::outcome query(const state::table_view& rows,
                                       base::byte_view body) const override;
};

} // namespace almenara::services::kv
