#include "storage/open_log.hpp"

#include "base/bytes.hpp"
#include "storage/core/meta.hpp"
#include "storage/core/scan.hpp"
#include "storage/core/spares.hpp"
#include "storage/file_device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace almenara::storage {

namespace {

constexpr mode_t owner_only = 0700;
constexpr core::file_name meta_name{.kind = core::file_kind::meta};

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

/// One start, step by step.
class opening {
  public:
    opening(const data_directory& in, const open_log_options& options)
        : in_(in), options_(options), path_(in.log_path()) {}

    [[nodiscard]] result<opened_log> run(const core::state_row& state);

  private:
    [[nodiscard]] result<std::unique_ptr<device>> make_device() const;
    [[nodiscard]] result<void> make_devices();
    [[nodiscard]] result<void> tidy();
    [[nodiscard]] result<void> make_meta();
    [[nodiscard]] result<void> drop_misfits();
    [[nodiscard]] result<core::chosen_slot> read_meta();
    [[nodiscard]] result<core::scan_result> scan(const core::meta_fields& meta, log_index applied);
    [[nodiscard]] result<std::unique_ptr<readable_file>> open(const core::file_name& name);
    [[nodiscard]] bool has(const core::file_name& name) const;
    [[nodiscard]] std::vector<core::spare_file> spares() const;

    const data_directory& in_;
    const open_log_options& options_;
    std::string path_;
    std::vector<found_file> files_;
    opened_log out_;
};

result<std::unique_ptr<device>> opening::make_device() const {
    return options_.make ? options_.make(path_) : file_device::open_directory(path_);
}

result<void> opening::make_devices() {
    if (auto made = make_directory(in_.path(), path_); !made) {
        return made;
    }
    auto log = make_device();
    if (!log) {
        return log.error();
    }
    auto background = make_device();
    if (!background) {
        return background.error();
    }
    out_.parts.log = std::move(*log);
    out_.parts.background = std::move(*background);
    return {};
}

result<void> opening::tidy() {
    auto found = out_.parts.log->list();
    if (!found) {
        return found.error();
    }
    std::vector<core::file_name> names;
    for (const found_file& file : *found) {
        names.push_back(file.name);
    }
    if (auto done = execute_all(*out_.parts.log, core::plan_tidying(names)); !done) {
        return done;
    }
    files_ = std::move(*found);
    std::erase_if(files_, [](const found_file& file) {
        return file.name.kind == core::file_kind::unfinished ||
               file.name.kind == core::file_kind::meta_new;
    });
    return {};
}

result<void> opening::make_meta() {
    if (has(meta_name)) {
        return {};
    }
    // Whatever else is there says that there once was a `meta`: choose_slot says what to do then.
    if (!files_.empty() || options_.missing == missing_log::is_refused) {
        return core::choose_slot({}).error();
    }
    out_.is_new = true;
    return execute_all(
        *out_.parts.log,
        core::plan_new_meta({.core = {}, .acked = {}, .clean_stop = false, .boot = options_.boot}));
}

/// Spares of another size are of other settings, or were cut by somebody.
result<void> opening::drop_misfits() {
    core::device_operations operations;
    std::erase_if(files_, [&](const found_file& file) {
        const bool spare = file.name.kind == core::file_kind::blank_spare ||
                           file.name.kind == core::file_kind::used_spare;
        if (!spare || file.size == options_.settings.segment_size) {
            return false;
        }
        operations.emplace_back(core::remove_file{.file = file.name});
        return true;
    });
    if (operations.empty()) {
        return {};
    }
    operations.emplace_back(core::sync_directory{});
    return execute_all(*out_.parts.log, operations);
}

result<core::chosen_slot> opening::read_meta() {
    auto file = open(meta_name);
    if (!file) {
        return file.error();
    }
    base::byte_vector bytes(core::meta_size);
    for (std::uint64_t at = 0; at < core::meta_size; at += core::block_size) {
        const std::span<std::byte> slot = std::span{bytes}.subspan(at, core::block_size);
        // A slot that the disk cannot read is one whose checksum is wrong; the other one may do.
        if (at + core::block_size > (*file)->size() || !(*file)->read(at, slot)) {
            std::fill(slot.begin(), slot.end(), std::byte{0});
        }
    }
    return core::choose_slot(bytes);
}

result<core::scan_result> opening::scan(const core::meta_fields& meta, log_index applied) {
    std::vector<std::unique_ptr<readable_file>> open_files;
    core::scan_input input{.files = {}, .meta = meta, .applied = applied};
    for (const found_file& file : files_) {
        if (file.name.kind != core::file_kind::segment) {
            continue;
        }
        auto opened = open(file.name);
        if (!opened) {
            return opened.error();
        }
        open_files.push_back(std::move(*opened));
        input.files.push_back(
            {.seq = core::segment_seq{file.name.number}, .bytes = open_files.back().get()});
    }
    return core::scan(std::move(input));
}

result<std::unique_ptr<readable_file>> opening::open(const core::file_name& name) {
    auto file = out_.parts.log->open(name, read_from::medium);
    if (file && !(*file)->past_cache() && out_.warnings.empty()) {
        out_.warnings.push_back(fmt::format(
            "the file system of '{}' cannot read past the page cache (O_DIRECT): what a failing "
            "disk has lost may look as if it were there",
            path_));
    }
    return file;
}

bool opening::has(const core::file_name& name) const {
    return std::any_of(files_.begin(), files_.end(),
                       [&name](const found_file& file) { return file.name == name; });
}

std::vector<core::spare_file> opening::spares() const {
    std::vector<core::spare_file> all;
    for (const found_file& file : files_) {
        if (file.name.kind == core::file_kind::blank_spare ||
            file.name.kind == core::file_kind::used_spare) {
            all.push_back({.name = file.name, .size = file.size});
        }
    }
    return all;
}

result<opened_log> opening::run(const core::state_row& state) {
    for (const auto step :
         {&opening::make_devices, &opening::tidy, &opening::make_meta, &opening::drop_misfits}) {
        if (auto done = (this->*step)(); !done) {
            return done.error();
        }
    }
    const auto meta = read_meta();
    if (!meta) {
        return meta.error();
    }
    const core::meta_fields& read = meta->content.fields;
    auto scanned = scan(read, state.applied.index);
    if (!scanned) {
        return scanned.error();
    }
    out_.meta = read.core;
    out_.verdict = scanned->verdict;
    out_.found = core::reconcile(*scanned, read, state, options_.boot);

    core::meta_fields fields = read;
    fields.clean_stop = false;
    fields.boot = options_.boot;
    core::meta_start rewritten = core::plan_meta_start(*meta, fields);
    for (const auto& operations : {rewritten.operations, core::plan_log_start(*scanned)}) {
        if (auto done = execute_all(*out_.parts.log, operations); !done) {
            return done.error();
        }
    }
    out_.parts.start = core::planner_start{.settings = options_.settings,
                                           .seed = options_.seed,
                                           .meta = std::move(rewritten.written),
                                           .position = out_.found.position,
                                           .map = std::move(scanned->map),
                                           .base = out_.found.base,
                                           .configs = out_.found.configs,
                                           .spares = spares()};
    return std::move(out_);
}

} // namespace

void opened_log::give_to(replica::start_state& start) && {
    start.meta = std::move(meta);
    std::move(found).give_to(start);
}

result<opened_log> open_log(const data_directory& in,
                            const open_log_options& options,
                            const core::state_row& state) {
    auto opened = opening{in, options}.run(state);
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
