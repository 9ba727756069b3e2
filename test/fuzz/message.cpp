// Any bytes as the body of any message. The first two bytes are the message's number, low one
// first.
#include "fuzz/target.hpp"
#include "support/all_messages.hpp"
#include "support/rewriting.hpp"
#include "wire/json.hpp"
#include "wire/message_list.hpp"
#include "wire/print.hpp"

#include <boost/json.hpp>

namespace almenara::fuzz {

namespace {

template <class Message>
void check(base::byte_view body) {
    const auto message = wire::decode<Message>(body);
    if (!message) {
        return;
    }
    ALMENARA_CHECK(test::survives_rewriting(*message));
    ALMENARA_CHECK(wire::to_text(*message).starts_with(wire::name_of<Message>()));
    const boost::json::value json = wire::to_json(*message);
    ALMENARA_CHECK(boost::json::parse(boost::json::serialize(json)) == json);
}

int run(base::byte_view bytes) {
    if (bytes.size() < 2) {
        return -1;
    }
    const auto low = std::to_integer<unsigned>(bytes[0]);
    const auto high = std::to_integer<unsigned>(bytes[1]);
    int outcome = -1;
    wire::for_each_message<test::all_messages>([&]<class Message>(wire::message_type type) {
        if (type.value() == (high << 8U | low)) {
            check<Message>(bytes.subspan(2));
            outcome = 0;
        }
    });
    return outcome;
}

} // namespace

} // namespace almenara::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return almenara::fuzz::run(almenara::fuzz::input(data, size));
}
