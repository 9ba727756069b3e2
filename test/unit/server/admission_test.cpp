#include "server/admission.hpp"

#include "base/random.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace almenara::server {

namespace {

constexpr admission_limits usual{};

/// Somebody who arrives and speaks; whether it may is `at_once`.
bool comes_and_speaks(admission& door, std::uint64_t id, const std::string& host) {
    door.arrived(connection_id{id}, host);
    return door.wants_to_speak(connection_id{id});
}

/// Connections `first` to `first + count - 1`; how many of them may speak at once.
std::size_t crowd_speaks(admission& door,
                         std::uint64_t first,
                         std::size_t count,
                         const std::string& host) {
    std::size_t may = 0;
    for (std::uint64_t id = first; id < first + count; ++id) {
        may += comes_and_speaks(door, id, host) ? 1U : 0U;
    }
    return may;
}

std::vector<connection_id> ids(std::initializer_list<std::uint64_t> numbers) {
    std::vector<connection_id> all;
    for (const std::uint64_t number : numbers) {
        all.emplace_back(number);
    }
    return all;
}

} // namespace

TEST_CASE("003 at most 64 of one address are read at a time, the others wait") {
    admission door{usual};
    CHECK(crowd_speaks(door, 1, 256, "router") == 64);
    CHECK(door.speaking() == 64);
    CHECK(door.waiting() == 192);
    CHECK(door.at_the_door() == 256);
}

TEST_CASE("003 256 clients behind one router all come in, in their order") {
    admission door{usual};
    CHECK(crowd_speaks(door, 1, 256, "router") == 64);
    std::uint64_t next_called = 65;
    for (std::uint64_t id = 1; id <= 256; ++id) {
        door.done(connection_id{id});
        for (const connection_id called : door.take_called()) {
            CHECK(called == connection_id{next_called++});
        }
    }
    CHECK(next_called == 257);
    CHECK(door.at_the_door() == 0);
}

TEST_CASE("003 at most 1024 in all are read at a time") {
    admission door{usual};
    std::size_t may = 0;
    for (std::uint64_t host = 0; host < 40; ++host) {
        may += crowd_speaks(door, 1 + host * 64, 64, std::to_string(host));
    }
    CHECK(may == 1024);
    CHECK(door.waiting() == 40 * 64 - 1024);
}

TEST_CASE("003 an address whose places are taken does not hold up the others") {
    admission door{{.speaking = 3, .speaking_per_host = 2}};
    CHECK(crowd_speaks(door, 1, 4, "crowd") == 2);
    CHECK(comes_and_speaks(door, 10, "another"));
    CHECK_FALSE(comes_and_speaks(door, 11, "another"));

    // 3 and 4 came before 11, but their address has its two places.
    door.done(connection_id{10});
    CHECK(door.take_called() == ids({11}));
    door.done(connection_id{1});
    CHECK(door.take_called() == ids({3}));
}

TEST_CASE("003 a connection that says nothing holds no place") {
    admission door{{.speaking = 1, .speaking_per_host = 1}};
    for (std::uint64_t id = 1; id <= 100; ++id) {
        door.arrived(connection_id{id}, "host");
    }
    CHECK(door.speaking() == 0);
    CHECK(door.wants_to_speak(connection_id{50}));
}

TEST_CASE("003 those at the door are found in the order in which they came, some at a time") {
    admission door{{}};
    for (const std::uint64_t id : {2U, 3U, 5U, 8U}) {
        door.arrived(connection_id{id}, "host");
    }
    door.done(connection_id{3});
    CHECK(door.guests_after(connection_id{}, 2) == std::vector{connection_id{2}, connection_id{5}});
    CHECK(door.guests_after(connection_id{5}, 2) == std::vector{connection_id{8}});
    CHECK(door.guests_after(connection_id{8}, 2).empty());
}

TEST_CASE("003 who leaves while it waits is not called") {
    admission door{{.speaking = 1, .speaking_per_host = 1}};
    crowd_speaks(door, 1, 3, "host");
    door.done(connection_id{2});
    CHECK(door.waiting() == 1);
    CHECK(door.take_called().empty());
    door.done(connection_id{1});
    CHECK(door.take_called() == ids({3}));
}

TEST_CASE("003 who is called to speak and leaves in the same turn is not called any more") {
    admission door{{.speaking = 1, .speaking_per_host = 1}};
    crowd_speaks(door, 1, 3, "host");
    door.done(connection_id{1});
    door.done(connection_id{2});
    // Its place went on to the next one.
    CHECK(door.take_called() == ids({3}));
    door.done(connection_id{3});
    CHECK(door.take_called().empty());
    CHECK(door.speaking() == 0);
    CHECK(door.at_the_door() == 0);
}

