#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "client/messages.hpp"
#include "wire/frame.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <utility>

namespace almenara::client {

/// Makes messages of what a server sends, cut anywhere.
class server_ear {
  public:
    /// Where to read to; never empty.
    [[nodiscard]] std::span<std::byte> free_space() { return decoder_.free_space(); }

    /// So many bytes were read: hands each whole message to `heard`, which says whether it wants
    /// another one. Fails when the bytes make no sense; there is no way on from there.
    template <class Heard>
    [[nodiscard]] result<void> received(std::size_t count, Heard&& heard) {
        decoder_.received(count);
        bool goes_on = true;
        while (goes_on) {
            const auto next = decoder_.next();
            if (!next) {
                return next.error();
            }
            if (!*next) {
                return {};
            }
            if (auto taken = take(**next, heard, goes_on); !taken) {
                return taken;
            }
        }
        return {};
    }

  private:
    template <class Heard>
    [[nodiscard]] result<void> take(const wire::frame& whole, Heard& heard, bool& goes_on) {
        result<void> sense;
        const auto understood = wire::dispatch<wire::client_messages>(
            whole, [&]<class Message>(Message message, base::byte_view) {
                if constexpr (is_one_of<Message, from_server>::value) {
                    if constexpr (std::same_as<Message, wire::welcome>) {
                        // Welcome is the end of the door's small limit.
                        decoder_.set_largest_frame(wire::largest_control_frame);
                    }
                    goes_on = heard(from_server{std::move(message)});
                } else {
                    sense = error{errc::malformed, fmt::format("a {} is for servers only",
                                                               wire::name_of<Message>())};
                }
            });
        return understood ? sense : understood;
    }

    wire::frame_decoder decoder_{wire::largest_frame_before_login};
};

} // namespace almenara::client
