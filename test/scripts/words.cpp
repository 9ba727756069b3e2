#include "scripts/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace almenara::scripts {

namespace {

bool is_number(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> all;
    std::istringstream in{std::string{text}};
    for (std::string word; in >> word;) {
        all.push_back(word);
    }
    return all;
}

std::string lower(std::string_view text) {
    std::string result{text};
    for (char& c : result) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return result;
}

std::uint64_t number_of(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size()) {
        throw script_error{fmt::format("'{}' is not a number", text)};
    }
    return value;
}

words::words(std::string_view command) : all_(split(command)) {}

const std::string& words::peek() const {
    if (empty()) {
        throw script_error{"the command is not complete"};
    }
    return all_[at_];
}

std::string words::take() {
    std::string word = peek();
    ++at_;
    return word;
}

bool words::took(std::string_view word) {
    const bool is_it = !empty() && all_[at_] == word;
    at_ += is_it ? 1U : 0U;
    return is_it;
}

void words::must(std::string_view word) {
    if (!took(word)) {
        throw script_error{fmt::format("'{}' is missing", word)};
    }
}

std::uint64_t words::number() {
    return number_of(take());
}

server_id words::server() {
    return server_id{static_cast<std::uint16_t>(number())};
}

std::vector<server_id> words::servers() {
    std::vector<server_id> all;
    while (!empty() && is_number(peek())) {
        all.push_back(server());
    }
    return all;
}

duration words::duration() {
    const auto length = parse_duration(take());
    if (!length) {
        throw script_error{length.error().message()};
    }
    return *length;
}

std::vector<direction> words::link() {
    const server_id a = server();
    if (took("->")) {
        return {{.from = a, .to = server()}};
    }
    const server_id b = server();
    return {{.from = a, .to = b}, {.from = b, .to = a}};
}

direction words::one_way() {
    const server_id from = server();
    must("->");
    return {.from = from, .to = server()};
}

std::vector<std::string> words::rest() {
    std::vector<std::string> left(all_.begin() + static_cast<std::ptrdiff_t>(at_), all_.end());
    at_ = all_.size();
    return left;
}

void words::end() const {
    if (!empty()) {
        throw script_error{fmt::format("'{}' is not understood here", peek())};
    }
}

} // namespace almenara::scripts
