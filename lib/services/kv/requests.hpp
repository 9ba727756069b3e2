#pragma once

#include "services/asked.hpp"
#include "services/kv/messages.hpp"

/// What the key-value service is asked, and by which message it answers when all is well.
namespace almenara::services::kv {

template <class Reply>
using writes = asked<kv_messages, Reply, effect::writes>;
template <class Reply>
using reads = asked<kv_messages, Reply, effect::reads>;

constexpr writes<written> how_asked(const put&) {
    return {};
}
constexpr writes<written> how_asked(const cas&) {
    return {};
}
constexpr writes<added> how_asked(const add&) {
    return {};
}
constexpr writes<written> how_asked(const remove&) {
    return {};
}
constexpr reads<value> how_asked(const get&) {
    return {};
}
constexpr reads<page> how_asked(const list&) {
    return {};
}

} // namespace almenara::services::kv
