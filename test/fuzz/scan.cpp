// A log that was written, and what a disk makes of it: any bytes anywhere, blocks that moved, files
// that are gone. Whatever is found is a beginning of something that was written, and a start goes
// on behind it.
#include "storage/core/scan.hpp"

#include "fuzz/target.hpp"
#include "storage/core/reconcile.hpp"
#include "support/log_stand.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace almenara::fuzz {

namespace {

namespace core = storage::core;

/// Bytes as small numbers; zeros behind the end.
class numbers {
  public:
    explicit numbers(base::byte_view bytes) : rest_(bytes) {}
    [[nodiscard]] bool empty() const { return rest_.empty(); }
    [[nodiscard]] std::size_t next() {
        if (rest_.empty()) {
            return 0;
        }
        const auto number = std::to_integer<std::size_t>(rest_.front());
        rest_ = rest_.subspan(1);
        return number;
    }
    [[nodiscard]] std::size_t below(std::size_t bound) {
        const std::size_t high = next();
        return (high * 256 + next()) % bound;
    }
    [[nodiscard]] base::byte_view bytes(std::size_t count) {
        const base::byte_view taken = rest_.first(std::min(count, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

  private:
    base::byte_view rest_;
};

/// A log's life, and everything that was ever written in it.
class told_log {
  public:
    told_log() : stand_(8 * core::block_size, 3 * core::block_size) { stand_.start(); }

    void live(numbers& in) {
        for (std::size_t steps = in.next() % 16; steps > 0; --steps) {
            const std::size_t what = in.next();
            if (what % 4 == 0) {
                stand_.seal();
            } else if (what % 4 == 1 && !log_.empty()) {
                truncate(in.below(log_.size()));
            } else {
                stand_.write(1 + what / 4 % 4, epoch_, in.below(2000));
                remember();
            }
        }
    }

    /// What no server wrote.
    void harm(numbers& in) {
        while (!in.empty()) {
            const auto files = segments();
            if (files.empty()) {
                return;
            }
            const core::file_name file = files[in.next() % files.size()];
            const std::size_t size = stand_.disk.bytes(file).size();
            const std::size_t blocks = size / core::block_size;
            switch (in.next() % 4) {
            case 0: {
                const base::byte_view bytes = in.bytes(in.next() % 64);
                stand_.disk.damage(file, in.below(size - 64), bytes);
                break;
            }
            case 1:
                stand_.disk.flip(file, in.below(size) * 8 + in.next() % 8);
                break;
            case 2:
                move_block(files[in.next() % files.size()], in.below(blocks), file,
                           in.below(blocks));
                break;
            default:
                if (in.next() % 4 == 0) {
                    stand_.disk.remove(file);
                }
            }
        }
    }

    void check() {
        const auto found = stand_.scan(log_index{});
        if (!found) {
            return; // The fuzzer made a newer version.
        }
        check_entries(*found);
        ALMENARA_CHECK((found->verdict == core::scan_verdict::damaged) ==
                       found->damage.has_value());
        // Below that: of a log whose oldest part cannot be read nothing is used.
        ALMENARA_CHECK(!found->damage || found->damage->from <= found->position.last.index.next());
        const auto started = stand_.try_start();
        if (!started) {
            // B.8: of a log without its beginning the state must have that, and there is none.
            ALMENARA_CHECK(!found->damage && found->base.index > log_index{0});
            return;
        }
        const core::reconciled& start = *started;
        ALMENARA_CHECK(start.positions.empty() || start.positions.back() == stand_.end());
        const replica::log_point kept = stand_.end();
        stand_.replace(kept, 2, epoch{1000});
        stand_.run();
        const core::scan_result again = stand_.look();
        ALMENARA_CHECK(again.verdict == core::scan_verdict::clean);
        ALMENARA_CHECK(again.position.last == stand_.end());
    }

  private:
    void truncate(std::size_t keep) {
        epoch_ = epoch_.next();
        log_.resize(keep);
        stand_.replace(log_.empty() ? replica::log_point{} : log_.back(), 1, epoch_);
        stand_.run();
        remember();
    }
    void remember() {
        for (const replica::entry_ptr& e : stand_.last_write()) {
            log_.push_back(replica::point_of(*e));
            written_.insert({e->index, e->hash});
        }
    }
    [[nodiscard]] std::vector<core::file_name> segments() const {
        std::vector<core::file_name> all = stand_.disk.directory();
        std::erase_if(
            all, [](const core::file_name& name) { return name.kind != core::file_kind::segment; });
        return all;
    }
    void move_block(const core::file_name& from,
                    std::size_t from_block,
                    const core::file_name& to,
                    std::size_t to_block) {
        const auto& bytes = stand_.disk.bytes(from);
        const base::byte_view block =
            base::byte_view{bytes}.subspan(from_block * core::block_size, core::block_size);
        stand_.disk.damage(to, to_block * core::block_size,
                           base::byte_vector{block.begin(), block.end()});
    }
    void check_entries(const core::scan_result& found) const {
        replica::log_point before = found.base;
        for (const replica::log_point& point : found.positions) {
            ALMENARA_CHECK(point.index == before.index.next());
            ALMENARA_CHECK(written_.contains({point.index, point.hash}));
            before = point;
        }
        base::byte_vector scratch;
        for (const replica::entry_ptr& e : found.recent) {
            const std::size_t place = e->index.value() - found.base.index.value() - 1;
            ALMENARA_CHECK(found.positions.at(place) == replica::point_of(*e));
            const replica::hash64 hash =
                place == 0 ? found.base.hash : found.positions[place - 1].hash;
            ALMENARA_CHECK(replica::chain_hash(hash, *e, scratch) == e->hash);
        }
    }

    test::log_stand stand_;
    epoch epoch_{1};
    std::vector<replica::log_point> log_;
    std::set<std::pair<log_index, replica::hash64>> written_;
};

/// The bytes as a whole file, alone.
void scan_any(base::byte_view bytes) {
    test::memory_source source{bytes};
    const auto found =
        core::scan({.files = {{.seq = core::segment_seq{1}, .bytes = &source}}, .meta = {}});
    // No entry without bytes of its own, and of no bytes none.
    ALMENARA_CHECK(!found || found->positions.size() <= bytes.size());
    if (const auto meta = core::choose_slot(bytes)) {
        ALMENARA_CHECK(core::encode_slot(meta->content).size() == core::block_size);
    }
}

} // namespace

} // namespace almenara::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace almenara::fuzz;
    if (size == 0) {
        return -1;
    }
    numbers in{input(data, size).subspan(1)};
    if (data[0] % 8 == 0) {
        scan_any(input(data, size).subspan(1));
        return 0;
    }
    told_log log;
    log.live(in);
    log.harm(in);
    log.check();
    return 0;
}
