#pragma once

#include "base/bytes.hpp"
#include "client/errands.hpp"
#include "client/failure.hpp"
#include "wire/codes.hpp"

#include <boost/system/result.hpp>

#include <optional>
#include <ostream>
#include <string>

namespace almenara::client {

/// Why a request was not done, or why nobody can say whether it was.
/// It is copied out of a result, so everything it says is a copy too.
class operation_error {
  public:
    operation_error() = default; ///< boost::system::result asks for one
    /// `how` is not ok.
    operation_error(answer&& how, bool is_write);
    /// What came back is not what the request is answered by.
    [[nodiscard]] static operation_error of_nonsense();

    [[nodiscard]] wire::result_code code() const { return code_; }
    /// For people, without a full stop.
    [[nodiscard]] std::string why() const { return why_; }

    /// A write that may have happened, or happen yet: look before it is asked again.
    [[nodiscard]] bool is_uncertain() const { return code_ == wire::result_code::uncertain; }
    /// It did not happen, and the same may succeed later without anybody doing anything. Never true
    /// of what is uncertain.
    [[nodiscard]] bool is_retryable() const { return is_retryable_; }

    /// Of a request that no server took: what was in the way.
    [[nodiscard]] std::optional<failure> trouble() const { return trouble_; }
    /// What the service says of it, such as services::kv::conflict (services::message_in reads it).
    [[nodiscard]] base::byte_vector detail() const { return detail_; }

  private:
    wire::result_code code_ = wire::result_code::invalid;
    std::string why_;
    bool is_retryable_ = false;
    std::optional<failure> trouble_;
    base::byte_vector detail_;
};

std::ostream& operator<<(std::ostream& out, const operation_error& why);

/// Called by boost::system::result when value() is taken of an error: a programming error.
[[noreturn]] void throw_exception_from_error(const operation_error& why,
                                             const boost::source_location& where);

} // namespace almenara::client
