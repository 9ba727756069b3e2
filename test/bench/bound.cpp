// The ceiling of replicated durable writes on a machine: what cannot be left out and nothing else.
//
//     bench-bound DIR [--clients 64] [--size 128] [--seconds 5] [--gather-us 80] [--json]
//
// Clients in one process, each with one write under way, a primary and two backups, four processes
// on loopback. The primary gathers what comes within 80 us of the first request, sends it to both
// backups, writes and syncs it itself, waits until both have done the same, and answers: one batch
// at a time. No parsing, no index, no checksum, no record of clients, no recovery: nothing can be
// faster with one request per write, and no database can be this.
#include "closed_loop.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

using namespace almenara::bench;

namespace {

using clock_type = std::chrono::steady_clock;
using std::chrono::microseconds;

constexpr std::size_t backups = 2;
constexpr ::off_t log_size = ::off_t{64} << 20U;
constexpr std::size_t largest_batch = std::size_t{1} << 20U;

struct settings {
    std::string directory;
    std::size_t clients = 64;
    std::size_t size = 128;
    std::size_t seconds = 5;
    std::size_t gather_us = 80;
    bool json = false;
};

/// What the processes count together.
struct counts {
    std::uint64_t batches = 0;
    std::uint64_t writes = 0;
};

/// A socket that listens on a free port of the loopback address.
class door {
  public:
    door() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
        ::socklen_t length = sizeof address_;
        auto* const generic = reinterpret_cast<::sockaddr*>(&address_);
        need(::bind(socket_, generic, length) == 0 && ::listen(socket_, 4096) == 0 &&
                 ::getsockname(socket_, generic, &length) == 0,
             "bound: listening");
    }

    [[nodiscard]] int accept() const {
        const int socket = ::accept(socket_, nullptr, nullptr);
        need(socket >= 0, "bound: accepting");
        do_not_delay(socket);
        return socket;
    }
    [[nodiscard]] std::uint16_t port() const { return ::ntohs(address_.sin_port); }

  private:
    int socket_;
    ::sockaddr_in address_{};
};

/// A file with all its blocks written, so that a sync has no journal to wait for. It is written
/// round and round.
class log_file {
  public:
    explicit log_file(const std::string& path)
        : file_(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600)) {
        need(file_ >= 0, "bound: opening a log");
        const std::vector<char> zeros(largest_batch);
        for (::off_t at = 0; at < log_size; at += static_cast<::off_t>(zeros.size())) {
            need(::pwrite(file_, zeros.data(), zeros.size(), at) ==
                     static_cast<::ssize_t>(zeros.size()),
                 "bound: filling a log");
        }
        need(::fsync(file_) == 0 && ::unlink(path.c_str()) == 0, "bound: filling a log");
    }

    void write(const std::vector<char>& batch) {
        const auto size = static_cast<::ssize_t>(batch.size());
        if (at_ + size > log_size) {
            at_ = 0;
        }
        need(::pwrite(file_, batch.data(), batch.size(), at_) == size && ::fdatasync(file_) == 0,
             "bound: writing a log");
        at_ += size;
    }

  private:
    int file_;
    ::off_t at_ = 0;
};

/// Nobody else keeps this end open: a server that ends before it is ready is noticed.
void say_ready(int ready) {
    send_all(ready, "r", 1);
    ::close(ready);
}

/// Answers each batch when it is on the disk.
[[noreturn]] void run_backup(const door& in, const std::string& path, int ready) {
    log_file log{path};
    say_ready(ready);
    const int primary = in.accept();
    std::vector<char> batch;
    std::uint32_t size = 0;
    while (receive_all(primary, &size, sizeof size)) {
        batch.resize(size);
        if (!receive_all(primary, batch.data(), size)) {
            break;
        }
        log.write(batch);
        send_all(primary, "a", 1);
    }
    std::_Exit(0);
}

class primary {
  public:
    primary(const settings& asked, counts& shared) : asked_(asked), shared_(shared) {}

    [[noreturn]] void run(const door& in, const std::array<door, backups>& others, int ready) {
        log_file log{asked_.directory + "/bound-primary"};
        for (std::size_t i = 0; i < backups; ++i) {
            backups_[i] = connect_to(others[i].port());
        }
        say_ready(ready);
        accept_clients(in);
        for (;;) {
            gather();
            send_to_backups();
            log.write(batch_);
            wait_for_backups();
            answer();
        }
    }

