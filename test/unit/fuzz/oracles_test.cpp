#include "fuzz/replica/oracles.hpp"

#include "fuzz/replica/world.hpp"
#include "support/replica_start.hpp"

#include <catch2/catch_all.hpp>

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

// The oracles of fuzz-replica are shown histories that they must refuse. Those that come from a
// rule of the core switched off are found by search-replica.

using namespace almenara;
using namespace std::chrono_literals;

namespace {

using fuzz::entries;

const replica::cluster_config config = test::cluster_of(3);

/// A log by the epochs of its entries; another content with another mark.
entries log_of(std::initializer_list<std::uint64_t> epochs, std::uint64_t mark = 0) {
    entries log;
    base::byte_vector scratch;
    for (const std::uint64_t in : epochs) {
        if (log.empty()) {
            log.push_back(std::make_shared<const replica::entry>(replica::first_entry(config)));
            continue;
        }
        replica::entry next{
            .index = log.back()->index.next(), .epoch = epoch{in}, .seq = mark * 1000 + log.size()};
        next.hash = replica::chain_hash(log.back()->hash, next, scratch);
        log.push_back(std::make_shared<const replica::entry>(std::move(next)));
    }
    return log;
}

/// What is believed to be so of a server; its process and its disk may differ.
struct belief {
    entries on_disk;
    std::optional<entries> in_memory; ///< none: the same
    std::uint64_t committed = 0;
    replica::persistent meta{.epoch = epoch{5}};
};

struct history {
    explicit history(bool everybody_honest = true) : oracles(servers, everybody_honest) {
        servers.reserve(3);
    }

    void add(const belief& one) {
        const server_id id{static_cast<std::uint16_t>(servers.size() + 1)};
        replica::start_state found = test::empty_start(config, id);
        found.meta = one.meta;
        found.recent = one.on_disk;
        servers.push_back({.id = id, .uuid = found.uuid, .disk = fuzz::disk{found}});
        servers.back().incarnation = replica::incarnation{id.value()};
        run(servers.size() - 1, one);
        oracles.started(servers.size() - 1);
    }

