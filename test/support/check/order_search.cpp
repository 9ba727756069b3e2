#include "support/check/order_search.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

/// Wing and Gong's search with Lowe's memory of where it was before.
namespace almenara::test::check {

namespace {

/// What one key holds. A version is only compared where some client was told of it.
struct key_state {
    bool exists = false;
    std::string value;
    std::optional<log_index> version; ///< none: of a write that told nobody

    friend auto operator<=>(const key_state&, const key_state&) = default;
};

/// One operation as the search needs it.
struct candidate {
    const operation* one = nullptr;
    std::optional<log_index> version; ///< that it wrote, as far as anybody was told
    std::size_t call = 0;             ///< place in the list of events
    std::size_t end = 0;
};

std::int64_t number_in(const std::string& text) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// Whether the condition of a cas holds.
bool is_met(const request& asked, const key_state& state) {
    return asked.expected == log_index{} ? !state.exists
                                         : state.exists && state.version == asked.expected;
}

/// The state behind an operation that was answered, if the answer can be true here.
std::optional<key_state> behind_known(const candidate& next, const key_state& state) {
    const request& asked = next.one->request;
    const reply& told = next.one->reply;
    const auto if_true = [](bool is_true, key_state then) {
        return is_true ? std::optional{std::move(then)} : std::nullopt;
    };
    const key_state written{.exists = true, .value = asked.value, .version = next.version};
    switch (asked.what) {
    case verb::put:
        return if_true(told.code == outcome::done, written);
    case verb::cas: {
        if (told.code == outcome::not_found) {
            return if_true(!state.exists && asked.expected != log_index{}, state);
        }
        // Of a version that no search can know (a CONFLICT told it, of a write that nobody heard
        // of and nobody read) either answer may be true.
        const bool anything = state.exists && !state.version && asked.expected != log_index{};
        const bool fits = is_met(asked, state);
        return told.code == outcome::done ? if_true(fits || anything, written)
                                          : if_true(state.exists && (!fits || anything), state);
    }
    case verb::add: {
        auto sum = std::to_string(number_in(state.value) + asked.delta);
        const bool fits = told.value == sum;
        return if_true(fits, {.exists = true, .value = std::move(sum), .version = next.version});
    }
    case verb::remove:
        return if_true((told.code == outcome::done) == state.exists, key_state{});
    case verb::get:
        break;
    }
    return if_true((told.code == outcome::done) == state.exists && told.value == state.value,
                   state);
}

/// The same of one that nobody heard of, if it changes anything here. That it never happened, or
/// changed nothing, is the same as leaving it out, which the search may do.
std::optional<key_state> behind_unheard(const candidate& next, const key_state& state) {
    const request& asked = next.one->request;
    const key_state written{.exists = true, .value = asked.value, .version = next.version};
    switch (asked.what) {
    case verb::put:
        return written;
    case verb::cas: {
        const bool anything = state.exists && !state.version && asked.expected != log_index{};
        return anything || is_met(asked, state) ? std::optional{written} : std::nullopt;
    }
    case verb::add:
        return key_state{.exists = true,
                         .value = std::to_string(number_in(state.value) + asked.delta),
                         .version = next.version};
    case verb::remove:
        return state.exists ? std::optional{key_state{}} : std::nullopt;
    case verb::get:
        break;
    }
    return std::nullopt;
}

std::optional<key_state> behind(const candidate& next, const key_state& state) {
    return next.one->returned ? behind_known(next, state) : behind_unheard(next, state);
}

/// Which candidates have their place. Compared often, so not one bit at a time.
using bits = std::vector<std::uint64_t>;
constexpr std::size_t bits_per_word = 64;

class search {
  public:
    search(const std::vector<operation>& operations, std::size_t most_steps)
        : steps_left_(most_steps) {
        choose(operations);
        learn_versions(operations);
        order_events();
    }

    [[nodiscard]] verdict run();
    /// Only the order in which they were given.
    [[nodiscard]] bool is_explained_as_given();

  private:
    struct event {
        std::size_t candidate = 0;
        bool is_call = false;
        std::size_t before = 0;
        std::size_t behind = 0;
    };
    struct taken {
        std::size_t event = 0;
        key_state before;
    };

    void choose(const std::vector<operation>& operations);
    void learn_versions(const std::vector<operation>& operations);
    void order_events();
    void turn(std::size_t number) {
        done_[number / bits_per_word] ^= std::uint64_t{1} << number % bits_per_word;
    }
    void lift(const candidate& one);
    void put_back(const candidate& one);
    [[nodiscard]] bool take(std::size_t at);
    [[nodiscard]] std::size_t take_back();

