#pragma once

#include "replica/entry.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

namespace almenara::sim::check {

/// The positions of a log, without what the entries say. The hash is chained (B.4): two logs that
/// agree in one position agree in all before it, so one comparison replaces many.
class log_image {
  public:
    log_image() = default;
    explicit log_image(replica::log_point base) : base_(base) {}

    [[nodiscard]] log_index base() const { return base_.index; }
    [[nodiscard]] log_index last() const { return log_index{base_.index.value() + points_.size()}; }
    [[nodiscard]] replica::log_point end() const {
        return points_.empty() ? base_ : points_.back();
    }

    /// Nothing for what is not in it; the base itself is known too.
    [[nodiscard]] std::optional<replica::log_point> at(log_index index) const {
        if (index == base_.index) {
            return base_;
        }
        if (index < base_.index || index > last()) {
            return std::nullopt;
        }
        return points_[place(index)];
    }

    /// Equal here, and by the chain everywhere before. What stands before the base is in the state
    /// alone, which was made of what was committed.
    [[nodiscard]] bool holds(const replica::log_point& point) const {
        if (point.index < base_.index) {
            return true;
        }
        const auto mine = at(point.index);
        return mine && mine->epoch == point.epoch && mine->hash == point.hash;
    }

    void push(const replica::log_point& point) { points_.push_back(point); }

    /// `index` becomes the last one.
    void cut_behind(log_index index) {
        const auto keep = index <= base_.index ? 0 : index.value() - base_.index.value();
        points_.resize(std::min<std::size_t>(points_.size(), keep));
    }

  private:
    [[nodiscard]] std::size_t place(log_index index) const {
        return static_cast<std::size_t>(index.value() - base_.index.value() - 1);
    }

    replica::log_point base_;
    std::vector<replica::log_point> points_;
};

} // namespace almenara::sim::check
