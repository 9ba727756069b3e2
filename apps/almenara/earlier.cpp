#include "earlier.hpp"

#include "base/text.hpp"
#include "services/body.hpp"
#include "services/kv/messages.hpp"
#include "wire/print.hpp"

#include <fmt/format.h>

#include <string_view>

namespace almenara::cli {

std::string words_of(base::byte_view operation) {
    std::string words;
    const auto read = services::dispatch_body<services::kv::kv_messages>(
        operation, [&words]<class Message>(const Message& message) {
            const std::string_view name = wire::name_of<Message>();
            words = fmt::format("kv {}", name == "remove" ? "rm" : name);
            if constexpr (requires { std::string_view{message.key}; }) {
                words += fmt::format(" {}", base::escaped(message.key));
            }
        });
    return read ? words : "of a service that this version does not know";
}

std::string text_about(const client::resumed& what) {
    const std::string begin =
        fmt::format("an operation of an earlier run was not answered ({})", words_of(what.body));
    const client::answer& how = what.answer;
    if (how.code == wire::result_code::ok) {
        return fmt::format("{}: sent again, done: index {}", begin, how.index);
    }
    if (how.code == wire::result_code::uncertain) {
        return fmt::format("{}: whether it was done is not known: {}", begin, how.why);
    }
    return fmt::format("{}: sent again, not done: {}{}{}", begin, wire::enumerator_name(how.code),
                       how.why.empty() ? "" : ": ", how.why);
}

} // namespace almenara::cli