  private:
    struct client {
        int socket = -1;
        std::size_t received = 0; ///< of its request
    };

    void accept_clients(const door& in) {
        poll_ = ::epoll_create1(EPOLL_CLOEXEC);
        for (std::size_t i = 0; i < asked_.clients; ++i) {
            clients_.push_back({.socket = in.accept()});
            ::epoll_event interest{.events = EPOLLIN, .data = {.u64 = i}};
            need(::epoll_ctl(poll_, EPOLL_CTL_ADD, clients_.back().socket, &interest) == 0,
                 "bound: watching a client");
        }
    }

    void gather() {
        batch_.clear();
        whole_.clear();
        take(-1);
        const auto until = clock_type::now() + microseconds{asked_.gather_us};
        while (whole_.size() < clients_.size() && clock_type::now() < until) {
            take(0);
        }
    }

    void take(int timeout) {
        do {
            const int count =
                ::epoll_wait(poll_, events_.data(), static_cast<int>(events_.size()), timeout);
            for (int i = 0; i < count; ++i) {
                read_from(events_[static_cast<std::size_t>(i)].data.u64);
            }
        } while (timeout != 0 && whole_.empty());
    }

    void read_from(std::size_t number) {
        client& from = clients_[number];
        const std::size_t before = batch_.size();
        const std::size_t missing = asked_.size - from.received;
        batch_.resize(before + missing);
        const ::ssize_t count = ::read(from.socket, batch_.data() + before, missing);
        if (count <= 0) {
            std::_Exit(0); // The clients have had enough.
        }
        batch_.resize(before + static_cast<std::size_t>(count));
        from.received += static_cast<std::size_t>(count);
        if (from.received == asked_.size) {
            from.received = 0;
            whole_.push_back(number);
        }
    }

    void send_to_backups() {
        const auto size = static_cast<std::uint32_t>(batch_.size());
        for (const int backup : backups_) {
            send_all(backup, &size, sizeof size);
            send_all(backup, batch_.data(), batch_.size());
        }
    }

    void wait_for_backups() const {
        for (const int backup : backups_) {
            char done = 0;
            need(receive_all(backup, &done, 1), "bound: waiting for a backup");
        }
    }

    void answer() {
        ++shared_.batches;
        shared_.writes += whole_.size();
        for (const std::size_t number : whole_) {
            send_all(clients_[number].socket, "k", 1);
        }
    }

    const settings& asked_;
    counts& shared_;
    std::array<int, backups> backups_{};
    std::vector<client> clients_;
    int poll_ = -1;
    std::array<::epoll_event, 1024> events_{};
    std::vector<char> batch_;
    std::vector<std::size_t> whole_; ///< whose request is in the batch to its end
};

microseconds in_full(const ::timeval& time) {
    return std::chrono::seconds{time.tv_sec} + microseconds{time.tv_usec};
}

/// What a process has taken so far.
microseconds processor_time(::pid_t of) {
    ::clockid_t clock{};
    ::timespec used{};
    need(::clock_getcpuclockid(of, &clock) == 0 && ::clock_gettime(clock, &used) == 0,
         "bound: asking for processor time");
    return std::chrono::seconds{used.tv_sec} + microseconds{used.tv_nsec / 1000};
}

/// Forks one server; it says when it is ready.
template <class Run>
::pid_t start(Run&& run) {
    const ::pid_t child = ::fork();
    need(child >= 0, "bound: forking");
    if (child == 0) {
        run();
        std::_Exit(0);
    }
    return child;
}

struct measured {
    std::vector<microseconds> took;
    std::uint64_t batches = 0;
    std::uint64_t writes = 0;
    std::uint64_t switches = 0; ///< of the three servers
    microseconds processor{};   ///< time of the three servers
};

