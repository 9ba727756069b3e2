#include "base/bytes.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "log/log.hpp"
#include "net/standard_streams.hpp"
#include "server/daemon.hpp"
#include "server/exit_watch.hpp"
#include "settings.hpp"
#include "storage/data_directory.hpp"
#include "storage/file.hpp"

#include <fmt/format.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace almenara;
using almenarad::command_line;
using almenarad::configuration;
using almenarad::settings;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

/// Paths and values are the caller's: nothing in them may steer the terminal.
int complain(const error& failure, int exit_code) {
    std::string text = base::escaped(failure.message());
    // "Did you mean 'listen'?" ends by itself.
    if (!text.ends_with('?') && !text.ends_with('.')) {
        text += '.';
    }
    std::fputs(fmt::format("almenarad: {}\n", text).c_str(), stderr);
    return exit_code;
}

/// Prints, and gives the exit code: nobody takes a text that is cut off for the whole.
int say(const std::string& text) {
    if (std::fputs(text.c_str(), stdout) == EOF || std::fflush(stdout) == EOF) {
        error failure = last_system_error("writing to stdout");
        failure.advice = "Give a place that takes the output";
        return complain(failure, exit_failed);
    }
    return EXIT_SUCCESS;
}

/// A signal that comes while the server starts waits until it is handled, instead of ending it.
/// The daemon takes them; threads that are made before leave them to it.
void hold_signals() {
    sigset_t ours{};
    ::sigemptyset(&ours);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) {
        ::sigaddset(&ours, number);
    }
    ::pthread_sigmask(SIG_BLOCK, &ours, nullptr);
}

const char* find_in_environment(const char* name) {
    return std::getenv(name);
}

int print_config(const command_line& given) {
    const auto all = settings::gather(given, find_in_environment);
    if (!all) {
        return complain(all.error(), exit_usage);
    }
    return say(all->to_text());
}

/// 256 random bits in a file of its own, which was not there before.
int make_secret(const std::string& path) {
    std::array<std::byte, 32> secret{};
    if (::getrandom(secret.data(), secret.size(), 0) != ssize_t{secret.size()}) {
        return complain(last_system_error("making a random number"), exit_failed);
    }
    const std::string text = base::to_hex(secret) + "\n";
    const storage::descriptor file{
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)};
    if (!file ||
        ::write(file.number(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(file.number()) != 0) {
        error failure = last_system_error(fmt::format("making '{}'", path));
        if (failure.cause == std::errc::file_exists) {
            failure.advice = "A secret is never written over: move the file away, or use it";
        }
        if (file) {
            ::unlink(path.c_str()); // Half a secret would be taken for one.
        }
        return complain(failure, exit_failed);
    }
    return say(fmt::format("almenarad: '{}' holds a new secret. Give every server of the cluster a "
                           "copy, with mode 0600\n",
                           base::escaped(path)));
}

/// SIGHUP: what can change while it runs is taken over; what cannot is named.
std::optional<server::reloadable_options> reload(const command_line& given,
                                                 const settings& running) {
    const auto all = settings::gather(given, find_in_environment);
    const auto wanted = all ? almenarad::understand(*all) : result<configuration>{all.error()};
    if (!wanted) {
        log::error("SIGHUP: nothing is changed: {}", wanted.error().message());
        return std::nullopt;
    }
    for (const almenarad::setting_kind& kind : almenarad::setting_kinds()) {
        const almenarad::setting* const before = running.find(kind.key);
        const almenarad::setting* const after = all->find(kind.key);
        const std::string old_value = before == nullptr ? "" : before->value;
        const std::string new_value = after == nullptr ? "" : after->value;
        if (old_value != new_value && !kind.reloadable) {
            log::warning("SIGHUP: {} stays '{}' until a restart", kind.key, old_value);
        }
    }
    log::set_lowest(wanted->log.lowest);
    log::notice("SIGHUP: configuration read again");
    return server::reloadable_options{.max_clients = wanted->daemon.max_clients,
                                      .on_primary_change = wanted->daemon.on_primary_change};
}

/// An exception that reached the reactor's run() is a defect: says whose, innermost last.
void log_defect(const std::exception& failure) {
    log::error("defect: {}", failure.what());
    try {
        std::rethrow_if_nested(failure);
    } catch (const std::exception& inner) {
        log_defect(inner);
    }
}

int serve(const command_line& given, const settings& running, const configuration& wanted) {
    // Before the first file, rotated logs among them: whatever it holds, it is nobody else's.
    constexpr mode_t owner_only = 0077;
    ::umask(owner_only);
    // Before the log: its file may lie in there, and a start that is refused writes to no log.
    auto directory = storage::data_directory::open(wanted.daemon.data_dir, wanted.daemon.id);
    if (!directory) {
        return complain(directory.error(), exit_failed);
    }
    if (auto opened = log::open(wanted.log); !opened) {
        return complain(opened.error(), exit_failed);
    }
    server::exit_watch leaving; // Over the ends of the daemon and of the log, too.
    const std::string made = directory->is_new() ? directory->path() : std::string{};
    int exit_code = EXIT_SUCCESS;
    try {
        auto daemon = server::daemon::open(wanted.daemon, std::move(*directory));
        if (!daemon) {
            log::close();
            // Starting again would not help: systemd does not try after exit_usage.
            const bool is_for_a_person = daemon.error().code == errc::invalid;
            return complain(daemon.error(), is_for_a_person ? exit_usage : exit_failed);
        }
        exit_code = say((*daemon)->start_line() + "\n");
        if (exit_code == EXIT_SUCCESS) {
            if (!made.empty()) {
                log::notice("'{}' is a new data directory", made);
            }
            (*daemon)->run([&] { return reload(given, running); }, leaving);
        }
    } catch (const std::exception& failure) {
        log_defect(failure);
        exit_code = exit_failed;
    }
    log::close();
    return exit_code;
}

} // namespace

int main(int count, char** words) {
    hold_signals();
    std::signal(SIGXFSZ, SIG_IGN); // A limit of file sizes is an error like a full disk.
    net::hold_standard_streams(net::closed_output::vanishes);
    const auto given =
        almenarad::parse_command_line(std::span{words, static_cast<std::size_t>(count)}.subspan(1));
    if (!given) {
        return complain(given.error(), exit_usage);
    }
    if (given->help) {
        return say(almenarad::help_text());
    }
    if (given->version) {
        return say(fmt::format("almenarad {}\n", version));
    }
    if (given->make_secret) {
        return make_secret(*given->make_secret);
    }
    if (given->print_config) {
        return print_config(*given);
    }
    const auto running = settings::gather(*given, find_in_environment);
    if (!running) {
        return complain(running.error(), exit_usage);
    }
    auto wanted = almenarad::understand(*running);
    if (!wanted) {
        return complain(wanted.error(), exit_usage);
    }
    if (auto checked = almenarad::check_places(*running, *wanted); !checked) {
        return complain(checked.error(), exit_usage);
    }
    // Before the directory is made: what a person has to change leaves nothing behind.
    const auto found = storage::data_directory::look(wanted->daemon.data_dir, wanted->daemon.id);
    if (!found) {
        return complain(found.error(), exit_failed);
    }
    if (auto fits = almenarad::fit_cluster(*running, *found, *wanted); !fits) {
        return complain(fits.error(), exit_usage);
    }
    return given->check_config ? say("almenarad: the configuration is good\n")
                               : serve(*given, *running, *wanted);
}
