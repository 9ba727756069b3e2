#pragma once

#include "base/hlc.hpp"
#include "log/log.hpp"
#include "replica/core.hpp"
#include "replica/gate.hpp"
#include "server/journal.hpp"

#include <memory>
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
        const replica::core_status& status;
    };

    void tell(const teller& by, const replica::note& what);
    /// What happened to the process, for the journal alone.
    void tell(const teller& by, std::string_view event);

  private:
    void write(const teller& by,
               log::level severity,
               std::string_view event,
               std::string_view text);

    std::unique_ptr<journal> journal_;
    std::set<std::string> refusals_; ///< that were told
};

} // namespace almenara::server