TEST_CASE("003 who is done is done: to say it twice changes nothing") {
    admission door{{.speaking = 1, .speaking_per_host = 1}};
    crowd_speaks(door, 1, 2, "host");
    door.done(connection_id{1});
    door.done(connection_id{1});
    door.done(connection_id{99});
    CHECK(door.take_called() == ids({2}));
    CHECK(door.speaking() == 1);
}

namespace {

/// The rules, said once more in the plainest way.
class plain_door {
  public:
    explicit plain_door(admission_limits limits) : limits_(limits) {}

    void arrived(std::uint64_t id, const std::string& host) { guests_[id] = {host}; }
    bool wants_to_speak(std::uint64_t id) {
        guests_[id].waits_since = ++waited_;
        return let_in().count(id) > 0;
    }
    std::map<std::uint64_t, std::string> done(std::uint64_t id) {
        guests_.erase(id);
        return let_in();
    }

    [[nodiscard]] std::vector<std::uint64_t> everybody() const {
        std::vector<std::uint64_t> all;
        for (const auto& [id, who] : guests_) {
            all.push_back(id);
        }
        return all;
    }
    [[nodiscard]] bool is_silent(std::uint64_t id) const {
        const guest& who = guests_.at(id);
        return !who.speaks && who.waits_since == 0;
    }
    [[nodiscard]] std::size_t at_the_door() const { return guests_.size(); }
    [[nodiscard]] std::size_t speaking(const std::string& host = {}) const {
        return static_cast<std::size_t>(
            std::count_if(guests_.begin(), guests_.end(), [&](const auto& entry) {
                return entry.second.speaks && (host.empty() || entry.second.host == host);
            }));
    }
    [[nodiscard]] std::size_t hosts() const {
        std::map<std::string, int> all;
        for (const auto& [id, who] : guests_) {
            ++all[who.host];
        }
        return all.size();
    }

  private:
    struct guest {
        std::string host;
        bool speaks = false;
        std::uint64_t waits_since = 0; ///< 0: it has said nothing, or speaks
    };

    /// Lets in whoever waits and may, the first one first.
    std::map<std::uint64_t, std::string> let_in() {
        std::map<std::uint64_t, std::uint64_t> in_order;
        for (const auto& [id, who] : guests_) {
            if (who.waits_since > 0) {
                in_order[who.waits_since] = id;
            }
        }
        std::map<std::uint64_t, std::string> called;
        for (const auto& [since, id] : in_order) {
            guest& who = guests_[id];
            if (speaking() < limits_.speaking && speaking(who.host) < limits_.speaking_per_host) {
                who.speaks = true;
                who.waits_since = 0;
                called[id] = who.host;
            }
        }
        return called;
    }

    admission_limits limits_;
    std::map<std::uint64_t, guest> guests_;
    std::uint64_t waited_ = 0;
};

std::vector<std::uint64_t> sorted(const std::vector<connection_id>& called) {
    std::vector<std::uint64_t> numbers;
    for (const connection_id id : called) {
        numbers.push_back(id.value());
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

std::vector<std::uint64_t> keys_of(const std::map<std::uint64_t, std::string>& called) {
    std::vector<std::uint64_t> numbers;
    for (const auto& [id, host] : called) {
        numbers.push_back(id);
    }
    return numbers;
}

} // namespace

TEST_CASE("003 a long day at the door goes as the rules say, and leaves nothing behind") {
    constexpr admission_limits narrow{.speaking = 5, .speaking_per_host = 2};
    admission door{narrow};
    plain_door rules{narrow};
    base::generator random{GENERATE(1U, 2U, 3U)};
    std::uint64_t last_id = 0;

    for (int step = 0; step < 3000; ++step) {
        if (door.at_the_door() < 20 && random.chance(1, 2)) {
            const std::string host = std::to_string(random.below(4));
            door.arrived(connection_id{++last_id}, host);
            rules.arrived(last_id, host);
        }
        const auto everybody = rules.everybody();
        if (everybody.empty()) {
            continue;
        }
        const std::uint64_t chosen = everybody[random.below(everybody.size())];
        if (rules.is_silent(chosen) && random.chance(3, 4)) {
            REQUIRE(door.wants_to_speak(connection_id{chosen}) == rules.wants_to_speak(chosen));
        } else {
            door.done(connection_id{chosen});
            REQUIRE(sorted(door.take_called()) == keys_of(rules.done(chosen)));
        }
        REQUIRE(door.speaking() == rules.speaking());
        REQUIRE(door.at_the_door() == rules.at_the_door());
        REQUIRE(door.hosts() == rules.hosts());
        REQUIRE(door.speaking() + door.waiting() <= door.at_the_door());
    }
    for (const std::uint64_t id : rules.everybody()) {
        door.done(connection_id{id});
    }
    CHECK(door.at_the_door() == 0);
    CHECK(door.speaking() == 0);
    CHECK(door.waiting() == 0);
    CHECK(door.hosts() == 0);
    CHECK(door.take_called().empty());
}

} // namespace almenara::server
