#pragma once

#include "base/bytes.hpp"
#include "client/errands.hpp"
#include "shell/completion.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace almenara::cli {

/// The servers' keys that begin so, for Tab. A page of them ends behind so many bytes of values
/// too, so it takes several until it is known that a key is the only one.
class key_look_up {
  public:
    /// Style 11: who has more keys than that, or larger ones, types some more of the one they want.
    static constexpr std::size_t most_pages = 16;

    explicit key_look_up(completion_question asked) : asked_(std::move(asked)) {}

    /// For the next page.
    [[nodiscard]] base::byte_vector question() const;
    /// True: another question is to be asked.
    [[nodiscard]] bool take(const client::answer& how);
    [[nodiscard]] completion_offer offer() const { return offer_for(asked_); }

  private:
    completion_question asked_;
    std::optional<std::string> after_;
    std::size_t pages_ = 0;
};

} // namespace almenara::cli
