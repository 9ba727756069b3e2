#pragma once

#include "base/hlc.hpp"
#include "base/time.hpp"
#include "log/log.hpp"
#include "replica/core.hpp"
#include "replica/gate.hpp"
#include "server/journal.hpp"
#include "server/log_budget.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace almenara::server {

/// What the core did and why, to people in the log and to programs in the journal.
class story {
  public:
    explicit story(std::unique_ptr<journal> into) : journal_(std::move(into)) {}

    /// The server, at this moment.
    struct teller {
        hlc_stamp at;
        instant now;
        const replica::core_status& status;
    };

    void tell(const teller& by, const replica::note& what);
    /// What happened to the process, for the journal alone.
    void tell(const teller& by, std::string_view event);

    /// Style 11: of what others can cause, so many records of a kind stand in the log and in the
    /// journal in a second.
    static constexpr std::uint32_t told_in_a_second = 10;
    /// When it is to be said how many there were more.
    [[nodiscard]] std::optional<instant> left_out_due() const;
    void tell_left_out(const teller& by);

  private:
    [[nodiscard]] bool may_tell(replica::note_kind kind, instant now);
    void write(const teller& by,
               log::level severity,
               std::string_view event,
               std::string_view text);

    std::unique_ptr<journal> journal_;
    std::set<std::string> refusals_; ///< that were told
    std::map<replica::note_kind, log_budget> others_doing_;
};

} // namespace almenara::server
