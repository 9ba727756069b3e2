#pragma once

#include "base/random.hpp"
#include "support/check/history.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace almenara::test::check {

/// What a client thinks of next: few keys that everybody wants, values that are never written
/// twice, conditions that are sometimes out of date, and now and then what no service takes.
class workload {
  public:
    workload(client_number who, std::size_t keys, std::uint64_t seed)
        : who_(who), keys_(keys), random_(seed) {}

    [[nodiscard]] request next();

    /// What the client heard: the next condition builds on it.
    void learn(const request& asked, const reply& heard);

  private:
    [[nodiscard]] request a_sound_one();
    [[nodiscard]] std::string a_bad_key();
    [[nodiscard]] std::string key();
    [[nodiscard]] std::string counter();
    [[nodiscard]] std::string new_value();

    client_number who_;
    std::size_t keys_;
    base::generator random_;
    std::uint64_t values_ = 0;
    std::map<std::string, log_index> versions_;
};

} // namespace almenara::test::check
