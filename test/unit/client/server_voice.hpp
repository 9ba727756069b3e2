#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "wire/client_messages.hpp"
#include "wire/frame.hpp"

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <variant>
#include <vector>

/// The server's side of a conversation for tests: makes its bytes and understands the client's.
namespace almenara::test {

/// Any message that travels between a client and a server.
using client_message = boost::mp11::mp_rename<
    boost::mp11::mp_transform<wire::detail::message_of_entry, wire::client_messages>,
    std::variant>;

template <class Message>
[[nodiscard]] base::byte_vector bytes_of(const Message& message) {
    base::byte_vector bytes;
    wire::append_message<wire::client_messages>(message, bytes);
    return bytes;
}

/// Turns a client's bytes into messages.
class client_ear {
  public:
    [[nodiscard]] std::vector<client_message> hear(base::byte_view bytes) {
        std::vector<client_message> heard;
        while (!bytes.empty()) {
            const auto room = decoder_.free_space();
            const std::size_t count = std::min(room.size(), bytes.size());
            std::copy_n(bytes.begin(), count, room.begin());
            decoder_.received(count);
            bytes = bytes.subspan(count);
            take_frames(heard);
        }
        return heard;
    }

  private:
    void take_frames(std::vector<client_message>& heard) {
        for (;;) {
            const auto next = decoder_.next();
            if (!next) {
                throw std::logic_error("a client said: " + next.error().message());
            }
            if (!*next) {
                return;
            }
            const auto understood = wire::dispatch<wire::client_messages>(
                **next, [&heard](auto&& message, base::byte_view) {
                    heard.emplace_back(std::forward<decltype(message)>(message));
                });
            if (!understood) {
                throw std::logic_error("a client said: " + understood.error().message());
            }
        }
    }

    wire::frame_decoder decoder_{wire::largest_frame_before_login};
};

/// The welcome of a server that belongs to no cluster.
[[nodiscard]] inline wire::welcome plain_welcome(request_id hello) {
    wire::welcome message;
    message.request = hello;
    message.server_version = "0.1.0";
    message.server = server_id{1};
    return message;
}

} // namespace almenara::test
