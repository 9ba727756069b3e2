#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

namespace almenara::client {

/// What is open, by a number that grows from one to the next. New entries go to the end and those
/// that end stand near the front, so a sorted queue finds each as a tree does, without the
/// allocation and the scattered memory of a node for each.
template <class Number, class What>
class in_order {
  public:
    using entry = std::pair<Number, What>;

    /// A number that is there already is replaced.
    void put(Number number, What what) {
        if (entries_.empty() || entries_.back().first < number) {
            entries_.emplace_back(number, std::move(what));
            return;
        }
        const auto place = at_or_behind(*this, number);
        if (place->first == number) {
            place->second = std::move(what);
        } else {
            entries_.emplace(place, number, std::move(what));
        }
    }

    /// Removes it, if it is there.
    std::optional<What> take(Number number) {
        if (!entries_.empty() && entries_.front().first == number) {
            std::optional<What> taken = std::move(entries_.front().second);
            entries_.pop_front();
            return taken;
        }
        const auto place = at_or_behind(*this, number);
        if (place == entries_.end() || place->first != number) {
            return std::nullopt;
        }
        std::optional<What> taken = std::move(place->second);
        entries_.erase(place);
        return taken;
    }

    /// Nothing if it is not there.
    [[nodiscard]] const What* find(Number number) const {
        const auto place = at_or_behind(*this, number);
        return place == entries_.end() || place->first != number ? nullptr : &place->second;
    }

    [[nodiscard]] const entry& front() const { return entries_.front(); }
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] auto begin() const { return entries_.begin(); }
    [[nodiscard]] auto end() const { return entries_.end(); }

  private:
    template <class Self>
    [[nodiscard]] static auto at_or_behind(Self& self, Number number) {
        return std::lower_bound(self.entries_.begin(), self.entries_.end(), number,
                                [](const entry& one, Number wanted) { return one.first < wanted; });
    }

    std::deque<entry> entries_;
};

} // namespace almenara::client
