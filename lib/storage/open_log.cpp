#include "storage/open_log.hpp"

#include "base/bytes.hpp"
#include "storage/file_device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace almenara::storage {

namespace {

constexpr mode_t owner_only = 0700;

/// Its name is on the disk before anything in it is.
result<void> make_directory(const std::string& parent, const std::string& path) {
    if (::mkdir(path.c_str(), owner_only) != 0 && errno != EEXIST) {
        return last_system_error(fmt::format("making the directory '{}'", path));
    }
    const descriptor above{::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!above || ::fsync(above.number()) != 0) {
        return last_system_error(fmt::format("syncing the directory '{}'", parent));
    }
    return {};
}

result<std::unique_ptr<device>> make_device(const open_log_options& options,
                                            const std::string& path) {
    return options.make ? options.make(path) : file_device::open_directory(path);
}

/// One for each thread.
result<void> make_devices(const data_directory& in,
                          const open_log_options& options,
                          log_parts& into) {
    const std::string path = in.log_path();
    if (auto made = make_directory(in.path(), path); !made) {
        return made;
    }
    auto log = make_device(options, path);
    if (!log) {
        return log.error();
    }
    auto background = make_device(options, path);
    if (!background) {
        return background.error();
    }
    into.log = std::move(*log);
    into.background = std::move(*background);
    return {};
}

result<opened_log> open(const data_directory& in,
                        const open_log_options& options,
                        const core::state_row& state) {
    opened_log out;
    if (auto made = make_devices(in, options, out.parts); !made) {
        return made.error();
    }
    auto started = core::start_log(*out.parts.log,
                                   {.settings = options.settings,
                                    .seed = options.seed,
                                    .boot = options.boot,
                                    .missing = options.missing},
                                   state);
    if (!started) {
        return started.error();
    }
    if (!started->past_cache) {
        out.warnings.push_back(fmt::format(
            "the file system of '{}' cannot read past the page cache (O_DIRECT): what a failing "
            "disk has lost may look as if it were there",
            in.log_path()));
    }
    out.meta = std::move(started->meta);
    out.found = std::move(started->found);
    out.verdict = started->verdict;
    out.is_new = started->is_new;
    out.parts.start = std::move(started->start);
    return out;
}

} // namespace

void opened_log::give_to(replica::start_state& start) && {
    start.meta = std::move(meta);
    std::move(found).give_to(start);
}

result<opened_log> open_log(const data_directory& in,
                            const open_log_options& options,
                            const core::state_row& state) {
    auto opened = open(in, options, state);
    if (!opened) {
        return while_doing(fmt::format("opening the log in '{}'", in.log_path()), opened.error());
    }
    return opened;
}

result<core::boot_id> this_boot() {
    const std::string path = "/proc/sys/kernel/random/boot_id";
    constexpr std::size_t largest = 64;
    const auto content = read_file(path, largest);
    if (!content) {
        return content.error();
    }
    std::string digits{*content ? base::as_text(**content) : std::string_view{}};
    std::erase_if(digits, [](char c) { return c == '-' || c == '\n'; });
    const auto bytes = base::from_hex(digits);
    core::boot_id::rep id{};
    if (!bytes || bytes->size() != id.size()) {
        return error{errc::malformed, fmt::format("reading '{}': it is no boot id", path)};
    }
    std::copy(bytes->begin(), bytes->end(), id.begin());
    return core::boot_id{id};
}

} // namespace almenara::storage
