#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "services/body.hpp"
#include "services/kv/messages.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

/// What is asked of the key-value service, as the body of an operation or a question.
namespace almenara::services::kv::body {

namespace service = services::kv;

[[nodiscard]] inline base::byte_vector put(std::string key, base::byte_vector value) {
    return services::body_of<service::kv_messages>(
        service::put{.key = std::move(key), .value = std::move(value)});
}

struct swap {
    base::byte_vector expected;
    base::byte_vector value;
};
[[nodiscard]] inline base::byte_vector cas(std::string key, swap values) {
    return services::body_of<service::kv_messages>(
        service::cas{.key = std::move(key),
                     .expected_value = std::move(values.expected),
                     .value = std::move(values.value)});
}

/// If the key has that version; 0: if it is not there.
[[nodiscard]] inline base::byte_vector cas_version(std::string key,
                                                   log_index expected,
                                                   base::byte_vector value) {
    return services::body_of<service::kv_messages>(service::cas{
        .key = std::move(key), .expected_version = expected, .value = std::move(value)});
}

[[nodiscard]] inline base::byte_vector add(std::string key, std::int64_t delta) {
    return services::body_of<service::kv_messages>(
        service::add{.key = std::move(key), .delta = delta});
}

[[nodiscard]] inline base::byte_vector remove(std::string key) {
    return services::body_of<service::kv_messages>(service::remove{.key = std::move(key)});
}

[[nodiscard]] inline base::byte_vector get(std::string key) {
    return services::body_of<service::kv_messages>(service::get{.key = std::move(key)});
}

[[nodiscard]] inline base::byte_vector list(service::list page) {
    return services::body_of<service::kv_messages>(std::move(page));
}

/// What an answer holds, if it is that.
template <class Message>
[[nodiscard]] std::optional<Message> in(base::byte_view body) {
    return services::message_in<service::kv_messages, Message>(body);
}

} // namespace almenara::services::kv::body
