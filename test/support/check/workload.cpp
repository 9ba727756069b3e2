#include "support/check/workload.hpp"

#include "support/check/kv_model.hpp"

#include <fmt/format.h>

namespace almenara::test::check {

request workload::next() {
    request wanted = a_sound_one();
    if (random_.chance(1, 50)) {
        wanted.key = a_bad_key();
    }
    return wanted;
}

std::string workload::a_bad_key() {
    return random_.chance(1, 2) ? std::string{} : std::string(longest_key + 1, 'k');
}

request workload::a_sound_one() {
    const auto dice = random_.below(100);
    if (dice < 35) {
        return {.what = verb::get, .key = random_.chance(1, 5) ? counter() : key()};
    }
    if (dice < 60) {
        return {.what = verb::put, .key = key(), .value = new_value()};
    }
    if (dice < 80) {
        const auto wanted = key();
        const auto expected = random_.chance(1, 10) ? log_index{} : versions_[wanted];
        return {.what = verb::cas, .key = wanted, .value = new_value(), .expected = expected};
    }
    if (dice < 92) {
        return {.what = verb::add,
                .key = counter(),
                .delta = 1 + static_cast<std::int64_t>(random_.below(9))};
    }
    return {.what = verb::remove, .key = key()};
}

void workload::learn(const request& asked, const reply& heard) {
    if (heard.code == outcome::refused || heard.code == outcome::uncertain) {
        return;
    }
    const bool gone = heard.code == outcome::not_found || asked.what == verb::remove;
    versions_[asked.key] = gone ? log_index{} : heard.version;
}

std::string workload::key() {
    return fmt::format("k{}", random_.below(keys_));
}

std::string workload::counter() {
    return fmt::format("n{}", random_.below(2));
}

std::string workload::new_value() {
    return fmt::format("c{}.{}", who_, ++values_);
}

} // namespace almenara::test::check
