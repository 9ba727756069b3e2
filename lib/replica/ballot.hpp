#pragma once

#include "base/time.hpp"
#include "replica/gate.hpp"

#include <optional>
#include <utility>

namespace almenara::replica {

/// What this server has promised and must not forget (B.1, B.6): the newest word in memory, what
/// of it is on the disk, and the one record that may be on its way there.
class ballot {
  public:
    explicit ballot(persistent found) : word_(found), durable_(std::move(found)) {}

    [[nodiscard]] const persistent& word() const { return word_; }
    [[nodiscard]] const persistent& durable() const { return durable_; }

    /// A change is on its way to the disk, or waits to be.
    [[nodiscard]] bool busy() const { return dirty_ || in_flight_.has_value(); }

    /// The record that will hold what is in memory now; what depends on it waits for this number.
    [[nodiscard]] meta_number record() const {
        if (dirty_) {
            return in_flight_ ? in_flight_->number.next() : newest_.next();
        }
        return newest_;
    }

    /// I2: the epoch in memory changes at once, answers in it wait for record().
    void adopt(almenara::epoch epoch, std::optional<promised> to) {
        word_.epoch = epoch;
        word_.promised_to = to;
        dirty_ = true;
    }
    void set_damaged(std::optional<damage> damaged) {
        word_.damaged = damaged;
        dirty_ = true;
    }
    void set_cluster(cluster_id id) {
        word_.cluster = id;
        dirty_ = true;
    }

    /// The record to be written now, if there is one: one at a time (B.1).
    [[nodiscard]] std::optional<meta_record> take(instant now) {
        if (!dirty_ || in_flight_) {
            return std::nullopt;
        }
        dirty_ = false;
        newest_ = newest_.next();
        in_flight_ = meta_record{.number = newest_, .fields = word_};
        issued_ = now;
        return in_flight_;
    }

    /// False for a number that is not the one on its way.
    [[nodiscard]] bool synced(meta_number number, instant now) {
        if (!in_flight_ || in_flight_->number != number) {
            return false;
        }
        durable_ = in_flight_->fields;
        in_flight_.reset();
        last_sync_ = now - issued_;
        return true;
    }

    /// How long the last sync took; promise_wait must exceed it (B.13).
    [[nodiscard]] duration last_sync() const { return last_sync_; }

  private:
    persistent word_;
    persistent durable_;
    std::optional<meta_record> in_flight_;
    meta_number newest_;
    bool dirty_ = false;
    instant issued_;
    duration last_sync_{0};
};

} // namespace almenara::replica
