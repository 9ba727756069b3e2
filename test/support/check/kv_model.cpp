#include "support/check/kv_model.hpp"

#include <charconv>
#include <cstdint>
#include <utility>

namespace almenara::test::check {

namespace {

std::int64_t number_in(const std::string& text) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

reply written(key_values& state, const request& what, log_index index, std::string value) {
    state[what.key] = {.value = std::move(value), .version = index};
    return {.code = outcome::done, .index = index, .version = index};
}

} // namespace

bool is_bad(const request& what) {
    return what.key.empty() || what.key.size() > longest_key;
}

reply execute(key_values& state, const request& what, log_index index) {
    const auto row = state.find(what.key);
    const bool exists = row != state.end();
    const value_row there = exists ? row->second : value_row{};
    switch (what.what) {
    case verb::put:
        return written(state, what, index, what.value);
    case verb::cas:
        if (!exists && what.expected != log_index{}) {
            return {.code = outcome::not_found, .index = index};
        }
        if (there.version != what.expected) {
            return {.code = outcome::conflict, .index = index, .version = there.version};
        }
        return written(state, what, index, what.value);
    case verb::add: {
        auto sum = std::to_string(number_in(there.value) + what.delta);
        reply told = written(state, what, index, sum);
        told.value = std::move(sum);
        return told;
    }
    case verb::remove:
        if (!exists) {
            return {.code = outcome::not_found, .index = index};
        }
        state.erase(row);
        return {.code = outcome::done, .index = index, .version = index};
    case verb::get:
        break;
    }
    if (!exists) {
        return {.code = outcome::not_found, .index = index};
    }
    return {.code = outcome::done, .index = index, .version = there.version, .value = there.value};
}

} // namespace almenara::test::check
