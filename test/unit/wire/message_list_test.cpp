#include "wire/message_list.hpp"

#include "support/all_messages.hpp"
#include "support/printing.hpp"
#include "support/results.hpp"
#include "support/rewriting.hpp"
#include "support/streams.hpp"
#include "wire/client_messages.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

namespace almenara::wire {

namespace {

using test::encoded;

using short_list = message_list<listed<ping, 0x0204>, listed<bye, 0x0206>>;

static_assert(has_no_doubles<message_list<>>());
static_assert(has_no_doubles<short_list>());
static_assert(!has_no_doubles<message_list<listed<ping, 1>, listed<pong, 1>>>(),
              "two messages with one number");
static_assert(!has_no_doubles<message_list<listed<ping, 1>, listed<ping, 2>>>(),
              "one message with two numbers");
static_assert(type_of<short_list, bye>() == message_type{0x0206});

/// Writes down what it is handed.
struct recorder {
    std::vector<std::string> seen;

    template <class Message>
    void operator()(const Message& message, base::byte_view attachment) {
        seen.push_back(to_text(message) + std::string{base::as_text(attachment)});
    }
};

/// Hands a frame of these bytes to the messages of `short_list`.
result<void> dispatched(frame_header header, base::byte_view payload, recorder& record) {
    return dispatch<short_list>(frame{header, payload}, record);
}

} // namespace

TEST_CASE("B.2 the clients' messages have the numbers 0x02xx") {
    for_each_message<client_messages>([]<class Message>(message_type type) {
        CAPTURE(name_of<Message>());
        CHECK(type.value() >> 8U == 0x02);
    });
}

TEST_CASE("every message of a list is visited once, in order") {
    std::vector<std::string_view> names;
    for_each_message<short_list>(
        [&]<class Message>(message_type) { names.push_back(name_of<Message>()); });
    CHECK(names == std::vector<std::string_view>{"ping", "bye"});
}

TEST_CASE("a frame reaches the handler as the message that its number names") {
    recorder record;
    base::byte_vector payload = encoded(bye{.text = "so long"});
    const auto attachment = base::as_bytes(" +attached");
    payload.insert(payload.end(), attachment.begin(), attachment.end());

    CHECK(dispatched({.type = message_type{0x0206}}, payload, record));
    CHECK(record.seen ==
          std::vector<std::string>{"bye{reason=done, retry_after=0s, text=\"so long\"} +attached"});
}

TEST_CASE("what is appended as a message is dispatched as the same") {
    base::byte_vector stream;
    append_message<short_list>(ping{request_id{7}}, stream, {.epoch = epoch{3}});
    frame_decoder decoder{largest_control_frame};
    test::feed(decoder, stream);
    const frame whole = *test::value_of(decoder.next());
    CHECK(whole.header == frame_header{.type = message_type{0x0204}, .epoch = epoch{3}});
    recorder record;
    CHECK(dispatch<short_list>(whole, record));
    CHECK(record.seen == std::vector<std::string>{"ping{request=7}"});
}

TEST_CASE("B.2 an unknown type is skipped if its sender said so, else refused by its number") {
    recorder record;
    const frame_header unknown{.type = message_type{0x02ff}};
    const error failure = test::failure_of(dispatched(unknown, {}, record));
    CHECK(failure.code == errc::unknown_type);
    CHECK(failure.message() == "reading a frame: message type 0x02ff is not known here");

    CHECK(dispatched({.type = unknown.type, .flags = {frame_flag::ignorable}}, {}, record));
    CHECK(record.seen.empty());
}

TEST_CASE("a known type with a body that is none is refused, ignorable or not") {
    recorder record;
    const auto flags = GENERATE(frame_flags{}, frame_flags{frame_flag::ignorable});
    const frame_header header{.type = message_type{0x0204}, .flags = flags};
    const error failure = test::failure_of(dispatched(header, {}, record));
    CHECK(failure.code == errc::truncated);
    CHECK(test::says(failure, "reading ping"));
    CHECK(record.seen.empty());
}

} // namespace almenara::wire
