#pragma once

#include "base/bytes.hpp"
#include "support/streams.hpp"
#include "wire/client_messages.hpp"
#include "wire/frame.hpp"

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include <cstddef>
#include <stdexcept>
#include <utility>
#include <variant>
#include <vector>

/// What clients and servers say to each other, for tests that play either side. Used by fuzzers
/// too, so what must not happen is an exception.
namespace almenara::test {

/// Any message that travels between a client and a server.
using client_message = boost::mp11::mp_rename<
    boost::mp11::mp_transform<wire::detail::message_of_entry, wire::client_messages>,
    std::variant>;

template <class Message>
[[nodiscard]] base::byte_vector bytes_of(const Message& message, wire::frame_header header = {}) {
    base::byte_vector bytes;
    wire::append_message<wire::client_messages>(message, bytes, header);
    return bytes;
}

/// Turns one side's bytes, cut anywhere, into messages.
class client_ear {
  public:
    explicit client_ear(std::size_t largest_frame = wire::largest_frame_before_login)
        : decoder_(largest_frame) {}

    [[nodiscard]] std::vector<client_message> hear(base::byte_view bytes) {
        feed(decoder_, bytes);
        const auto frames = take_all(decoder_);
        if (!frames) {
            throw std::logic_error("what was said is no frame: " + frames.error().message());
        }
        std::vector<client_message> heard;
        for (const taken_frame& whole : *frames) {
            const auto understood = wire::dispatch<wire::client_messages>(
                {whole.header, whole.payload}, [&heard](auto&& message, base::byte_view) {
                    heard.emplace_back(std::forward<decltype(message)>(message));
                });
            if (!understood) {
                throw std::logic_error("what was said is no message: " +
                                       understood.error().message());
            }
        }
        return heard;
    }

    /// Bytes of a message that is not whole yet.
    [[nodiscard]] std::size_t unfinished() const { return decoder_.unfinished(); }

  private:
    wire::frame_decoder decoder_;
};

} // namespace almenara::test
