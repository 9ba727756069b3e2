#pragma once

#include "base/error.hpp"
#include "base/ids.hpp"
#include "state/key_space.hpp"
#include "state/rows.hpp"
#include "state/table_view.hpp"
#include "state/update.hpp"
#include "storage/core/reconcile.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::storage {

/// What a look at a row does that is not in memory.
enum class cold_rows : std::uint8_t {
    are_said,    ///< it says so: who looks must not wait
    are_fetched, ///< it waits for the disk
};

struct state_db_options {
    std::size_t write_buffer = 16U << 20U;
    std::size_t cache = 64U << 20U; ///< of blocks of files; beyond it the oldest leave
    /// B.8: the state is flushed whenever so much was written, so that the log may be recycled.
    std::size_t flush_bytes = 64U << 20U;
    std::uint64_t flush_entries = 100'000;
    cold_rows cold = cold_rows::are_said;
};

/// The state as it was at one moment, for any thread (architecture 6). It keeps old rows alive, so
/// it must not live long. It ends before its database does.
class state_view {
  public:
    virtual ~state_view() = default;

    [[nodiscard]] virtual const state::applied_row& applied() const = 0;
    [[nodiscard]] virtual result<std::optional<base::byte_vector>> get(
        std::string_view key) const = 0;
    /// As table_view::scan().
    [[nodiscard]] virtual result<std::vector<state::row>> scan(
        const state::key_range& range, const state::scan_limit& limit) const = 0;
};

/// Base on a disk: RocksDB without a log of its own, for the replicated log is its log (E.2). After
/// a crash it is what it was at some batch, and applied() says at which; the log is replayed from
/// there. A failure is kept: what failed is not tried again, and failure() says it.
class state_db final : public state::key_space {
  public:
    /// Opens or makes the database in a directory, which it makes too. A newer one is refused.
    [[nodiscard]] static result<std::unique_ptr<state_db>> open(
        const std::string& path, const state_db_options& options = {});
    /// What was written is brought into files.
    ~state_db() override;
    state_db(const state_db&) = delete;
    state_db& operator=(const state_db&) = delete;

    // -- The owner's thread --

    /// After a failure everything is cold: a wrong answer is worse than none.
    [[nodiscard]] std::optional<state::warm_row> look(std::string_view key) const override;
    [[nodiscard]] std::optional<std::vector<state::row>> look(
        const state::key_range& range, const state::scan_limit& limit) const override;

    [[nodiscard]] std::optional<base::byte_vector> wait_for(std::string_view key) const override;

    /// write() and wrote() in one.
    void apply(const state::applied_row& upto, std::span<const state::change> changes) override;
    [[nodiscard]] const state::applied_row& applied() const override { return applied_; }
    /// What somebody else wrote up to here counts from now on.
    void wrote(const state::applied_row& upto) { applied_ = upto; }

    // -- Any thread --

    /// Whole rows, best in the order of keys, each once. One thread at a time.
    /// `log_bytes`: what the entries had changed that came to this. Rows that were written again
    /// and again count each time: what is not in files is log that must be kept (B.8).
    [[nodiscard]] result<void> write(const state::applied_row& upto,
                                     std::span<const state::change> changes,
                                     std::size_t log_bytes = 0);

    [[nodiscard]] result<std::unique_ptr<state_view>> view() const;

    /// B.8: what was written up to here is in files, whatever happens: the log below it may go.
    [[nodiscard]] log_index flushed() const;
    /// Waits until everything is.
    [[nodiscard]] result<void> flush();
    /// The same without waiting; when_flushed() tells. Of whoever writes.
    void flush_soon();
    /// How many files it keeps open.
    [[nodiscard]] std::size_t files() const;
    /// Calls this whenever flushed() may have grown or failure() come, from threads of RocksDB.
    void when_flushed(std::function<void()> told);

    /// The first of all. From then on nothing is written.
    [[nodiscard]] std::optional<error> failure() const;

  private:
    class database;

    explicit state_db(std::unique_ptr<database> on);
    [[nodiscard]] std::optional<state::warm_row> look(std::string_view key, cold_rows cold) const;

    std::unique_ptr<database> on_;
    state::applied_row applied_;
};

/// The same for the start of the log.
[[nodiscard]] core::state_row row_for_log(const state::applied_row& applied);

} // namespace almenara::storage
