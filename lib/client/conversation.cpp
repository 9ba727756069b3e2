#include "client/conversation.hpp"

#include <utility>

namespace almenara::client {

conversation::conversation(conversation_options options, instant open_by)
    : talk_(std::move(options), open_by) {}

void conversation::received(std::size_t count, instant now) {
    talk_.sign_of_life(now);
    const auto sense = ear_.received(count, [&](from_server&& message) {
        talk_.heard(std::move(message), now);
        return !talk_.is_over();
    });
    if (!sense) {
        talk_.break_off(sense.error().message());
    }
}

conversation_output conversation::take_output() {
    exchange_output said;
    talk_.take_output(said);
    conversation_output output{.finish = said.finish, .events = std::move(said.events)};
    for (const to_server& message : said.say) {
        append_to(output.send, message);
    }
    return output;
}

} // namespace almenara::client
