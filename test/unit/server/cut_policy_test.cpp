#include "server/cut_policy.hpp"

#include <catch2/catch_all.hpp>

// Decision 004: when what was proposed becomes a batch.
namespace almenara::server {

namespace {

using namespace std::chrono_literals;

/// Proposes and looks, as a driver does turn by turn.
class primary_stand {
  public:
    explicit primary_stand(std::size_t depth = 1) : policy_(depth) {}

    void propose(std::size_t count, std::size_t bytes = 100) {
        for (std::size_t i = 0; i < count; ++i) {
            last_ = last_.next();
            policy_.proposed(last_, bytes);
        }
    }
    bool cuts() { return policy_.decide(now_).cut; }
    std::optional<instant> gathers_until() { return policy_.decide(now_).gather_until; }
    /// All that was proposed is committed.
    void commit() { policy_.committed(last_); }
    void pass(duration time) { now_ = now_ + time; }
    [[nodiscard]] instant now() const { return now_; }
    cut_policy& policy() { return policy_; }
    [[nodiscard]] log_index last() const { return last_; }

    /// A batch of so many entries, from the proposals to the commit.
    void round(std::size_t count) {
        propose(count);
        pass(cut_policy::longest_gather);
        while (!cuts()) {
            pass(cut_policy::longest_gather);
        }
        commit();
    }

  private:
    cut_policy policy_;
    instant now_{1h};
    log_index last_{7};
};

} // namespace

TEST_CASE("decision 004: what the core itself writes waits for nobody") {
    primary_stand s;
    CHECK(s.cuts());
    s.round(10);
    CHECK(s.cuts());
}

TEST_CASE("decision 004: requests that are here belong to the batch, but not for ever") {
    primary_stand s;
    s.propose(32);
    CHECK_FALSE(s.policy().decide(s.now(), true).cut);
    s.propose(32);
    CHECK(s.policy().decide(s.now(), false).cut);
    s.commit();
    // A flood: each turn leaves some for the next.
    s.propose(64);
    CHECK_FALSE(s.policy().decide(s.now(), true).cut);
    s.pass(cut_policy::longest_completion);
    CHECK(s.policy().decide(s.now(), true).cut);
    s.commit();
    // A large batch waits for nobody, and what the core itself writes neither.
    CHECK(s.policy().decide(s.now(), true).cut);
    s.propose(1, cut_policy::large_batch);
    CHECK(s.policy().decide(s.now(), true).cut);
}

TEST_CASE("decision 004: one client never waits") {
    primary_stand s;
    for (int i = 0; i < 5; ++i) {
        s.propose(1);
        CHECK(s.cuts());
        s.commit();
    }
}

TEST_CASE("decision 004: no more batches are on their way than the depth allows") {
    const std::size_t depth = GENERATE(as<std::size_t>{}, 1, 2, 4);
    CAPTURE(depth);
    primary_stand s{depth};
    for (std::size_t i = 0; i < depth; ++i) {
        s.propose(1);
        CHECK(s.cuts());
    }
    s.propose(1);
    CHECK_FALSE(s.cuts());
    CHECK_FALSE(s.gathers_until());
    s.policy().committed(log_index{8}); // The first one.
    CHECK(s.cuts());
}

TEST_CASE("decision 004: those who were answered together get a moment to ask again together") {
    primary_stand s;
    s.round(4);
    s.propose(3);
    CHECK_FALSE(s.cuts());
    CHECK(s.gathers_until() == s.now() + cut_policy::longest_gather);
    SECTION("until the last one has come") {
        s.propose(1);
        CHECK(s.cuts());
    }
    SECTION("or until the moment is over") {
        const auto until = s.gathers_until();
        s.pass(cut_policy::longest_gather / 2);
        CHECK(s.gathers_until() == until);
        s.pass(cut_policy::longest_gather / 2);
        CHECK(s.cuts());
    }
}

TEST_CASE("decision 004: a client that goes away is waited for once") {
    primary_stand s;
    s.round(4);
    s.propose(3);
    CHECK_FALSE(s.cuts());
    s.pass(cut_policy::longest_gather);
    CHECK(s.cuts());
    s.commit();
    s.propose(3);
    CHECK(s.cuts());
}

TEST_CASE("decision 004: a large batch waits for nobody") {
    primary_stand s;
    s.round(4);
    s.propose(1, cut_policy::large_batch);
    CHECK(s.cuts());
}

TEST_CASE("decision 004: a new term of office does not wait for batches of the old one") {
    primary_stand s;
    s.propose(4);
    CHECK(s.cuts());
    s.propose(4);
    CHECK_FALSE(s.cuts());
    s.policy().office_changed();
    CHECK(s.cuts()); // They are gone.
    s.propose(1);
    CHECK(s.cuts());
}

TEST_CASE("decision 004: entries of others between two proposals are not waited for") {
    cut_policy policy{1};
    policy.proposed(log_index{5}, 100);
    CHECK(policy.decide(instant{1h}).cut);
    policy.committed(log_index{5});
    policy.office_changed();
    policy.proposed(log_index{90}, 100);
    CHECK(policy.decide(instant{1h}).cut);
    policy.committed(log_index{90});
    policy.proposed(log_index{91}, 100);
    CHECK(policy.decide(instant{1h}).cut);
}

} // namespace almenara::server
