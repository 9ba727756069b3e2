#include "cluster/server_process.hpp"

#include <csignal>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <utility>

#include <unistd.h>

namespace almenara::test {

namespace {

program program_for(const std::string& data_dir, server_options&& options) {
    program what = almenarad(data_dir, options.arguments);
    what.environment = std::move(options.environment);
    what.descriptors = options.descriptors;
    what.user = options.user;
    what.network = options.network;
    what.stderr_is_terminal = options.stderr_is_terminal;
    return what;
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

} // namespace

program almenarad(const std::string& data_dir, const std::vector<std::string>& arguments) {
    program what{.words = {ALMENARA_DAEMON, "--plaintext", "--data-dir", data_dir}};
    const bool says_where =
        std::find(arguments.begin(), arguments.end(), "--listen") != arguments.end();
    if (!says_where) {
        what.words.insert(what.words.end(), {"--listen", "127.0.0.1:0"});
    }
    what.words.insert(what.words.end(), arguments.begin(), arguments.end());
    return what;
}

server_process::server_process(server_options options)
    : own_directory_(options.data_dir ? std::optional<temporary_directory>{}
                                      : std::optional<temporary_directory>{std::in_place}),
      data_dir_(options.data_dir ? *options.data_dir : *own_directory_ / "data"),
      child_(program_for(data_dir_, std::move(options))),
      exceptions_(std::uncaught_exceptions()) {
    const bool has_line = comes_true(
        [this] { return child_.output().find('\n') != std::string::npos || child_.has_ended(); },
        patience);
    start_line_ = first_line(child_.output());
    const std::size_t colon = start_line_.rfind(':');
    if (!has_line || child_.has_ended() || colon == std::string::npos) {
        FAIL("almenarad did not start. It said:\n" << child_.output() << child_.errors());
    }
    address_ = start_line_.substr(start_line_.rfind(' ') + 1);
    port_ = static_cast<std::uint16_t>(std::stoul(start_line_.substr(colon + 1)));
}

server_process::~server_process() {
    if (std::uncaught_exceptions() > exceptions_) {
        std::cerr << "The log of almenarad (" << address_ << ", ";
        if (child_.has_ended()) {
            std::cerr << "ended: " << child_.wait();
        } else {
            std::cerr << (child_.is_stopped() ? "stopped" : "running");
        }
        std::cerr << "):\n" << child_.errors() << std::flush;
    }
}

std::size_t server_process::times_logged(std::string_view text) {
    const std::string& all = log();
    std::size_t times = 0;
    for (std::size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) {
        ++times;
    }
    return times;
}

void server_process::wait_for_log(std::string_view text, std::size_t times) {
    eventually([&] { return times_logged(text) >= times; },
               "the log says '" + std::string{text} + "'");
}

exit_status server_process::stop() {
    child_.send(SIGTERM);
    return child_.wait();
}

void server_process::freeze() {
    child_.send(SIGSTOP);
    eventually([this] { return child_.is_stopped(); }, "the server stands still");
}

void server_process::thaw() {
    child_.send(SIGCONT);
}

std::size_t server_process::open_descriptors() const {
    const std::filesystem::directory_iterator all{"/proc/" + std::to_string(child_.pid()) + "/fd"};
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::size_t server_process::memory_kib() const {
    std::ifstream facts{"/proc/" + std::to_string(child_.pid()) + "/status"};
    std::string word;
    while (facts >> word) {
        if (word == "VmRSS:") {
            std::size_t kibibytes = 0;
            facts >> kibibytes;
            return kibibytes;
        }
    }
    FAIL("there is no VmRSS of process " << child_.pid());
    return 0;
}

} // namespace almenara::test
