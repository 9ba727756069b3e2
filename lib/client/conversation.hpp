#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "client/exchange.hpp"
#include "client/failure.hpp"
#include "client/server_ear.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace almenara::client {

/// What the owner of the connection does next, in this order.
struct conversation_output {
    base::byte_vector send;    ///< goes out first: a goodbye must be heard
    bool finish = false;       ///< nothing more will be said; end the stream in good order
    std::vector<event> events; ///< told last, so that whoever asks again asks in the new state
};

/// An exchange with the bytes that carry it.
class conversation {
  public:
    conversation(conversation_options options, instant open_by);

    template <class Request>
    [[nodiscard]] outcome<request_id> ask(Request request, instant deadline) {
        return talk_.ask(std::move(request), deadline);
    }
    void leave() { talk_.leave(); }

    /// Where to read to; never empty.
    [[nodiscard]] std::span<std::byte> free_space() { return ear_.free_space(); }
    void received(std::size_t count, instant now);
    void stream_ended(std::error_code why) { talk_.stream_ended(why); }

    void tick(instant now) { talk_.tick(now); }
    [[nodiscard]] std::optional<instant> next_deadline() const { return talk_.next_deadline(); }

    [[nodiscard]] conversation_output take_output();

    [[nodiscard]] bool is_open() const { return talk_.is_open(); }
    [[nodiscard]] bool is_over() const { return talk_.is_over(); }

  private:
    server_ear ear_;
    exchange talk_;
};

} // namespace almenara::client
