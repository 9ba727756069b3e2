#include "replica/ballot.hpp"
#include "replica/log_view.hpp"
#include "replica/log_writer.hpp"
#include "replica/outbox.hpp"
#include "replica/sync_set.hpp"
#include "unit/replica/stand.hpp"
#include "wire/codec.hpp"

// The small parts that the core is made of, each alone.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::history;
using test::one;
using test::three;
using test::two;

constexpr log_index at(std::uint64_t i) {
    return log_index{i};
}

history some_log() {
    return history{test::cluster_of(3)}.add(epoch{2}, 3).add(epoch{4}, 2);
}

log_view view_of(const history& log) {
    return log_view{started(test::cluster_of(3), two, log)};
}

outgoing said_on(std::uint64_t connection, message what) {
    return {.peer = three,
            .connection = connection_id{connection},
            .epoch = epoch{2},
            .message = std::make_shared<const message>(std::move(what))};
}

} // namespace

// -- log_view -------------------------------------------------------------------------------------

TEST_CASE("log_view: knows every position, the run of each epoch, and nothing beyond its ends") {
    const history log = some_log();
    const log_view view = view_of(log);
    CHECK(view.last() == log.last());
    for (std::uint64_t i = 0; i <= 6; ++i) {
        CHECK(view.at(at(i)) == log.at(at(i)));
    }
    CHECK_FALSE(view.at(at(7)));
    CHECK_FALSE(view.at(log_index{~0ULL}));
    CHECK(view.first_of_epoch(at(1)) == at(1));
    CHECK(view.first_of_epoch(at(4)) == at(2));
    CHECK(view.first_of_epoch(at(6)) == at(5));
    CHECK(view.find(at(7)) == nullptr);
    CHECK(view.find(at(0)) == nullptr);
}

TEST_CASE("log_view: what follows is dense, chained, and of an epoch that does not go back") {
    const history log = some_log();
    log_view view = view_of(log);
    entry next{.index = at(7), .epoch = epoch{4}};
    base::byte_vector scratch;
    const auto sealed = [&] {
        next.hash = chain_hash(log.last().hash, next, scratch);
        return next;
    };
    CHECK(view.continues(sealed()));
    next.epoch = epoch{3};
    CHECK_FALSE(view.continues(sealed()));
    next.epoch = epoch{4};
    next.index = at(8);
    CHECK_FALSE(view.continues(sealed()));
    next.index = at(7);
    static_cast<void>(sealed());
    next.hash = hash64{next.hash.value() + 1};
    CHECK_FALSE(view.continues(next));
}

TEST_CASE("log_view: a truncation takes entries, epochs, bytes and configs with it") {
    const auto config = test::cluster_of(4);
    entry change{.epoch = epoch{2}, .type = entry_type::config};
    wire::encode(config, change.payload);
    log_view view = view_of(history{test::cluster_of(3)}.add(epoch{2}, 2));
    const std::size_t bytes = view.bytes_in_memory();
    view.append(view.seal(change));
    CHECK(view.config()->members.size() == 4);
    CHECK(view.config_index() == at(4));
    view.truncate_after(at(3));
    CHECK(view.config()->members.size() == 3);
    CHECK(view.config_index() == at(1));
    CHECK(view.bytes_in_memory() == bytes);
    CHECK(view.last().index == at(3));
    view.truncate_after(at(1));
    CHECK(view.last().epoch == epoch{1});
    CHECK(view.first_of_epoch(at(1)) == at(1));
}

TEST_CASE("log_view: trim lets go of the oldest below what it was told, and keeps the last") {
    const history log = some_log();
    log_view view = view_of(log);
    view.trim(at(5), 0);
    CHECK(view.first_in_memory() == at(5));
    CHECK(view.find(at(4)) == nullptr);
    CHECK(view.find(at(5)) != nullptr);
    CHECK(view.at(at(2)) == log.at(at(2)));
    view.trim(at(6), view.bytes_in_memory());
    CHECK(view.first_in_memory() == at(5));
    CHECK(view.verifies(*log.entries()[2]));
    view.trim(at(6), 0);
    CHECK(view.find(at(6)) != nullptr); // B.4: the log time stands in it.
    entry other = *log.entries()[2];
    other.seq = 5;
    CHECK_FALSE(view.verifies(other));
    other = *log.entries()[2];
    other.index = at(0);
    CHECK_FALSE(view.verifies(other));
}

