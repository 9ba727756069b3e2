#include "fuzz/replica/play.hpp"

#include "fuzz/replica/forgery.hpp"
#include "fuzz/replica/world.hpp"
#include "fuzz/replica_input.hpp"
#include "fuzz/steps.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>

namespace almenara::fuzz {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t servers = 3;
constexpr int most_steps = 400;
constexpr duration longest_play = 60s;

bool has(std::uint8_t options, std::uint8_t option) {
    return (options & option) != 0;
}

world_options options_from(std::uint8_t options) {
    return {.empty_disks = has(options, replica_options::empty),
            .lying = has(options, replica_options::lying),
            .small = has(options, replica_options::small),
            .confirm =
                static_cast<replica::confirm_policy>(options / replica_options::policy % 4 % 3)};
}

crash_plan crash_plan_from(std::uint8_t byte) {
    return {.fields_left = byte % std::size_t{16},
            .jobs_that_arrive = byte / crash_later_bits::job % 4U,
            .bits = has(byte, crash_later_bits::meta_arrives) ? crash_bits::meta_arrives
                                                              : std::uint8_t{0}};
}

class play {
  public:
    explicit play(std::uint8_t options)
        : options_(options), world_(servers, options_from(options)) {}

    void step(numbers& input) {
        const auto chosen = input.next() % static_cast<unsigned>(replica_step::count_);
        if (!step_of_time(static_cast<replica_step>(chosen), input) &&
            !step_of_server(static_cast<replica_step>(chosen), input) &&
            !step_of_fault(static_cast<replica_step>(chosen), input)) {
            step_of_forger(static_cast<replica_step>(chosen), input);
        }
    }

    /// All faults end. Somebody must rule and replicate (I21).
    void end() {
        const bool may_ask = has(options_, replica_options::heals) &&
                             !has(options_, replica_options::lying) &&
                             !has(options_, replica_options::loose);
        if (!may_ask || (has(options_, replica_options::empty) && anybody_was_wiped())) {
            return;
        }
        world_.release_all();
        for (std::size_t place = 0; place < servers; ++place) {
            world_.crash(place, 0, 0);
        }
        for (std::size_t place = 0; place < servers; ++place) {
            world_.restart(place, 0);
        }
        world_.run(6s);
        if (world_.primaries() != 1) {
            broken("I21", fmt::format("{} servers rule when all is well", world_.primaries()));
        }
        for (std::size_t place = 0; place < servers; ++place) {
            world_.propose(place, 3, true);
        }
        const log_index before = newest_commit();
        world_.run(500ms);
        if (newest_commit().value() != before.value() + 3) {
            broken("I23", "what was proposed when all is well is not committed");
        }
    }

  private:
    [[nodiscard]] static std::size_t place(numbers& input) { return input.next() % servers; }

    [[nodiscard]] bool anybody_was_wiped() const {
        bool found = false;
        for (std::size_t i = 0; i < servers; ++i) {
            found = found || world_.at(i).was_wiped;
        }
        return found;
    }

    [[nodiscard]] log_index newest_commit() const {
        log_index newest;
        for (std::size_t i = 0; i < servers; ++i) {
            if (world_.runs(i)) {
                newest = std::max(newest, world_.at(i).core->status().commit);
            }
        }
        return newest;
    }

    bool step_of_time(replica_step what, numbers& input) {
        switch (what) {
        case replica_step::run:
            run(10ms * input.next());
            return true;
        case replica_step::wait:
            world_.wait(1ms * input.next());
            return true;
        case replica_step::tick: {
            const std::size_t at = place(input);
            world_.tick(at, 10ms * input.next());
            return true;
        }
        default:
            return false;
        }
    }

    void run(duration length) {
        if (played_ < longest_play) {
            played_ += length;
            world_.run(length);
        }
    }

    bool step_of_server(replica_step what, numbers& input) {
        switch (what) {
        case replica_step::propose: {
            const std::size_t at = place(input);
            const std::size_t count = input.next() % 32;
            world_.propose(at, count, input.next() != 0);
            return true;
        }
        case replica_step::sync_log:
            world_.sync_log(place(input));
            return true;
        case replica_step::sync_meta:
            world_.sync_meta(place(input));
            return true;
        case replica_step::answer:
            world_.answer(place(input));
            return true;
        case replica_step::dial: {
            const std::size_t at = place(input);
            world_.dial(at, input.next() != 0);
            return true;
        }
        case replica_step::read:
            world_.read(place(input));
            return true;
        case replica_step::transfer: {
            const std::size_t at = place(input);
            const auto target = static_cast<std::uint16_t>(input.next() % (servers + 2));
            world_.tell(at, replica::transfer{target == 0 ? std::optional<server_id>{}
                                                          : server_id{target}});
            return true;
        }
        case replica_step::terminate:
            world_.terminate(place(input));
            return true;
        default:
            return false;
        }
    }

