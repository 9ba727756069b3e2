#include "sim/final_state.hpp"

#include "base/check.hpp"
#include "services/kv/messages.hpp"
#include "wire/codec.hpp"

#include <limits>
#include <string_view>

namespace almenara::sim {

check::key_values key_values_of(const state::table_view& rows) {
    constexpr std::string_view prefix = "kv/";
    check::key_values found;
    for (const state::row& row : rows.scan(state::prefix_range(prefix),
                                           {.rows = std::numeric_limits<std::size_t>::max()})) {
        const auto held = wire::decode<services::kv::kv_row>(row.value);
        ALMENARA_CHECK(held.has_value());
        found.emplace(row.key.substr(prefix.size()),
                      check::value_row{.value = std::string{base::as_text(held->value)},
                                       .version = held->version});
    }
    return found;
}

} // namespace almenara::sim