TEST_CASE("log_view: a log that begins behind a base") {
    const history log = some_log();
    start_state start = started(test::cluster_of(3), two, log);
    start.base = log.at(at(3));
    start.positions.erase(start.positions.begin(), start.positions.begin() + 3);
    start.recent.erase(start.recent.begin(), start.recent.begin() + 3);
    const log_view view{start};
    CHECK(view.first() == at(4));
    CHECK(view.at(at(3)) == log.at(at(3)));
    CHECK_FALSE(view.at(at(2)));
    CHECK(view.last() == log.last());
}

// -- log_writer -----------------------------------------------------------------------------------

TEST_CASE("log_writer: durable is what was synced, in order, and a batch covers those before it") {
    const history log = some_log();
    log_writer writer{at(1), false};
    writer.write(log.entries()[1], log.at(at(1)));
    writer.write(log.entries()[2], log.at(at(2)));
    const batch_number first = writer.newest();
    CHECK(writer.take(instant{1s}).size() == 1);
    writer.write(log.entries()[3], log.at(at(3)));
    const batch_number second = writer.newest();
    CHECK(first < second);
    CHECK(writer.synced(second,
                        instant{})); // It was never handed out: only the one before it counts.
    CHECK(writer.durable() == at(3));
}

TEST_CASE("log_writer: a sync of what was truncated meanwhile counts for what is left") {
    const history log = some_log();
    log_writer writer{at(1), false};
    for (std::uint64_t i = 2; i <= 4; ++i) {
        writer.write(log.entries()[i - 1], log.at(at(i - 1)));
    }
    const batch_number written = writer.newest();
    static_cast<void>(writer.take(instant{1s}));
    writer.truncate(log.at(at(2)));
    CHECK(writer.synced(written, instant{}));
    CHECK(writer.durable() == at(2));
    const auto jobs = writer.take(instant{2s});
    REQUIRE(jobs.size() == 1);
    CHECK(jobs[0].truncates);
    CHECK(jobs[0].previous == log.at(at(2)));
}

TEST_CASE("log_writer: after damage the first write cuts what the disk still has behind it") {
    const history log = some_log();
    log_writer writer{at(3), true};
    writer.write(log.entries()[3], log.at(at(3)));
    CHECK(writer.take(instant{1s}).at(0).truncates);
    writer.write(log.entries()[4], log.at(at(4)));
    CHECK_FALSE(writer.take(instant{1s}).at(0).truncates);
}

TEST_CASE("log_writer: pending_since is the oldest job that is out") {
    const history log = some_log();
    log_writer writer{at(1), false};
    CHECK_FALSE(writer.pending_since());
    writer.write(log.entries()[1], log.at(at(1)));
    CHECK_FALSE(writer.pending_since());
    static_cast<void>(writer.take(instant{5s}));
    const batch_number first = writer.newest();
    writer.write(log.entries()[2], log.at(at(2)));
    static_cast<void>(writer.take(instant{6s}));
    CHECK(writer.pending_since() == instant{5s});
    static_cast<void>(writer.synced(first, instant{}));
    CHECK(writer.pending_since() == instant{6s});
}

// -- outbox ---------------------------------------------------------------------------------------

TEST_CASE("outbox: what waits for both syncs leaves with the later one") {
    outbox box;
    box.put(said_on(1, append_ack{.match = at(5)}),
            {.meta = meta_number{2}, .batch = batch_number{7}});
    CHECK(box.take().empty());
    box.log_synced(batch_number{6});
    box.meta_synced(meta_number{2});
    CHECK(box.take().empty());
    box.log_synced(batch_number{8});
    CHECK(box.take().size() == 1);
    CHECK(box.waiting() == 0);
}

TEST_CASE("outbox: what waits for a connection that is gone is dropped, the rest is not") {
    outbox box;
    box.put(said_on(1, append_ack{.match = at(5)}), {.meta = {}, .batch = batch_number{7}});
    box.put(said_on(2, append_ack{.match = at(5)}), {.meta = {}, .batch = batch_number{7}});
    box.drop(connection_id{1});
    box.log_synced(batch_number{7});
    const auto out = box.take();
    REQUIRE(out.size() == 1);
    CHECK(out[0].connection == connection_id{2});
}

