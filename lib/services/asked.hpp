#pragma once

#include "services/body.hpp"

#include <optional>

/// How a request of a service becomes a body, and its answer a message again: what a client needs
/// to know of a service besides its messages. A service says it once per request, by a function
/// how_asked() beside it that is found by the request's type.
namespace almenara::services {

/// Whether a request changes the state, and so is done exactly once, or only asks.
enum class effect : std::uint8_t { writes, reads };

template <class List, class Reply, effect Effect>
struct asked {
    using reply = Reply;
    static constexpr bool writes = Effect == effect::writes;

    template <class Request>
    [[nodiscard]] static base::byte_vector body(const Request& what) {
        return body_of<List>(what);
    }
    /// Nothing if it is another answer.
    [[nodiscard]] static std::optional<Reply> reply_in(base::byte_view body) {
        return message_in<List, Reply>(body);
    }
};

} // namespace almenara::services
