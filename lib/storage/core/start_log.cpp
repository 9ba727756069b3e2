#include "storage/core/start_log.hpp"

#include "base/bytes.hpp"
#include "storage/core/meta.hpp"
#include "storage/core/scan.hpp"
#include "storage/core/spares.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace almenara::storage::core {

namespace {

constexpr file_name meta_name{.kind = file_kind::meta};

bool is_spare(const file_name& name) {
    return name.kind == file_kind::blank_spare || name.kind == file_kind::used_spare;
}

/// B.8: a log that is whole and begins behind the state was recycled, and what it had there only
/// the state had. What is damaged may well be missing: that is repaired.
std::optional<error> state_lost(const scan_result& scanned, const replica::log_point& applied) {
    if (scanned.verdict == scan_verdict::damaged || applied.index >= scanned.base.index) {
        return std::nullopt;
    }
    return error{
        .code = errc::not_found,
        .doing = fmt::format("it begins behind entry {}, for the state had all of that, and the "
                             "state that is here has {}",
                             scanned.base.index, applied.index),
        .cause = {},
        .advice = "Bring back the directory 'state' that was beside this log. Without it this "
                  "server is lost: leave it stopped, and the others go on"};
}

/// One start, step by step.
class starting {
  public:
    starting(device& on, const start_options& options) : on_(on), options_(options) {}

    [[nodiscard]] result<started_log> run(const state_row& state);

  private:
    [[nodiscard]] result<void> tidy();
    [[nodiscard]] result<void> make_meta();
    [[nodiscard]] result<void> drop_misfits();
    [[nodiscard]] result<chosen_slot> read_meta();
    [[nodiscard]] result<scan_result> look(const meta_fields& meta, log_index applied);
    [[nodiscard]] result<std::unique_ptr<readable_file>> open(const file_name& name);
    [[nodiscard]] bool has(const file_name& name) const;
    [[nodiscard]] std::vector<spare_file> spares() const;

    device& on_;
    const start_options& options_;
    std::vector<found_file> files_;
    started_log out_;
};

result<void> starting::tidy() {
    auto found = on_.list();
    if (!found) {
        return found.error();
    }
    std::vector<file_name> names;
    for (const found_file& file : *found) {
        names.push_back(file.name);
    }
    if (auto done = execute_all(on_, plan_tidying(names)); !done) {
        return done;
    }
    files_ = std::move(*found);
    std::erase_if(files_, [](const found_file& file) {
        return file.name.kind == file_kind::unfinished || file.name.kind == file_kind::meta_new;
    });
    return {};
}

result<void> starting::make_meta() {
    if (has(meta_name)) {
        return {};
    }
    // Whatever else is there says that there once was a `meta`: choose_slot says what to do then.
    if (!files_.empty() || options_.missing == missing_log::is_refused) {
        return choose_slot({}).error();
    }
    out_.is_new = true;
    return execute_all(
        on_, plan_new_meta({.core = {}, .acked = {}, .clean_stop = false, .boot = options_.boot}));
}

/// Spares of another size are of other settings, or were cut by somebody.
result<void> starting::drop_misfits() {
    device_operations operations;
    std::erase_if(files_, [&](const found_file& file) {
        if (!is_spare(file.name) || file.size == options_.settings.segment_size) {
            return false;
        }
        operations.emplace_back(remove_file{.file = file.name});
        return true;
    });
    if (operations.empty()) {
        return {};
    }
    operations.emplace_back(sync_directory{});
    return execute_all(on_, operations);
}

result<chosen_slot> starting::read_meta() {
    auto file = open(meta_name);
    if (!file) {
        return file.error();
    }
    base::byte_vector bytes(meta_size);
    for (std::uint64_t at = 0; at < meta_size; at += block_size) {
        const std::span<std::byte> slot = std::span{bytes}.subspan(at, block_size);
        // A slot that the disk cannot read is one whose checksum is wrong; the other one may do.
        if (at + block_size > (*file)->size() || !(*file)->read(at, slot)) {
            std::fill(slot.begin(), slot.end(), std::byte{0});
        }
    }
    return choose_slot(bytes);
}

result<scan_result> starting::look(const meta_fields& meta, log_index applied) {
    std::vector<std::unique_ptr<readable_file>> open_files;
    scan_input input{.files = {}, .meta = meta, .applied = applied};
    for (const found_file& file : files_) {
        if (file.name.kind != file_kind::segment) {
            continue;
        }
        auto opened = open(file.name);
        if (!opened) {
            return opened.error();
        }
        open_files.push_back(std::move(*opened));
        input.files.push_back(
            {.seq = segment_seq{file.name.number}, .bytes = open_files.back().get()});
    }
    return scan(std::move(input));
}

result<std::unique_ptr<readable_file>> starting::open(const file_name& name) {
    auto file = on_.open(name, read_from::medium);
    out_.past_cache = out_.past_cache && (!file || (*file)->past_cache());
    return file;
}

bool starting::has(const file_name& name) const {
    return std::any_of(files_.begin(), files_.end(),
                       [&name](const found_file& file) { return file.name == name; });
}

std::vector<spare_file> starting::spares() const {
    std::vector<spare_file> all;
    for (const found_file& file : files_) {
        if (is_spare(file.name)) {
            all.push_back({.name = file.name, .size = file.size});
        }
    }
    return all;
}

result<started_log> starting::run(const state_row& state) {
    for (const auto step : {&starting::tidy, &starting::make_meta, &starting::drop_misfits}) {
        if (auto done = (this->*step)(); !done) {
            return done.error();
        }
    }
    const auto meta = read_meta();
    if (!meta) {
        return meta.error();
    }
    const meta_fields& read = meta->content.fields;
    auto scanned = look(read, state.applied.index);
    if (!scanned) {
        return scanned.error();
    }
    if (auto lost = state_lost(*scanned, state.applied)) {
        return *lost;
    }
    out_.meta = read.core;
    out_.verdict = scanned->verdict;
    out_.found = reconcile(*scanned, read, state, options_.boot);

    meta_fields fields = read;
    fields.clean_stop = false;
    fields.boot = options_.boot;
    meta_start rewritten = plan_meta_start(*meta, fields);
    for (const auto& operations : {rewritten.operations, plan_log_start(*scanned)}) {
        if (auto done = execute_all(on_, operations); !done) {
            return done.error();
        }
    }
    out_.start = planner_start{.settings = options_.settings,
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

result<started_log> start_log(device& on, const start_options& options, const state_row& state) {
    return starting{on, options}.run(state);
}

} // namespace almenara::storage::core