measured measure(const settings& asked) {
    void* const shared =
        ::mmap(nullptr, sizeof(counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    need(shared != MAP_FAILED, "bound: sharing memory");
    counts& together = *new (shared) counts;
    const std::array<door, backups> doors;
    const door front;
    std::array<int, 2> ready{};
    need(::socketpair(AF_UNIX, SOCK_STREAM, 0, ready.data()) == 0, "bound: making a pair");

    std::vector<::pid_t> servers;
    for (std::size_t i = 0; i < backups; ++i) {
        servers.push_back(start([&] {
            run_backup(doors[i], fmt::format("{}/bound-backup{}", asked.directory, i), ready[1]);
        }));
    }
    servers.push_back(start([&] { primary{asked, together}.run(front, doors, ready[1]); }));
    ::close(ready[1]);
    std::array<char, backups + 1> all_ready{};
    if (!receive_all(ready[0], all_ready.data(), all_ready.size())) {
        for (const ::pid_t server : servers) {
            ::kill(server, SIGKILL);
        }
        fmt::print(stderr, "bound: a server ended before it was ready\n");
        std::exit(1);
    }

    microseconds before{}; // They have filled their logs, which belongs to no write.
    for (const ::pid_t server : servers) {
        before += processor_time(server);
    }
    measured result{.took = play_clients({.port = front.port(),
                                          .clients = asked.clients,
                                          .length = std::chrono::seconds{asked.seconds},
                                          .request = std::string(asked.size, 'q'),
                                          .answer_size = 1})};
    for (const ::pid_t server : servers) {
        ::kill(server, SIGKILL);
        ::rusage used{};
        need(::wait4(server, nullptr, 0, &used) == server, "bound: ending a server");
        result.switches += static_cast<std::uint64_t>(used.ru_nvcsw + used.ru_nivcsw);
        result.processor += in_full(used.ru_utime) + in_full(used.ru_stime);
    }
    result.processor -= before;
    result.batches = together.batches;
    result.writes = together.writes;
    return result;
}

void print(const settings& asked, measured what) {
    const auto per = [](std::uint64_t some, std::uint64_t of) {
        return of == 0 ? 0.0 : static_cast<double>(some) / static_cast<double>(of);
    };
    const summary of_all = summed_up(std::move(what.took), std::chrono::seconds{asked.seconds});
    const double batch = per(what.writes, what.batches);
    const double switches = per(what.switches, what.writes);
    const double servers = per(static_cast<std::uint64_t>(what.processor.count()), what.writes);
    if (asked.json) {
        fmt::print("{{{},\"batch\":{:.1f},\"switches_per_write\":{:.2f},"
                   "\"servers_us_per_write\":{:.2f}}}\n",
                   json_members(of_all), batch, switches, servers);
    } else {
        fmt::print("bound: {} clients, {} bytes: {:.0f} per second, p50 {} us, p99 {} us, {:.1f} "
                   "writes a batch, {:.2f} context switches and {:.2f} us of the servers a write\n",
                   asked.clients, asked.size, of_all.per_second, of_all.p50_us, of_all.p99_us,
                   batch, switches, servers);
    }
}

[[noreturn]] void usage() {
    fmt::print(stderr, "usage: bench-bound DIR [--clients N] [--size N] [--seconds N] "
                       "[--gather-us N] [--json]\n");
    std::exit(2);
}

settings parse(const std::vector<std::string_view>& words) {
    settings asked;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words[i];
        if (!word.starts_with("--")) {
            asked.directory = word;
            continue;
        }
        if (word == "--json") {
            asked.json = true;
            continue;
        }
        std::size_t* const number = word == "--clients"     ? &asked.clients
                                    : word == "--size"      ? &asked.size
                                    : word == "--seconds"   ? &asked.seconds
                                    : word == "--gather-us" ? &asked.gather_us
                                                            : nullptr;
        if (number == nullptr || ++i == words.size()) {
            usage();
        }
        const std::string_view text = words[i];
        const auto read = std::from_chars(text.data(), text.data() + text.size(), *number);
        if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) {
            usage();
        }
    }
    const bool makes_sense = !asked.directory.empty() && asked.clients > 0 && asked.size > 0 &&
                             asked.seconds > 0 && asked.clients * asked.size <= largest_batch;
    if (!makes_sense) {
        usage();
    }
    return asked;
}

} // namespace

int main(int count, char** words) {
    const settings asked = parse({words + 1, words + count});
    if (!std::filesystem::is_directory(asked.directory)) {
        fmt::print(stderr, "bound: {} is no directory; make it, or name another one\n",
                   asked.directory);
        return 2;
    }
    print(asked, measure(asked));
    return 0;
}
