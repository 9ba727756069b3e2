#include "cluster/cluster.hpp"
#include "cluster/judgement.hpp"
#include "cluster/load.hpp"
#include "support/wait.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

/// E.1: disks that are nearly full. Each server has a small file system of its own, in a name space
/// of mounts that ends with this process.
namespace almenara::test {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;
constexpr std::uint64_t disk_size = 800 * mebibyte;
constexpr std::uint64_t little = 128 * mebibyte; ///< less than a server wants to have

/// False where only root may do that, or not even root.
bool may_mount() {
    return ::unshare(CLONE_NEWNS) == 0 &&
           ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

/// A file system at the data directory of each server, as long as this exists.
class small_disks {
  public:
    explicit small_disks(const cluster& c) : of_(c) {
        for (const server_id id : c.ids()) {
            fs::create_directories(c.data_dir(id));
            fs::permissions(c.data_dir(id), fs::perms::owner_all);
            REQUIRE(::mount("none", c.data_dir(id).c_str(), "tmpfs", 0,
                            fmt::format("size={},mode=0700", disk_size).c_str()) == 0);
        }
    }
    ~small_disks() {
        for (const server_id id : of_.ids()) {
            ::umount2(of_.data_dir(id).c_str(), MNT_DETACH);
        }
    }
    small_disks(const small_disks&) = delete;
    small_disks& operator=(const small_disks&) = delete;

    /// Somebody else's file leaves so much.
    void fill(server_id which, std::uint64_t left) const {
        const std::uint64_t now = free_space(which);
        REQUIRE(now > left);
        const int file = ::open(filler(which).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        REQUIRE(file >= 0);
        CHECK(::fallocate(file, 0, 0, static_cast<off_t>(now - left)) == 0);
        ::close(file);
    }
    void clear(server_id which) const { fs::remove(filler(which)); }
    [[nodiscard]] bool has_reserve(server_id which) const {
        return fs::exists(of_.data_dir(which) + "/reserve");
    }

  private:
    [[nodiscard]] std::string filler(server_id which) const {
        return of_.data_dir(which) + "/filler";
    }
    [[nodiscard]] std::uint64_t free_space(server_id which) const {
        struct statvfs found{};
        REQUIRE(::statvfs(of_.data_dir(which).c_str(), &found) == 0);
        return std::uint64_t{found.f_bavail} * found.f_frsize;
    }

    const cluster& of_;
};

/// The client, at all servers. A value comes as it is.
finished kv(const cluster& c, const std::vector<std::string>& words) {
    program what{.words = {ALMENARA_CLIENT, "--plaintext", "--no-state", "-u", "test"}};
    if (words.front() != "get") {
        what.words.emplace_back("--json");
    }
    for (const std::string& address : c.addresses()) {
        what.words.insert(what.words.end(), {"-s", address});
    }
    what.words.emplace_back("kv");
    what.words.insert(what.words.end(), words.begin(), words.end());
    return run(what);
}

bool is_refused(const finished& ended) {
    return ended.status == exit_status{.code = 1} &&
           ended.out.find(R"("no_space")") != std::string::npos;
}

void wait_for_reserves(const cluster& c, const small_disks& disks) {
    eventually(
        [&] {
            return std::all_of(c.ids().begin(), c.ids().end(),
                               [&](server_id id) { return disks.has_reserve(id); });
        },
        patience, "everybody has a reserve");
}

std::size_t without_space(const cluster& c) {
    const auto office = c.look_for_primary();
    const auto told = office ? c.status(office->primary) : std::nullopt;
    return !told ? 0U
                 : static_cast<std::size_t>(
                       std::count_if(told->servers.begin(), told->servers.end(), [](auto& one) {
                           return one.state == wire::server_state::no_space;
                       }));
}

} // namespace

TEST_CASE("E.1 with full disks nothing is added or lost, and what is erased makes room") {
    if (!may_mount()) {
        WARN("skipped: only root can mount a small file system");
        return;
    }
    cluster c;
    const small_disks disks{c};
    c.start_all();
    c.wait_until_in_sync();
    wait_for_reserves(c, disks);
    REQUIRE(kv(c, {"put", "before", "kept"}).status == good_exit);

    // One of three: another one rules, and everything goes on.
    const auto before = c.wait_until_in_sync();
    disks.fill(before.primary, little);
    const auto after = c.wait_for_primary(before.epoch);
    CHECK(after.primary != before.primary);
    CHECK(kv(c, {"put", "one is full", "kept"}).status == good_exit);

    // Two of three.
    const auto others = c.others_than(after.primary);
    disks.fill(others.front() == before.primary ? others.back() : others.front(), little);
    eventually([&] { return without_space(c) == 2; }, patience, "two say that they have no room");
    CHECK(is_refused(kv(c, {"put", "two are full", "lost"})));
    CHECK(is_refused(kv(c, {"put", "before", "other"})));
    CHECK(kv(c, {"get", "before"}).out.find("kept") != std::string::npos);
    CHECK(kv(c, {"rm", "one is full"}).status == good_exit);

    // To the last block: the reserve goes, and they still elect and erase.
    for (const server_id id : c.ids()) {
        disks.clear(id);
        disks.fill(id, 0);
    }
    eventually(
        [&] {
            return std::none_of(c.ids().begin(), c.ids().end(),
                                [&](server_id id) { return disks.has_reserve(id); });
        },
        patience, "nobody has a reserve any more");
    const auto full = c.wait_for_primary();
    c.kill({full.primary});
    c.wait_for_primary(full.epoch);
    CHECK(kv(c, {"get", "before"}).out.find("kept") != std::string::npos);
    CHECK(kv(c, {"put", "no", "room"}).status == exit_status{.code = 1});
    CHECK(kv(c, {"rm", "before"}).status == good_exit);

    for (const server_id id : c.ids()) {
        disks.clear(id);
    }
    c.start(full.primary);
    c.wait_until_in_sync();
    eventually([&] { return kv(c, {"put", "again", "room"}).status == good_exit; }, patience,
               "there is room again");
    CHECK(kv(c, {"get", "before"}).status == exit_status{.code = 3});
    CHECK(kv(c, {"get", "no"}).status == exit_status{.code = 3});
    wait_for_reserves(c, disks);
}

TEST_CASE("E.1 servers start on disks that are full to the last block") {
    if (!may_mount()) {
        WARN("skipped: only root can mount a small file system");
        return;
    }
    cluster c;
    const small_disks disks{c};
    c.start_all();
    c.wait_until_in_sync();
    REQUIRE(kv(c, {"put", "before", "kept"}).status == good_exit);
    wait_for_reserves(c, disks);
    c.kill(c.ids());
    for (const server_id id : c.ids()) {
        disks.fill(id, 0);
    }
    c.start_all();
    c.wait_for_primary();
    CHECK(kv(c, {"get", "before"}).out.find("kept") != std::string::npos);
    CHECK(is_refused(kv(c, {"put", "no", "room"})));
    CHECK(kv(c, {"rm", "before"}).status == good_exit);
}

TEST_CASE("E.1 with both backups dead nothing is refused for want of room: it waits for one") {
    cluster c;
    c.start_all();
    const auto office = c.wait_until_in_sync();
    load clients{c.addresses(), {.pause = 0ms}};
    clients.goes_on();
    const auto backups = c.others_than(office.primary);
    c.kill(backups);
    // Until it hears of a majority for too long, it takes what it is asked.
    eventually([&] { return !c.look_for_primary(); }, patience, "nobody rules");
    c.start(backups.front());
    clients.goes_on();
    clients.finish();
    const judgement is = judge(clients, read_all(c.addresses(), "run/"));
    check_safe(is);
    CHECK(is.unknown == 0);
}

} // namespace almenara::test
