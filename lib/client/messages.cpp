#include "client/messages.hpp"

#include "wire/message_list.hpp"

namespace almenara::client {

void append_to(base::byte_vector& out, const to_server& message) {
    std::visit([&](const auto& what) { wire::append_message<wire::client_messages>(what, out); },
               message);
}

} // namespace almenara::client