    /// There is another process, and the oracles are not told.
    void run(std::size_t place, const belief& one) {
        replica::start_state read = test::empty_start(config, servers[place].id);
        const fuzz::disk memory{with_log(read, one)};
        memory.describe(read);
        read.applied = log_index{one.committed};
        servers[place].core.emplace(std::move(read), replica::settings{},
                                    replica::moment{instant{1s}, wall_time{1'700'000'000s}});
    }

    [[nodiscard]] static replica::start_state with_log(replica::start_state start,
                                                       const belief& one) {
        start.meta = one.meta;
        start.recent = one.in_memory ? *one.in_memory : one.on_disk;
        return start;
    }

    void says(std::size_t place, std::uint64_t in_epoch, replica::message what) {
        oracles.will_send(place,
                          {.peer = server_id{3},
                           .epoch = epoch{in_epoch},
                           .message = std::make_shared<const replica::message>(std::move(what))});
    }

    void writes(std::size_t place, replica::persistent fields) {
        replica::output out;
        out.meta = replica::meta_record{.number = {}, .fields = std::move(fields)};
        oracles.will_write(place, out);
    }

    /// The log is cut behind the first `keep` entries, and goes on as that one does.
    void writes(std::size_t place, std::size_t keep, const entries& then) {
        replica::output out;
        replica::log_write write{.truncates = keep < servers[place].disk.durable().size()};
        write.previous = replica::point_of(*servers[place].disk.durable()[keep - 1]);
        for (std::size_t i = keep; i < then.size(); ++i) {
            write.entries.push_back(then[i]);
        }
        out.log.push_back(std::move(write));
        oracles.will_write(place, out);
    }

    /// An output that asks for nothing: what was learnt until then is known.
    void turns(std::size_t place) { oracles.will_write(place, {}); }

    void applies(std::size_t place, replica::entry_ptr what) {
        replica::output out;
        out.apply.push_back(std::move(what));
        oracles.will_apply(place, out);
    }

    std::vector<fuzz::server> servers;
    fuzz::oracles oracles;
};

replica::persistent promised(std::uint64_t in_epoch, std::uint16_t to) {
    return {.epoch = epoch{in_epoch},
            .promised_to = replica::promised{server_id{to}, replica::incarnation{to}}};
}

replica::persistent damaged(std::optional<std::uint64_t> end) {
    replica::persistent meta{.epoch = epoch{5}};
    meta.damaged = replica::damage{.from = log_index{2}};
    if (end) {
        meta.damaged->end = replica::log_end{.epoch = epoch{2}, .index = log_index{*end}};
    }
    return meta;
}

template <class Call>
void check_refused(std::string_view invariant, Call&& call) {
    try {
        call();
    } catch (const fuzz::violation& found) {
        INFO(found.what());
        CHECK(found.invariant() == invariant);
        return;
    }
    FAIL("nothing was said about " << invariant);
}

} // namespace

TEST_CASE("I1 two servers in office in one epoch are seen") {
    history h;
    h.add({.on_disk = log_of({1, 2}), .meta = promised(5, 1)});
    h.add({.on_disk = log_of({1, 2}), .meta = promised(5, 2)});
    h.oracles.took_office(0, epoch{5});
    check_refused("I1", [&] { h.oracles.took_office(1, epoch{5}); });
}

TEST_CASE("I2 an epoch that falls on the disk is seen, and an answer before its epoch is durable") {
    const bool honest = GENERATE(true, false);
    history h{honest};
    h.add({.on_disk = log_of({1, 2})});
    check_refused("I2", [&] { h.writes(0, {.epoch = epoch{4}}); });
    CHECK_NOTHROW(h.says(0, 5, replica::append_ack{.match = log_index{2}}));
    check_refused("I2", [&] { h.says(0, 6, replica::append_ack{.match = log_index{2}}); });
    check_refused("I2", [&] { h.says(0, 6, replica::heartbeat{}); });
    check_refused("I2",
                  [&] { h.says(0, 5, replica::promise{.claimed = epoch{6}, .granted = true}); });
}

TEST_CASE("I3 a second promise of an epoch is seen, also after a restart") {
    const bool honest = GENERATE(true, false);
    history h{honest};
    h.add({.on_disk = log_of({1, 2}), .meta = promised(5, 3)});
    check_refused("I3", [&] { h.writes(0, promised(5, 2)); });
    CHECK_NOTHROW(h.says(0, 5, replica::promise{.claimed = epoch{5}, .granted = true}));
    h.oracles.ended(0);
    replica::persistent later = promised(5, 3);
    later.promised_to->incarnation = replica::incarnation{77};
    h.servers[0].disk.write(replica::meta_record{.number = {}, .fields = later});
    static_cast<void>(h.servers[0].disk.sync_meta());
    h.oracles.started(0);
    check_refused("I3",
                  [&] { h.says(0, 5, replica::promise{.claimed = epoch{5}, .granted = true}); });
}

TEST_CASE("I4 a primary that cuts its log is seen") {
    const bool honest = GENERATE(true, false);
    history h{honest};
    h.add({.on_disk = log_of({1, 2, 2}), .meta = promised(5, 1)});
    h.oracles.took_office(0, epoch{5});
    check_refused("I4", [&] { h.writes(0, 2, {}); });
}

TEST_CASE("I5 two entries of one epoch at one index are seen") {
    history h;
    h.add({.on_disk = log_of({1})});
    h.add({.on_disk = log_of({1})});
    h.writes(0, 1, log_of({1, 2}));
    check_refused("I5", [&] { h.writes(1, 1, log_of({1, 2}, 7)); });
}

TEST_CASE("I6 a primary that lacks a committed entry is seen") {
    history h;
    h.add({.on_disk = log_of({1, 2, 2}), .committed = 3});
    h.add({.on_disk = log_of({1, 2, 2})});
    h.add({.on_disk = log_of({1, 2}), .meta = promised(5, 3)});
    h.oracles.stepped(0);
    check_refused("I6", [&] { h.oracles.took_office(2, epoch{5}); });
}

TEST_CASE("I7 a cut of what is committed is seen") {
    history h;
    h.add({.on_disk = log_of({1, 2, 2}), .committed = 3});
    h.add({.on_disk = log_of({1, 2, 2})});
    h.oracles.stepped(0);
    h.turns(0);
    check_refused("I7", [&] { h.writes(0, 2, {}); });
    check_refused("I7", [&] { h.writes(1, 2, {}); });
    CHECK_NOTHROW(h.writes(1, 3, log_of({1, 2, 2, 3})));
}

TEST_CASE("I7 no lie excuses a cut of what the own process knew as committed") {
    history h{false};
    h.add({.on_disk = log_of({1, 2, 2}), .committed = 3});
    h.add({.on_disk = log_of({1, 2, 2})});
    h.oracles.stepped(0);
    h.turns(0);
    check_refused("I7", [&] { h.writes(0, 2, {}); });
    CHECK_NOTHROW(h.writes(1, 2, {}));
}

TEST_CASE("I8 a commit index that falls is seen") {
    const bool honest = GENERATE(true, false);
    history h{honest};
    const belief before{.on_disk = log_of({1, 2, 2}), .committed = 3};
    h.add(before);
    h.add(before);
    h.oracles.stepped(0);
    h.run(0, {.on_disk = before.on_disk, .committed = 2});
    check_refused("I8", [&] { h.oracles.stepped(0); });
}

TEST_CASE("I9 two entries that are committed at one index are seen") {
    history h;
    h.add({.on_disk = log_of({1, 2}), .committed = 2});
    h.add({.on_disk = log_of({1, 2})});
    h.add({.on_disk = log_of({1, 3}), .committed = 2});
    h.oracles.stepped(0);
    check_refused("I9", [&] { h.oracles.stepped(2); });
}

TEST_CASE("I10 only what is committed, in its order and on the disk, is applied") {
    const bool honest = GENERATE(true, false);
    const entries log = log_of({1, 2, 2, 2});
    history h{honest};
    h.add({.on_disk = log_of({1, 2, 2}), .in_memory = log, .committed = 3});
    h.add({.on_disk = log});
    h.oracles.stepped(0);
    SECTION("it is not committed") {
        for (std::size_t i = 0; i < 3; ++i) {
            h.applies(0, log[i]);
        }
        check_refused("I10", [&] { h.applies(0, log[3]); });
    }
    SECTION("one is left out") {
        check_refused("I10", [&] { h.applies(0, log[1]); });
    }
    SECTION("the disk has another one") {
        h.applies(0, log[0]);
        check_refused("I10", [&] { h.applies(0, log_of({1, 2, 2}, 7)[1]); });
    }
    SECTION("it is confirmed, but not committed") {
        replica::output out;
        out.confirmed.push_back({.first = log_index{4}, .last = log_index{4}});
        check_refused("I10", [&] { h.oracles.will_apply(0, out); });
    }
}

TEST_CASE("I11 an ack is compared with what the disk has, and not only counted") {
    const bool honest = GENERATE(true, false);
    history h{honest};
    // Cut to 2 and 3 to 4 of epoch 3 are queued: the disk still has the old suffix.
    h.add({.on_disk = log_of({1, 2, 2, 2, 2}), .in_memory = log_of({1, 2, 3, 3})});
    CHECK_NOTHROW(h.says(0, 5, replica::append_ack{.match = log_index{2}}));
    check_refused("I11", [&] { h.says(0, 5, replica::append_ack{.match = log_index{4}}); });
    check_refused("I11", [&] { h.says(0, 5, replica::heartbeat_ack{.match = log_index{3}}); });
}

TEST_CASE("I11 what is committed is on a majority of disks") {
    history h;
    h.add({.on_disk = log_of({1, 2, 2}), .committed = 3});
    h.add({.on_disk = log_of({1, 2})});
    h.add({.on_disk = log_of({1, 2})});
    check_refused("I11", [&] { h.oracles.stepped(0); });
}

TEST_CASE("I11 a lost disk counts for what it held, and for nothing later") {
    history h;
    const entries log = log_of({1, 2, 2});
    h.add({.on_disk = log, .committed = 2});
    h.add({.on_disk = log_of({1})});
    h.add({.on_disk = log});
    fuzz::server& lost = h.servers[2];
    lost.was_wiped = true;
    lost.held_at_wipe[log_index{1}] = log[0]->hash;
    lost.held_at_wipe[log_index{2}] = log[1]->hash;
    lost.uuid = data_uuid{data_uuid::rep{std::byte{0xff}}};
    CHECK_NOTHROW(h.oracles.stepped(0));
    h.run(0, {.on_disk = log, .committed = 3});
    check_refused("I11", [&] { h.oracles.stepped(0); });
}

TEST_CASE("I25 an office without a durable promise of its own, or with damage, is seen") {
    const bool honest = GENERATE(true, false);
    history h{honest};
    h.add({.on_disk = log_of({1, 2}), .meta = promised(5, 2)});
    h.add({.on_disk = log_of({1, 2}), .meta = promised(4, 2)});
    replica::persistent with_damage = promised(5, 3);
    with_damage.damaged = damaged(4).damaged;
    h.add({.on_disk = log_of({1, 2}), .meta = with_damage});
    check_refused("I25", [&] { h.oracles.took_office(0, epoch{5}); });
    check_refused("I25", [&] { h.oracles.took_office(1, epoch{5}); });
    check_refused("I25", [&] { h.oracles.took_office(2, epoch{5}); });
}

TEST_CASE("I26 damage that is lowered is seen") {
    const bool honest = GENERATE(true, false);
    history h{honest};
    h.add({.on_disk = log_of({1}), .meta = damaged(4)});
    h.add({.on_disk = log_of({1}), .meta = damaged(std::nullopt)});
    CHECK_NOTHROW(h.writes(0, damaged(std::nullopt)));
    check_refused("I26", [&] { h.writes(0, damaged(3)); });
    check_refused("I26", [&] { h.writes(1, damaged(4)); });
}

TEST_CASE("I26 damage that is forgotten before what was lost is there again is seen") {
    history h;
    h.add({.on_disk = log_of({1, 2, 2}), .committed = 3});
    h.add({.on_disk = log_of({1, 2, 2}), .meta = damaged(3)});
    h.oracles.stepped(0);
    h.servers[1].disk.rot(log_index{2}, true);
    check_refused("I26", [&] { h.writes(1, {.epoch = epoch{5}}); });
}
