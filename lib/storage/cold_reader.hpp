#pragma once

#include "base/error.hpp"
#include "state/inputs.hpp"
#include "state/needs.hpp"
#include "storage/disk_thread.hpp"
#include "storage/job_queue.hpp"
#include "storage/state_db.hpp"

#include <functional>
#include <memory>
#include <thread>

namespace almenara::storage {

/// Fetches rows of the state that are not in memory, beside the owner (architecture 2). Each answer
/// is of one view, taken after it was asked for.
class cold_reader {
  public:
    /// Called on the owner's thread, unless the reader is gone by then. A failure is one of the
    /// database: see state_db::failure.
    using answer = std::function<void(result<state::inputs>)>;

    /// `of` outlives it.
    cold_reader(const state_db& of, post_function post);
    /// What is being read is waited for; what waits is not read.
    ~cold_reader();
    cold_reader(const cold_reader&) = delete;
    cold_reader& operator=(const cold_reader&) = delete;

    /// The owner bounds how many it waits for.
    void fetch(state::needs wanted, answer told);

  private:
    struct job {
        state::needs wanted;
        answer told;
    };

    void loop();
    [[nodiscard]] result<state::inputs> read(const state::needs& wanted) const;

    const state_db& of_;
    post_function post_;
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);

    job_queue<job> waiting_;
    std::thread thread_;
};

} // namespace almenara::storage
