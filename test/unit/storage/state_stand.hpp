#pragma once

#include "base/random.hpp"
#include "state/memory_key_space.hpp"
#include "storage/state_db.hpp"
#include "support/results.hpp"
#include "support/temporary_directory.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

/// What tests of the state's database share: rows by chance, and the directory as a crash leaves
/// it.
namespace almenara::test {

[[nodiscard]] inline base::byte_vector value_of_text(std::string_view text) {
    const base::byte_view bytes = base::as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

[[nodiscard]] inline state::change put_row(std::string key, std::string_view value) {
    return {.kind = state::change_kind::put, .key = std::move(key), .bytes = value_of_text(value)};
}
[[nodiscard]] inline state::change erase_row(std::string key) {
    return {.kind = state::change_kind::erase, .key = std::move(key)};
}

[[nodiscard]] inline state::applied_row applied_at(std::uint64_t index) {
    return {.index = log_index{index},
            .epoch = epoch{1 + index / 10},
            .hash = index * 7,
            .config_index = log_index{index / 2},
            .config = value_of_text(fmt::format("config of {}", index / 2)),
            .time = wall_time{std::chrono::seconds{index}}};
}

/// Changes by chance: of few keys, so that they meet, each once.
class row_dice {
  public:
    explicit row_dice(std::uint64_t seed) : luck_(seed) {}

    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return luck_.below(bound); }
    [[nodiscard]] std::string key() { return fmt::format("key/{:03}", below(200)); }

    [[nodiscard]] std::vector<state::change> changes(std::size_t most) {
        std::vector<state::change> all;
        std::uint64_t at = below(20);
        for (std::uint64_t count = 1 + below(most); count > 0 && at < 200; --count) {
            std::string key = fmt::format("key/{:03}", at);
            at += 1 + below(15);
            all.push_back(below(4) == 0 ? erase_row(std::move(key))
                                        : put_row(std::move(key),
                                                  std::string(1 + below(400),
                                                              static_cast<char>('a' + below(26)))));
        }
        return all;
    }

    [[nodiscard]] std::vector<state::change> rows_of_all_keys() {
        std::vector<state::change> all;
        for (int at = 0; at < 200; ++at) {
            std::string text;
            while (text.size() < 100) {
                text += static_cast<char>(below(256));
            }
            all.push_back(put_row(fmt::format("key/{:03}", at), text));
        }
        return all;
    }

    [[nodiscard]] state::key_range range() {
        state::key_range wanted{.from = below(8) == 0 ? std::string{} : key(), .to = {}};
        if (below(3) > 0) {
            wanted.to = key();
        }
        return wanted;
    }
    [[nodiscard]] state::scan_limit limit() {
        return {.rows = 1 + below(50), .bytes = 1 + below(5000)};
    }

  private:
    base::generator luck_;
};

/// The directory as it is on the disk at this moment, in another place.
[[nodiscard]] inline std::string crash_image(const std::string& of, const std::string& to) {
    namespace fs = std::filesystem;
    const auto names = [&of] {
        std::set<std::string> all;
        for (const auto& one : fs::directory_iterator(of)) {
            all.insert(one.path().filename());
        }
        return all;
    };
    // The database removes files that it needs no more at any time: then it was not one moment.
    constexpr int most_tries = 1000;
    for (int tries = 0; tries < most_tries; ++tries) {
        fs::remove_all(to);
        const auto before = names();
        std::error_code failure;
        fs::copy(of, to, fs::copy_options::recursive, failure);
        if (!failure && names() == before) {
            return to;
        }
    }
    FAIL("the files do not come to rest");
    return {};
}

[[nodiscard]] inline std::unique_ptr<storage::state_db> open_state(
    const std::string& path, const storage::state_db_options& options = {}) {
    return value_of(storage::state_db::open(path, options));
}

[[nodiscard]] inline storage::state_db_options fetching() {
    return {.cold = storage::cold_rows::are_fetched};
}

/// All of a key space that waits for its disk.
[[nodiscard]] inline std::vector<state::row> all_rows(const state::key_space& of) {
    auto found = of.look({}, {.rows = 100'000});
    if (!found) {
        FAIL("rows are cold");
    }
    return std::move(*found);
}

} // namespace almenara::test
