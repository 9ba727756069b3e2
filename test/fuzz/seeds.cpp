// Writes the seeds of fuzz-message, fuzz-frame, fuzz-session, fuzz-conversation, fuzz-replica and
// fuzz-state:
//
//     fuzz-seeds test/fuzz/corpus            writes those that are missing
//     fuzz-seeds --check test/fuzz/corpus    says which are missing, and fails if any is
//
// A file that is there stays as it is: the old form of a message is as good a seed as the new one.
#include "fuzz/conversation_input.hpp"
#include "fuzz/frame_input.hpp"
#include "fuzz/kept_seeds.hpp"
#include "fuzz/replica_seeds.hpp"
#include "fuzz/session_input.hpp"
#include "fuzz/state_seeds.hpp"
#include "support/all_messages.hpp"
#include "support/rewriting.hpp"
#include "support/samples.hpp"
#include "wire/frame.hpp"
#include "wire/message_list.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

namespace almenara::fuzz {

namespace {

namespace fs = std::filesystem;

/// Bytes by their place in the corpus.
using seeds = std::map<std::string, base::byte_vector>;

std::string_view name_of(test::fullness full) {
    switch (full) {
    case test::fullness::nothing:
        return "bare";
    case test::fullness::everything:
        return "full";
    case test::fullness::some:
        break;
    }
    return "mixed";
}

void add_messages(seeds& all) {
    wire::for_each_message<test::all_messages>([&]<class Message>(wire::message_type type) {
        for (const test::fullness full : test::every_fullness) {
            base::byte_vector bytes{static_cast<std::byte>(type.value() & 0xffU),
                                    static_cast<std::byte>(type.value() >> 8U)};
            const auto body = test::encoded(test::fixed_sample<Message>(type, full));
            bytes.insert(bytes.end(), body.begin(), body.end());
            all[fmt::format("message/{}-{}", wire::name_of<Message>(), name_of(full))] = bytes;
        }
    });
}

base::byte_vector as_input(const base::byte_vector& stream, std::byte options) {
    base::byte_vector bytes{options, std::byte{1}};
    bytes.insert(bytes.end(), stream.begin(), stream.end());
    return bytes;
}

base::byte_vector stream_of_all(test::fullness full) {
    base::byte_vector stream;
    wire::for_each_message<test::all_messages>([&]<class Message>(wire::message_type type) {
        wire::append_message<test::all_messages>(test::fixed_sample<Message>(type, full), stream);
    });
    return stream;
}

base::byte_vector one_ping(wire::frame_header header, std::string_view attachment) {
    base::byte_vector stream;
    wire::append_frame(header, wire::ping{request_id{7}}, stream, base::as_bytes(attachment));
    return stream;
}

void add_frames(seeds& all) {
    constexpr auto fix = frame_input::right_checksums;
    constexpr auto ping_type = wire::type_of<test::all_messages, wire::ping>();
    constexpr wire::message_type unknown{0xffff};

    const auto add = [&](std::string_view name, const base::byte_vector& stream,
                         std::byte options) {
        all[fmt::format("frame/{}", name)] = as_input(stream, options);
    };
    add("all-bare", stream_of_all(test::fullness::nothing), fix);
    add("all-full-logged-in", stream_of_all(test::fullness::everything),
        fix | frame_input::logged_in);
    add("attachment", one_ping({.type = ping_type}, "behind the body"), fix);
    add("unknown", one_ping({.type = unknown}, ""), fix);
    add("unknown-ignorable",
        one_ping({.type = unknown, .flags = {wire::frame_flag::ignorable}}, ""), fix);

    base::byte_vector damaged = one_ping({.type = ping_type}, "");
    add("half", {damaged.begin(), damaged.begin() + 20}, fix);
    damaged.back() ^= std::byte{1};
    add("wrong-checksum", damaged, {});
    add("too-long", base::byte_vector(4, std::byte{0xff}), {});
    add("too-short", base::byte_vector(4, std::byte{0}), {});
}

/// Numbers below 256, steps of a session among them.
base::byte_vector as_bytes(std::initializer_list<unsigned> numbers) {
    base::byte_vector bytes;
    for (const unsigned number : numbers) {
        bytes.push_back(static_cast<std::byte>(number));
    }
    return bytes;
}

void add_sessions(seeds& all) {
    using enum session_step;
    const auto n = [](session_step step) { return static_cast<unsigned>(step); };
    const auto add = [&all](std::string_view name, std::initializer_list<unsigned> numbers) {
        all[fmt::format("session/{}", name)] = as_bytes(numbers);
    };
    constexpr unsigned hello = 0;
    constexpr unsigned ping_place = 3;
    constexpr unsigned bye_place = 5;
    constexpr unsigned status_place = 7;
    add("a-visit", {0, n(message), hello, n(message), ping_place, n(wait), 121, n(message),
                    status_place, n(message), bye_place});
    constexpr unsigned login_place = 11;
    constexpr unsigned attach_place = 13;
    constexpr unsigned operation_place = 15;
    constexpr unsigned whois_place = 19;
    constexpr unsigned admin_place = 23;
    constexpr unsigned login_ok = 0;
    constexpr unsigned administrators_login_ok = 4;
    constexpr unsigned attached = 1;
    constexpr unsigned redirected = 3;
    add("a-session", {0,
                      n(message),
                      hello,
                      n(numbered),
                      login_place,
                      1,
                      n(answer),
                      login_ok,
                      n(numbered),
                      attach_place,
                      2,
                      n(answer),
                      attached,
                      n(numbered),
                      operation_place,
                      3,
                      n(numbered),
                      operation_place,
                      4,
                      n(answer),
                      redirected,
                      n(flood),
                      200,
                      0});
    add("administers", {0, n(message), hello, n(numbered), admin_place, 1, n(numbered), login_place,
                        2, n(answer), administrators_login_ok, n(numbered), admin_place, 3});
    add("asks-twice",
        {0, n(message), hello, n(numbered), whois_place, 1, n(numbered), whois_place, 1});
    add("attached-elsewhere", {0, n(message), hello, n(numbered), attach_place, 1, n(answer),
                               attached, n(dismiss), n(numbered), operation_place, 2});
    add("ends-and-waits",
        {0, n(message), hello, n(numbered), whois_place, 1, n(end_sending), n(answer), redirected});
    add("operates-as-nobody", {0, n(message), hello, n(numbered), operation_place, 1});
    add("administrator", {session_options::administrator, n(message), hello, n(message), hello});
    add("flood", {0, n(message), hello, n(flood), 40, 0, n(flood), 200, 0});
    add("full", {session_options::full, n(message), hello, n(wait), 4});
    add("half-a-hello", {0, n(begin), hello, 10, n(wait), 30});
    add("half-a-ping", {0, n(message), hello, n(begin), ping_place, 20, n(wait), 60});
    add("hurried", {0, n(wait), 1, n(hurry), n(wait), 8});
    add("reads-nothing", {0, n(message), hello, n(stop_reading), n(message), ping_place, n(read), 1,
                          n(wait), 50, n(message), ping_place, n(wait), 50});
    add("rubbish", {0, n(bytes), 8, 255, 255, 255, 255, 0, 1, 2, 3});
    add("stopped", {0, n(message), hello, n(stop), n(wait), 8});
    add("unknown", {0, n(message), hello, n(frame), 254, 1, 2, 1, 0, n(frame), 254, 0, 0});
    add("waits", {session_options::waits, n(wait), 200, n(call), n(message), hello, n(stop)});
}

void add_conversations(seeds& all) {
    using enum conversation_step;
    const auto n = [](conversation_step step) { return static_cast<unsigned>(step); };
    const auto add = [&all](std::string_view name, std::initializer_list<unsigned> numbers) {
        all[fmt::format("conversation/{}", name)] = as_bytes(numbers);
    };
    constexpr unsigned hello = 0;
    constexpr unsigned welcome = 1;
    constexpr unsigned reject = 2;
    constexpr unsigned ping = 3;
    constexpr unsigned pong = 4;
    constexpr unsigned bye = 5;
    constexpr unsigned error_reply = 6;
    constexpr unsigned status_reply = 8;
    // The hello has the number 1, the first request 2.
    add("a-visit", {0, n(message), welcome, 1, n(ask_ping), 20, n(message), pong, 2, n(ask_status),
                    20, n(sample), status_reply, 3, 5, n(leave)});
    add("asked-by-the-server", {0, n(message), welcome, 1, n(message), ping, 9, n(cut), 0});
    add("declined", {0, n(message), welcome, 1, n(ask_status), 20, n(sample), error_reply, 2, 3,
                     n(message), error_reply, 200});
    add("flood", {0, n(message), welcome, 1, n(flood), 40, 0, n(flood), 200, 0});
    add("full", {0, n(sample), reject, 1, 7});
    add("goodbye", {0, n(message), welcome, 1, n(ask_ping), 20, n(sample), bye, 0, 1, n(look),
                    n(message), pong, 2});
    add("half-a-welcome", {0, n(begin), welcome, 20, n(wait), 30});
    add("late-answer",
        {0, n(message), welcome, 1, n(ask_ping), 2, n(wait), 3, n(message), pong, 2, n(wait), 40});
    add("mirror", {0, n(message), hello, 1});
    add("rubbish", {0, n(bytes), 8, 255, 255, 255, 255, 0, 1, 2, 3});
    add("silent",
        {0, n(message), welcome, 1, n(ask_ping), 200, n(ask_status), 200, n(wait), 8, n(cut), 1});
    add("slept",
        {0, n(message), welcome, 1, n(ask_ping), 20, n(sleep), 200, n(look), n(message), pong, 2});
    add("too-many", {conversation_options::few, n(message), welcome, 1, n(ask_ping), 0, n(ask_ping),
                     1, n(ask_status), 1, n(ask_ping), 2, n(look), n(ask_ping), 9});
    add("unknown", {0, n(message), welcome, 1, n(frame), 254, 1, 2, 1, 0, n(frame), 254, 0, 0});
    add("wrong-answer", {0, n(message), welcome, 1, n(ask_status), 20, n(message), pong, 2});
}

void write(const fs::path& path, const base::byte_vector& bytes) {
    fs::create_directories(path.parent_path());
    std::ofstream file{path, std::ios::binary};
    file << base::as_text(bytes);
    std::printf("wrote %s\n", path.c_str());
}

int run(const fs::path& corpus, bool only_check) {
    seeds all;
    add_messages(all);
    add_frames(all);
    add_sessions(all);
    add_conversations(all);
    all.merge(kept_seeds());
    all.merge(replica_seeds());
    all.merge(state_seeds());
    int missing = 0;
    for (const auto& [name, bytes] : all) {
        const fs::path path = corpus / name;
        if (fs::exists(path)) {
            continue;
        }
        if (only_check) {
            std::printf("missing: %s (fuzz-seeds %s writes it)\n", path.c_str(), corpus.c_str());
            ++missing;
        } else {
            write(path, bytes);
        }
    }
    return missing > 0 ? 1 : 0;
}

} // namespace

} // namespace almenara::fuzz

int main(int argc, char** argv) {
    const bool only_check = argc == 3 && std::string_view{argv[1]} == "--check";
    if (argc != 2 && !only_check) {
        std::fprintf(stderr, "usage: fuzz-seeds [--check] CORPUS\n");
        return 2;
    }
    return almenara::fuzz::run(argv[argc - 1], only_check);
}