    bool step_of_fault(replica_step what, numbers& input) {
        switch (what) {
        case replica_step::deliver:
            deliver(input);
            return true;
        case replica_step::reset:
            reset(input);
            return true;
        case replica_step::hold: {
            const std::size_t from = place(input);
            world_.hold(from, place(input));
            return true;
        }
        case replica_step::crash: {
            const std::size_t at = place(input);
            const std::size_t jobs = input.next() % 4;
            world_.crash(at, jobs, input.next());
            return true;
        }
        case replica_step::crash_later: {
            const std::size_t at = place(input);
            world_.crash_later(at, crash_plan_from(input.next()));
            return true;
        }
        case replica_step::restart: {
            const std::size_t at = place(input);
            world_.restart(at, input.next());
            return true;
        }
        case replica_step::rot: {
            const std::size_t at = place(input);
            const std::uint8_t index = input.next();
            world_.rot(at, index, input.next() != 0);
            return true;
        }
        case replica_step::wipe:
            world_.wipe(place(input));
            return true;
        case replica_step::fail_sync:
            world_.fail_sync(place(input));
            return true;
        case replica_step::lose:
            lose(input);
            return true;
        default:
            return false;
        }
    }

    void step_of_forger(replica_step what, numbers& input) {
        switch (what) {
        case replica_step::stranger:
            meet_stranger(input, true);
            break;
        case replica_step::impostor:
            meet_stranger(input, false);
            break;
        case replica_step::forge:
            lie(input, 1);
            break;
        case replica_step::flood:
            lie(input, 8);
            break;
        default:
            break;
        }
    }

    [[nodiscard]] std::optional<way_id> chosen_way(numbers& input) {
        const auto ways = world_.ways_with_news();
        const std::uint8_t choice = input.next();
        return ways.empty() ? std::optional<way_id>{} : ways[choice % ways.size()];
    }

    void deliver(numbers& input) {
        const auto id = chosen_way(input);
        const std::size_t count = 1 + input.next() % std::size_t{16};
        if (id) {
            world_.deliver(*id, count);
        }
    }

    void reset(numbers& input) {
        const auto all = world_.connections();
        const std::uint8_t choice = input.next();
        const std::uint8_t bits = input.next();
        if (!all.empty()) {
            world_.reset(all[choice % all.size()], bits);
        }
    }

    void lose(numbers& input) {
        const auto id = chosen_way(input);
        const std::uint8_t what = input.next();
        if (!id || !has(options_, replica_options::loose)) {
            return;
        }
        auto& frames = world_.way_at(*id).frames;
        if (frames.empty()) {
            return;
        }
        if (what == 0) {
            frames.pop_front();
        } else if (what == 1) {
            const frame_on_its_way again = frames.front();
            frames.push_back(again);
        } else {
            std::swap(frames.front(), frames.back());
        }
    }

    void meet_stranger(numbers& input, bool stranger_dials) {
        const std::size_t at = place(input);
        const std::uint8_t bits = input.next();
        const frame_on_its_way forged = forge(input, world_, nullptr);
        if (!world_.runs(at)) {
            return;
        }
        const auto connection =
            stranger_dials ? world_.strange_connection(at) : world_.strange_answer(at);
        if (!connection) {
            return;
        }
        const auto who = static_cast<stranger>(bits % static_cast<unsigned>(stranger::count_));
        const auto from = greeting_of(who, bits, world_, at);
        if (from) {
            replica::message hello = stranger_dials ? replica::message{replica::hello{*from}}
                                                    : replica::message{replica::hello_ok{*from}};
            world_.hand_over(
                *connection, at,
                {.epoch = forged.epoch,
                 .message = std::make_shared<const replica::message>(std::move(hello))});
        }
        // A later process of a member says nothing false, unless members lie.
        const bool speaks = who != stranger::other_process || has(options_, replica_options::lying);
        const int times = has(bits, stranger_bits::insists) ? 200 : 1;
        for (int i = 0; speaks && i < times; ++i) {
            world_.hand_over(*connection, at, forged);
        }
        if (!has(bits, stranger_bits::stays)) {
            world_.hang_up(*connection);
        }
    }

    /// A member says what it should not.
    void lie(numbers& input, int factor) {
        const auto id = chosen_way(input);
        const int times = factor == 1 ? 1 : factor * input.next();
        const frame_on_its_way forged = forge(input, world_, id ? &world_.way_at(*id) : nullptr);
        if (!id || !has(options_, replica_options::lying)) {
            return;
        }
        for (int i = 0; i < times; ++i) {
            world_.hand_over(id->first, world_.way_at(*id).to, forged);
        }
    }

    std::uint8_t options_;
    world world_;
    duration played_{0};
};

} // namespace

void play_input(base::byte_view bytes) {
    numbers input{bytes};
    play one{input.next()};
    for (int steps = 0; steps < most_steps && input.any_left(); ++steps) {
        one.step(input);
    }
    one.end();
}

} // namespace almenara::fuzz
