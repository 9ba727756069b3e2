#pragma once

#include "sim/dice.hpp"
#include "sim/network.hpp"
#include "sim/profile.hpp"
#include "sim/scene.hpp"
#include "sim/server.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace almenara::sim {

using servers = std::vector<std::unique_ptr<server>>;

/// Lets things go wrong, at the pace of a profile, and mends them again. What it never does is
/// more than the protocol promises to bear: at most a minority of the logs is damaged at a time.
class nemesis {
  public:
    nemesis(
        const profile& pace, servers& victims, std::vector<node> clients, scene& around, dice luck);

    void begin();
    /// Everything is mended; nothing goes wrong from now on. Whoever does not run starts again
    /// within `within`.
    void stop(duration within);

    void on(const appointment& due);

  private:
    using direction = std::pair<node, node>;

    void plan(fault what);
    void strike(fault what);
    void strike_process(fault what);
    void strike_network(fault what);
    void strike_disk(fault what);
    /// Its number, for who wants it mended before.
    std::uint64_t cut(std::vector<direction> ways, duration length);
    void mend_now(std::uint64_t number);
    void mend_at_late_chunk(std::uint64_t number, std::uint64_t chunks);
    void hold_chunk(server_id from, server_id to);
    void let_go_when_newer(std::uint64_t number, const server& who, epoch than);
    void swizzle();
    void flap();
    void constrain();
    [[nodiscard]] const server* primary() const;
    void kill_all(death how);
    void rot();
    void misdirect();
    /// Its log may be hurt: a minority is, and whoever begins anew behind its state leaves nothing
    /// out that another one needs.
    [[nodiscard]] bool may_be_hurt(const server& who) const;
    [[nodiscard]] log_index where_to_rot(const server& who);
    void lose_disk();
    std::uint64_t mend_later(duration after, std::function<void()> how);
    [[nodiscard]] std::vector<direction> both_ways(const std::set<node>& a,
                                                   const std::set<node>& b) const;
    [[nodiscard]] std::vector<direction> among(const std::set<node>& all) const;
    [[nodiscard]] std::set<node> others(const std::set<node>& than) const;
    [[nodiscard]] std::set<node> random_half();
    [[nodiscard]] std::vector<direction> chain();
    /// A cut between servers goes through the clients as well: each is on one side of it, or the
    /// half of the time all of them still reach everybody.
    void take_sides(std::set<node>& one, std::set<node>& other);
    /// A server and whoever it talks to, in any order.
    [[nodiscard]] direction any_direction();
    [[nodiscard]] node any_of(const std::set<node>& some);
    [[nodiscard]] server& any();
    /// Somebody who may go down: mostly a majority stays.
    [[nodiscard]] server* victim();
    [[nodiscard]] std::size_t impaired() const;
    [[nodiscard]] std::size_t minority() const { return (victims_.size() - 1) / 2; }
    void start_later(server& who);

    profile pace_;
    servers& victims_;
    std::vector<node> clients_;
    scene& around_;
    dice luck_;
    bool stopped_ = false;
    std::uint64_t late_chunks_ = 0;
    std::uint64_t last_mend_ = 0;
    std::map<std::uint64_t, std::function<void()>> mends_;
};

} // namespace almenara::sim