    std::vector<candidate> candidates_;
    /// Calls and ends in the order of time, linked; 0 is both ends of the list.
    std::vector<event> events_;
    std::vector<taken> path_;
    bits done_;
    key_state state_;
    std::set<std::pair<bits, key_state>> seen_;
    std::size_t certain_left_ = 0;
    std::size_t steps_left_;
};

void search::choose(const std::vector<operation>& operations) {
    for (const operation& one : operations) {
        const bool says_nothing = one.request.what == verb::get && !one.returned;
        if (one.reply.code != outcome::refused && !says_nothing) {
            candidates_.push_back({.one = &one});
        }
    }
    done_.resize(candidates_.size() / bits_per_word + 1);
}

/// A read tells the version of a value whose writer never heard: no value is written twice.
void search::learn_versions(const std::vector<operation>& operations) {
    std::map<std::string, log_index> told;
    for (const operation& one : operations) {
        if (one.request.what == verb::get && one.reply.code == outcome::done) {
            told.emplace(one.reply.value, one.reply.version);
        }
    }
    for (candidate& each : candidates_) {
        const operation& one = *each.one;
        const auto read = told.find(one.request.value);
        if (one.reply.code == outcome::done) {
            each.version = one.reply.version;
        } else if (one.request.what != verb::add && read != told.end()) {
            each.version = read->second;
        }
    }
}

void search::order_events() {
    // An operation without an answer ends when everything is over. Of equal times the call comes
    // first: they overlap.
    std::vector<std::pair<std::pair<instant, bool>, std::size_t>> order;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
        const operation& one = *candidates_[i].one;
        order.push_back({{one.called, false}, i});
        order.push_back({{one.returned.value_or(instant::max()), true}, i});
        certain_left_ += one.returned ? 1U : 0U;
    }
    std::sort(order.begin(), order.end());
    events_.resize(order.size() + 1);
    for (std::size_t i = 0; i <= order.size(); ++i) {
        events_[i].before = i == 0 ? order.size() : i - 1;
        events_[i].behind = i == order.size() ? 0 : i + 1;
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto& [when, number] = order[i];
        events_[i + 1].candidate = number;
        events_[i + 1].is_call = !when.second;
        (when.second ? candidates_[number].end : candidates_[number].call) = i + 1;
    }
}

void search::lift(const candidate& one) {
    for (const std::size_t at : {one.call, one.end}) {
        events_[events_[at].before].behind = events_[at].behind;
        events_[events_[at].behind].before = events_[at].before;
    }
}

void search::put_back(const candidate& one) {
    for (const std::size_t at : {one.end, one.call}) {
        events_[events_[at].before].behind = at;
        events_[events_[at].behind].before = at;
    }
}

bool search::take(std::size_t at) {
    const std::size_t number = events_[at].candidate;
    auto next = behind(candidates_[number], state_);
    if (!next) {
        return false;
    }
    turn(number);
    if (!seen_.insert({done_, *next}).second) {
        turn(number);
        return false;
    }
    path_.push_back({.event = at, .before = std::move(state_)});
    state_ = std::move(*next);
    lift(candidates_[number]);
    if (candidates_[number].one->returned) {
        --certain_left_;
    }
    return true;
}

std::size_t search::take_back() {
    taken last = std::move(path_.back());
    path_.pop_back();
    const std::size_t number = events_[last.event].candidate;
    state_ = std::move(last.before);
    turn(number);
    put_back(candidates_[number]);
    if (candidates_[number].one->returned) {
        ++certain_left_;
    }
    return events_[last.event].behind;
}

bool search::is_explained_as_given() {
    instant latest_call;
    for (const candidate& each : candidates_) {
        const operation& one = *each.one;
        auto next = behind(each, state_);
        if (one.returned && (!next || *one.returned < latest_call)) {
            return false;
        }
        if (!next) {
            continue; // Nobody heard of it, and here it changes nothing.
        }
        latest_call = std::max(latest_call, one.called);
        state_ = std::move(*next);
    }
    return true;
}

verdict search::run() {
    std::size_t at = events_[0].behind;
    while (certain_left_ > 0) {
        if (steps_left_-- == 0) {
            return verdict::unknown;
        }
        if (events_[at].is_call) {
            at = take(at) ? events_[0].behind : events_[at].behind;
        } else if (path_.empty()) {
            return verdict::broken;
        } else {
            // Somebody ended here and found no place before: the last choice was wrong.
            at = take_back();
        }
    }
    return verdict::linearizable;
}

} // namespace

bool explains(const std::vector<operation>& in_order) {
    return search{in_order, 0}.is_explained_as_given();
}

verdict search_order(const std::vector<operation>& of_one_key, std::size_t most_steps) {
    return search{of_one_key, most_steps}.run();
}

} // namespace almenara::test::check
