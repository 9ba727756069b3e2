#include "client/operation_error.hpp"

#include <catch2/catch_all.hpp>

namespace almenara::client {

namespace {

using wire::result_code;

operation_error error_of(result_code code, bool is_write = true) {
    return operation_error{answer{code}, is_write};
}

operation_error untaken(failure_kind why) {
    answer how{result_code::cancelled, "no server took it within the time"};
    how.trouble = failure{why, "the reason"};
    return operation_error{std::move(how), true};
}

} // namespace

TEST_CASE("C.3: what may have happened is never called retryable, unless it only asks") {
    CHECK(error_of(result_code::uncertain).is_uncertain());
    CHECK_FALSE(error_of(result_code::uncertain).is_retryable());
    CHECK(error_of(result_code::uncertain, false).is_retryable());
}

TEST_CASE("an error is retryable when the same may succeed without anybody doing anything") {
    for (const result_code code : {result_code::busy, result_code::retry_elsewhere,
                                   result_code::session_expired, result_code::cancelled}) {
        CHECK(error_of(code).is_retryable());
    }
    for (const result_code code :
         {result_code::conflict, result_code::not_found, result_code::forbidden,
          result_code::unauthenticated, result_code::invalid, result_code::quota,
          result_code::too_large, result_code::no_space, result_code::stale,
          result_code::unsupported}) {
        CHECK_FALSE(error_of(code).is_retryable());
    }
}

TEST_CASE("an error of what no server took says what was in the way") {
    CHECK(untaken(failure_kind::no_primary).why() == "the reason");
    CHECK(untaken(failure_kind::no_primary).is_retryable());
    CHECK_FALSE(untaken(failure_kind::not_allowed).is_retryable());
    CHECK_FALSE(untaken(failure_kind::mismatch).is_retryable());
}

TEST_CASE("every error has a reason, and the server's own comes first") {
    for (int code = 1; code <= static_cast<int>(result_code::unsupported); ++code) {
        CHECK_FALSE(error_of(static_cast<result_code>(code)).why().empty());
    }
    const operation_error said{answer{result_code::busy, "forty wait already"}, true};
    CHECK(said.why() == "forty wait already");
    CHECK(operation_error::of_nonsense().why() == "the answer is not one to this request");
}

TEST_CASE("an error keeps what the service says of it") {
    answer how{result_code::conflict};
    how.body = {std::byte{1}, std::byte{2}};
    CHECK(operation_error{std::move(how), true}.detail() ==
          base::byte_vector{std::byte{1}, std::byte{2}});
}

} // namespace almenara::client
