#include "support/check/kv_words.hpp"

#include "services/body.hpp"
#include "services/kv/messages.hpp"

#include <string>
#include <utility>

namespace almenara::test::check {

namespace {

namespace kv = services::kv;

template <class Message>
base::byte_vector encoded(const Message& message) {
    return services::body_of<kv::kv_messages>(message);
}

template <class Message>
Message read(base::byte_view body) {
    return services::message_in<kv::kv_messages, Message>(body).value_or(Message{});
}

base::byte_vector bytes_of(const std::string& text) {
    const auto bytes = base::as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

reply done(verb what, log_index index, base::byte_view body) {
    reply told{.code = outcome::done, .index = index};
    if (what == verb::get) {
        const auto found = read<kv::value>(body);
        told.version = found.version;
        told.value = base::as_text(found.bytes);
    } else if (what == verb::add) {
        const auto sum = read<kv::added>(body);
        told.version = sum.version;
        told.value = std::to_string(sum.value);
    } else {
        told.version = read<kv::written>(body).version;
    }
    return told;
}

} // namespace

base::byte_vector body_of(const request& what) {
    switch (what.what) {
    case verb::put:
        return encoded(kv::put{.key = what.key, .value = bytes_of(what.value)});
    case verb::cas:
        return encoded(kv::cas{
            .key = what.key, .expected_version = what.expected, .value = bytes_of(what.value)});
    case verb::add:
        return encoded(kv::add{.key = what.key, .delta = what.delta});
    case verb::remove:
        return encoded(kv::remove{.key = what.key});
    case verb::get:
        break;
    }
    return encoded(kv::get{.key = what.key});
}

reply reply_of(const request& what, wire::result_code code, log_index index, base::byte_view body) {
    switch (code) {
    case wire::result_code::ok:
        return done(what.what, index, body);
    case wire::result_code::conflict:
        return {
            .code = outcome::conflict, .index = index, .version = read<kv::conflict>(body).version};
    case wire::result_code::not_found:
        return {.code = outcome::not_found, .index = index};
    default:
        return {.code = outcome::refused, .index = index};
    }
}

} // namespace almenara::test::check
