#include "replica/config.hpp"

#include "support/results.hpp"
#include "wire/codec.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>

namespace almenara::replica {

namespace {

data_uuid uuid_of(unsigned char fill) {
    data_uuid::rep bytes{};
    bytes.fill(std::byte{fill});
    return data_uuid{bytes};
}

member voter(std::uint16_t id) {
    return {.id = server_id{id},
            .uuid = uuid_of(static_cast<unsigned char>(id)),
            .addresses = {"host:1"}};
}

member learner(std::uint16_t id) {
    member m = voter(id);
    m.voter = false;
    return m;
}

} // namespace

TEST_CASE("B.1 a majority is of the voters, learners do not count") {
    cluster_config config;
    CHECK(voters(config) == 0);
    config.members = {voter(1)};
    CHECK(majority(config) == 1);
    config.members = {voter(1), voter(2)};
    CHECK(majority(config) == 2);
    config.members = {voter(1), voter(2), voter(3), learner(4), learner(5)};
    CHECK(voters(config) == 3);
    CHECK(majority(config) == 2);
    config.members = {voter(1), voter(2), voter(3), voter(4)};
    CHECK(majority(config) == 3);
}

TEST_CASE("a member is found by its id, and only a voter votes") {
    const cluster_config config{.members = {voter(1), learner(2)}};
    REQUIRE(find_member(config, server_id{2}) != nullptr);
    CHECK(find_member(config, server_id{2})->uuid == uuid_of(2));
    CHECK(find_member(config, server_id{3}) == nullptr);
    CHECK(is_voter(config, server_id{1}));
    CHECK_FALSE(is_voter(config, server_id{2}));
    CHECK_FALSE(is_voter(config, server_id{3}));
}

TEST_CASE("B.12.3 the cluster's id follows from ids and disks, in whatever order they are listed") {
    const cluster_config config{.members = {voter(1), voter(2), voter(3)}};
    cluster_config shuffled{.members = {voter(3), voter(1), voter(2)}};
    CHECK(cluster_of_list(config) == cluster_of_list(shuffled));
    shuffled.members[0].addresses = {"elsewhere:2"};
    CHECK(cluster_of_list(config) == cluster_of_list(shuffled));
    shuffled.members[0].uuid = uuid_of(9);
    CHECK(cluster_of_list(config) != cluster_of_list(shuffled));
    CHECK(cluster_of_list(config) != cluster_of_list({.members = {voter(1), voter(2)}}));
}

TEST_CASE("B.12.3 a cluster's id is what the first bytes of SHA-256 of its list are") {
    // sha256sum over 0100, sixteen times 01, 0200, sixteen times 02.
    CHECK(base::to_hex(cluster_of_list({.members = {voter(1), voter(2)}}).value()) ==
          "96001365273c96ee0cc78cd848992769");
}

TEST_CASE("B.12.3 the first entry is the CONFIG of the list in epoch 1") {
    const cluster_config config{.members = {voter(1), voter(2)}, .confirm = confirm_policy::all};
    const entry first = first_entry(config);
    CHECK(first.index == log_index{1});
    CHECK(first.epoch == epoch{1});
    CHECK(first.type == entry_type::config);
    CHECK(first.time == wall_time{});
    CHECK(test::value_of(wire::decode<cluster_config>(first.payload)) == config);
    base::byte_vector scratch;
    CHECK(first.hash == chain_hash(hash64{0}, first, scratch));
    CHECK(first_entry(config) == first);
}

TEST_CASE("B.12.3 lists are the same in any order, and others if an id is added or taken away") {
    using ids = std::vector<server_id>;
    const hash64 usual = list_hash(ids{server_id{1}, server_id{2}, server_id{300}});
    CHECK(list_hash(ids{server_id{300}, server_id{1}, server_id{2}}) == usual);
    CHECK(list_hash(ids{server_id{1}, server_id{2}}) != usual);
    CHECK(list_hash(ids{server_id{1}, server_id{2}, server_id{3}}) != usual);
}

} // namespace almenara::replica