TEST_CASE("outbox: a later ack of the same batch says all that the earlier one did") {
    outbox box;
    for (std::uint64_t i = 1; i <= 9; ++i) {
        box.put(said_on(1, append_ack{.match = at(i)}), {.meta = {}, .batch = batch_number{7}});
    }
    box.put(said_on(1, append_ack{.match = at(10)}), {.meta = {}, .batch = batch_number{8}});
    CHECK(box.waiting() == 2);
    box.log_synced(batch_number{7});
    const auto out = box.take();
    REQUIRE(out.size() == 1);
    CHECK(std::get<append_ack>(*out[0].message).match == at(9));
}

// -- ballot ---------------------------------------------------------------------------------------

TEST_CASE("ballot: one record at a time, and record() names the one that will hold the word") {
    ballot b{persistent{.epoch = epoch{1}}};
    CHECK_FALSE(b.busy());
    b.adopt(epoch{2}, promised{.id = one, .incarnation = incarnation{5}});
    const meta_number first = b.record();
    const auto out = b.take(instant{1s});
    REQUIRE(out);
    CHECK(out->number == first);
    b.adopt(epoch{3}, std::nullopt);
    CHECK(b.record() == first.next());
    CHECK_FALSE(b.take(instant{1s}));
    CHECK_FALSE(b.synced(first.next(), instant{2s}));
    CHECK(b.synced(first, instant{3s}));
    CHECK(b.last_sync() == 2s);
    CHECK(b.durable().epoch == epoch{2});
    CHECK(b.word().epoch == epoch{3});
    CHECK(b.busy());
    CHECK(b.take(instant{3s})->number == first.next());
}

// -- sync_set -------------------------------------------------------------------------------------

TEST_CASE("sync_set: who is silent leaves when its oldest unacked entry is sync_drop old") {
    const timers t;
    const instant start{10s};
    sync_set set{t, {one, two, three}, {one, two}, at(5), start};
    CHECK(set.contains(one));
    CHECK_FALSE(set.contains(three)); // Not trusted at the start.
    set.observe(one, at(5), true, start + 1ms);
    set.cut(at(9), start + 100ms);
    CHECK(set.next_change(one, at(5)) == start + 300ms);
    set.observe(one, at(5), true, start + 299ms);
    CHECK(set.contains(one));
    set.observe(one, at(5), true, start + 300ms);
    CHECK_FALSE(set.contains(one));
}

TEST_CASE("sync_set: an ack in time keeps it in, however many entries come") {
    const timers t;
    instant now{10s};
    sync_set set{t, {one, two}, {one, two}, at(5), now};
    for (std::uint64_t i = 6; i < 200; ++i) {
        set.cut(at(i), now);
        set.committed(at(i), now);
        now = now + 10ms;
        set.observe(one, at(i - 1), true, now);
    }
    CHECK(set.contains(one));
}

TEST_CASE("sync_set: who is not fit does not join, and who flaps not before its time") {
    const timers t;
    const instant start{10s};
    sync_set set{t, {one, two}, {two}, at(5), start};
    set.observe(one, at(5), false, start + 150ms);
    CHECK_FALSE(set.contains(one));
    set.observe(one, at(5), true, start + 249ms);
    CHECK_FALSE(set.contains(one));
    set.observe(one, at(5), true, start + 250ms);
    CHECK(set.contains(one));
    set.remove(one, start + 5s);
    set.observe(one, at(5), true, start + 4s);
    CHECK_FALSE(set.contains(one));
    set.observe(one, at(5), true, start + 5s);
    CHECK(set.contains(one));
}

TEST_CASE("sync_set: who is no voter never gets in") {
    const timers t;
    sync_set set{t, {one, two}, {one, two, three}, at(5), instant{10s}};
    CHECK_FALSE(set.contains(three));
    set.observe(three, at(99), true, instant{20s});
    CHECK_FALSE(set.contains(three));
    CHECK(set.next_change(three, at(99)) == instant::max());
}

} // namespace almenara::replica
