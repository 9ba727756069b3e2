#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/random.hpp"
#include "client/errands.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace almenara::bench {

enum class workload_kind : std::uint8_t {
    write,
    read,
    mixed,    ///< half reads, a few conditional writes
    failover, ///< writes; the longest gap counts
};
[[nodiscard]] std::string_view to_string(workload_kind kind);

enum class verb : std::uint8_t { put, get, cas };
[[nodiscard]] std::string_view to_string(verb what);

/// One thing to ask. Values begin with what was never written before; the rest fills them up when
/// they are asked for.
struct operation {
    verb what = verb::get;
    std::string key;
    std::string value;                           ///< put, cas: without what fills it up
    std::optional<log_index> expected_version{}; ///< cas; 0: it must not be there
};

/// What came back.
struct outcome {
    bool found = false;  ///< get
    log_index version{}; ///< of the key then: a conflict's is what was there instead
    std::string value{}; ///< get
};

struct workload_settings {
    workload_kind kind = workload_kind::write;
    std::uint32_t client = 0;
    std::size_t keys = 1;
    std::uint64_t seed = 0;
};

/// What one client thinks of next. The same seed thinks of the same.
class workload {
  public:
    explicit workload(const workload_settings& settings);

    [[nodiscard]] operation next();
    /// Whether what is heard matters to what comes next.
    [[nodiscard]] bool learns() const { return settings_.kind == workload_kind::mixed; }
    /// The next condition builds on what was heard.
    void learn(const operation& asked, const outcome& heard);

    [[nodiscard]] static std::string key(std::size_t number);

  private:
    [[nodiscard]] operation put(std::string key);

    workload_settings settings_;
    base::generator random_;
    std::uint64_t values_ = 0;
    std::map<std::string, log_index> versions_;
};

/// The body that asks for it, with a value of that size.
[[nodiscard]] base::byte_vector body_of(const operation& what, std::size_t size);
[[nodiscard]] outcome outcome_of(const operation& what, const client::answer& how);

/// A value without what fills it up.
[[nodiscard]] std::string_view unique_part(std::string_view value);

} // namespace almenara::bench
