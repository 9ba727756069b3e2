#include "sim/search.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

namespace almenara::sim {

namespace {

/// More real time than any run takes: somewhere time stands still.
constexpr unsigned longest_run_seconds = 600;

/// The part of a report that goes through a pipe as it is.
struct figures {
    coverage seen;
    duration simulated{0};
    std::uint64_t events = 0;
    std::uint64_t committed = 0;
    std::uint64_t confirmed = 0;
    std::uint64_t uncertain = 0;
    std::uint64_t digest = 0;
    instant violated;
    std::uint64_t invariant_size = 0;
    std::uint64_t evidence_size = 0;
};
static_assert(std::is_trivially_copyable_v<figures>);

void write_all(int file, const void* from, std::size_t size) {
    const auto* at = static_cast<const char*>(from);
    while (size > 0) {
        const ssize_t written = ::write(file, at, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            std::_Exit(3);
        }
        at += written;
        size -= static_cast<std::size_t>(written);
    }
}

void send(int file, const run_report& report) {
    figures said{.seen = report.seen,
                 .simulated = report.simulated,
                 .events = report.events,
                 .committed = report.committed,
                 .confirmed = report.confirmed,
                 .uncertain = report.uncertain,
                 .digest = report.digest};
    if (report.violation) {
        said.violated = report.violation->at;
        said.invariant_size = report.violation->invariant.size();
        said.evidence_size = report.violation->evidence.size();
    }
    write_all(file, &said, sizeof(said));
    if (report.violation) {
        write_all(file, report.violation->invariant.data(), said.invariant_size);
        write_all(file, report.violation->evidence.data(), said.evidence_size);
    }
}

std::string read_to_end(int file) {
    std::string all;
    std::array<char, 4096> part{};
    while (true) {
        const ssize_t count = ::read(file, part.data(), part.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return all;
        }
        all.append(part.data(), static_cast<std::size_t>(count));
    }
}

struct child {
    std::uint64_t seed = 0;
    pid_t process = 0;
    int pipe = -1;
};

[[noreturn]] void be_child(const run_plan& plan, const std::function<void()>& prepare, int pipe) {
    ::alarm(longest_run_seconds);
    if (prepare) {
        prepare();
    }
    world run{plan};
    send(pipe, run.run());
    std::_Exit(0);
}

child begin(const run_plan& plan, const std::function<void()>& prepare) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) {
        throw std::runtime_error{fmt::format("making a pipe: {}", std::strerror(errno))};
    }
    const pid_t process = ::fork();
    if (process < 0) {
        throw std::runtime_error{fmt::format("starting a process: {}", std::strerror(errno))};
    }
    if (process == 0) {
        ::close(ends[0]);
        be_child(plan, prepare, ends[1]);
    }
    ::close(ends[1]);
    return {.seed = plan.seed, .process = process, .pipe = ends[0]};
}

seed_report end(const child& of) {
    const std::string said = read_to_end(of.pipe);
    ::close(of.pipe);
    int status = 0;
    while (::waitpid(of.process, &status, 0) < 0 && errno == EINTR) {
    }
    seed_report report{.seed = of.seed, .run = {}};
    figures numbers;
    if (said.size() < sizeof(numbers)) {
        report.run.violation = check::violation{
            .invariant = "crash",
            .evidence = WIFSIGNALED(status)
                            ? fmt::format("the run ended by signal {}, its last words are above",
                                          ::strsignal(WTERMSIG(status)))
                            : fmt::format("the run ended with code {}", WEXITSTATUS(status)),
            .at = {}};
        return report;
    }
    std::memcpy(static_cast<void*>(&numbers), said.data(), sizeof(numbers));
    report.run = {.violation = std::nullopt,
                  .seen = numbers.seen,
                  .simulated = numbers.simulated,
                  .events = numbers.events,
                  .committed = numbers.committed,
                  .confirmed = numbers.confirmed,
                  .uncertain = numbers.uncertain,
                  .digest = numbers.digest};
    if (numbers.invariant_size != 0) {
        report.run.violation =
            check::violation{.invariant = said.substr(sizeof(numbers), numbers.invariant_size),
                             .evidence = said.substr(sizeof(numbers) + numbers.invariant_size),
                             .at = numbers.violated};
    }
    return report;
}

void abandon(const child& of) {
    ::kill(of.process, SIGKILL);
    ::close(of.pipe);
    while (::waitpid(of.process, nullptr, 0) < 0 && errno == EINTR) {
    }
}

} // namespace

void search::run(std::uint64_t first,
                 std::uint64_t count,
                 const std::function<bool(const seed_report&)>& next) {
    std::deque<child> running;
    std::uint64_t begun = 0;
    for (std::uint64_t done = 0; done < count; ++done) {
        while (begun < count && running.size() < jobs_) {
            running.push_back(begin(plan_of_(first + begun), prepare_));
            ++begun;
        }
        const seed_report report = end(running.front());
        running.pop_front();
        if (!next(report)) {
            break;
        }
    }
    for (const child& rest : running) {
        abandon(rest);
    }
}

} // namespace almenara::sim
