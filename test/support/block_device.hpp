#pragma once

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "storage/core/device.hpp"
#include "storage/core/log_device.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace almenara::test {

/// A disk with its page cache, block by block, that executes what storage_core plans. Reads show
/// the cache. When the power fails, of each file any of the blocks that were written since its last
/// sync are there, whole or torn between two sectors, and of the names any beginning of what
/// happened since the directory's.
class block_device {
  public:
    using file_name = storage::core::file_name;

    block_device() = default;
    block_device(block_device&&) = default;
    block_device& operator=(block_device&&) = default;
    /// What a disk is found as: of a copy, everything is synced.
    block_device(const block_device& other) {
        for (const auto& [name, content] : other.names_) {
            auto copied = std::make_shared<stored_file>();
            copied->cached = content->cached;
            names_[name] = durable_names_[name] = copied;
        }
    }
    block_device& operator=(const block_device& other) { return *this = block_device{other}; }
    ~block_device() = default;

    void execute(const storage::core::device_operation& operation) {
        std::visit([this](const auto& what) { on(what); }, operation);
    }
    void execute(const storage::core::device_operations& operations) {
        for (const auto& operation : operations) {
            execute(operation);
        }
    }

    /// The process is killed inside of this one: of a write any beginning is in the cache.
    void execute_beginning(const storage::core::device_operation& operation,
                           base::generator& luck) {
        const auto* write = std::get_if<storage::core::write_blocks>(&operation);
        if (write == nullptr) {
            return;
        }
        storage::core::write_blocks begun = *write;
        begun.bytes.resize(luck.below(begun.bytes.size() / block) * block);
        on(begun);
    }
    /// The disk could not do this one. E.1: what was not synced is on the medium or is not, and the
    /// cache calls it clean, so a reader past the cache finds what the medium has.
    void fail(const storage::core::device_operation& operation, base::generator& luck) {
        execute_beginning(operation, luck);
        const auto* write = std::get_if<storage::core::write_blocks>(&operation);
        const auto* sync = std::get_if<storage::core::sync_file>(&operation);
        if (write != nullptr || sync != nullptr) {
            settle_by_chance(*names_.at(write != nullptr ? write->file : sync->file), luck);
        }
    }

    /// Each block that was not synced survives by chance.
    void lose_power(base::generator& luck) {
        for (auto& [name, file] : names_) {
            settle_by_chance(*file, luck);
        }
        for (auto& [from, file] : lost_names_) {
            settle_by_chance(*file, luck);
        }
        const auto happened = static_cast<std::ptrdiff_t>(luck.below(name_changes_.size() + 1));
        for (auto change = name_changes_.begin(); change != name_changes_.begin() + happened;
             ++change) {
            apply(durable_names_, *change);
        }
        name_changes_.clear();
        names_ = durable_names_;
        lost_names_.clear();
    }
    /// Of what was not synced nothing survives.
    void lose_all_unsynced() {
        for (auto& [name, file] : names_) {
            settle(*file, false);
        }
        name_changes_.clear();
        names_ = durable_names_;
        lost_names_.clear();
    }

    [[nodiscard]] std::vector<file_name> directory() const {
        std::vector<file_name> all;
        for (const auto& [name, file] : names_) {
            all.push_back(name);
        }
        return all;
    }
    [[nodiscard]] bool has(const file_name& name) const { return names_.contains(name); }
    [[nodiscard]] const base::byte_vector& bytes(const file_name& name) const {
        return names_.at(name)->cached;
    }
    /// Behind everybody's back: on the medium at once.
    void damage(const file_name& name, std::uint64_t offset, std::span<const std::byte> bytes) {
        stored_file& file = *names_.at(name);
        std::copy(bytes.begin(), bytes.end(),
                  file.cached.begin() + static_cast<std::ptrdiff_t>(offset));
        for (unsynced_block& each : file.unsynced) {
            const std::uint64_t from = std::max(offset, each.number * block);
            const std::uint64_t end = std::min(offset + bytes.size(), (each.number + 1) * block);
            for (std::uint64_t at = from; at < end; ++at) {
                each.before[at - each.number * block] = bytes[at - offset];
            }
        }
    }
    void flip(const file_name& name, std::uint64_t bit) {
        const std::byte changed =
            names_.at(name)->cached[bit / 8] ^ static_cast<std::byte>(1U << (bit % 8));
        damage(name, bit / 8, std::span{&changed, 1});
    }
    void remove(const file_name& name) {
        names_.erase(name);
        durable_names_.erase(name);
    }
    [[nodiscard]] std::size_t syncs() const { return syncs_; }

  private:
    /// A block that was written since the last sync, and what the medium has there.
    struct unsynced_block {
        std::uint64_t number = 0;
        base::byte_vector before;
    };
    struct stored_file {
        base::byte_vector cached;
        std::vector<unsynced_block> unsynced;
    };
    using name_table = std::map<file_name, std::shared_ptr<stored_file>>;
    struct name_change {
        file_name from;
        std::shared_ptr<stored_file> made; ///< with `to` alone
        file_name to;
        bool removes = false;
    };

    static constexpr std::uint64_t block = storage::core::block_size;
    static constexpr std::uint64_t sector = 512;

    void on(const storage::core::create_file& what) {
        auto made = std::make_shared<stored_file>();
        made->cached.resize(what.size);
        change({.from = {}, .made = made, .to = what.file});
    }
    void on(const storage::core::write_blocks& what) {
        stored_file& target = *names_.at(what.file);
        ALMENARA_CHECK(what.offset % block == 0 && what.bytes.size() % block == 0 &&
                       what.offset + what.bytes.size() <= target.cached.size());
        for (std::uint64_t at = 0; at < what.bytes.size(); at += block) {
            remember(target, (what.offset + at) / block);
        }
        std::copy(what.bytes.begin(), what.bytes.end(),
                  target.cached.begin() + static_cast<std::ptrdiff_t>(what.offset));
    }
    void on(const storage::core::sync_file& what) {
        settle(*names_.at(what.file), true);
        ++syncs_;
    }
    void on(const storage::core::rename_file& what) {
        ALMENARA_CHECK(!names_.contains(what.to));
        change({.from = what.from, .made = nullptr, .to = what.to});
    }
    void on(const storage::core::remove_file& what) {
        lost_names_.emplace_back(what.file, names_.at(what.file));
        change({.from = what.file, .made = nullptr, .to = {}, .removes = true});
    }
    void on(const storage::core::sync_directory&) {
        for (const name_change& what : name_changes_) {
            apply(durable_names_, what);
        }
        name_changes_.clear();
        lost_names_.clear();
    }

    void change(const name_change& what) {
        apply(names_, what);
        name_changes_.push_back(what);
    }
    static void apply(name_table& in, const name_change& what) {
        if (what.made) {
            in[what.to] = what.made;
        } else if (what.removes) {
            in.erase(what.from);
        } else {
            in[what.to] = in.at(what.from);
            in.erase(what.from);
        }
    }

    static void remember(stored_file& file, std::uint64_t number) {
        const auto known =
            std::any_of(file.unsynced.begin(), file.unsynced.end(),
                        [number](const unsynced_block& each) { return each.number == number; });
        if (!known) {
            const auto from = file.cached.begin() + static_cast<std::ptrdiff_t>(number * block);
            file.unsynced.push_back(
                {.number = number, .before = {from, from + static_cast<std::ptrdiff_t>(block)}});
        }
    }
    static void settle(stored_file& of, bool survives) {
        for (const unsynced_block& each : of.unsynced) {
            if (!survives) {
                put_back(of, each, 0, block);
            }
        }
        of.unsynced.clear();
    }
    static void settle_by_chance(stored_file& of, base::generator& luck) {
        for (const unsynced_block& each : of.unsynced) {
            const bool torn = luck.chance(2, 3);
            const std::uint64_t part = torn ? sector : block;
            for (std::uint64_t at = 0; at < block; at += part) {
                if (luck.chance(1, 2)) {
                    put_back(of, each, at, part);
                }
            }
        }
        of.unsynced.clear();
    }
    static void put_back(stored_file& of,
                         const unsynced_block& what,
                         std::uint64_t at,
                         std::uint64_t length) {
        const auto from = what.before.begin() + static_cast<std::ptrdiff_t>(at);
        std::copy(from, from + static_cast<std::ptrdiff_t>(length),
                  of.cached.begin() + static_cast<std::ptrdiff_t>(what.number * block + at));
    }

    name_table names_;
    name_table durable_names_;
    std::vector<name_change> name_changes_;
    std::vector<std::pair<file_name, std::shared_ptr<stored_file>>> lost_names_;
    std::size_t syncs_ = 0;
};

/// A file's bytes as they are read.
class memory_source final : public storage::core::readable_file {
  public:
    explicit memory_source(base::byte_view bytes) : bytes_(bytes) {}
    [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
    [[nodiscard]] bool read(std::uint64_t offset, std::span<std::byte> into) override {
        const base::byte_view from = bytes_.subspan(offset, into.size());
        std::copy(from.begin(), from.end(), into.begin());
        return true;
    }
    [[nodiscard]] bool past_cache() const override { return true; }

  private:
    base::byte_view bytes_;
};

/// The same disk for what runs on a device: a start, and who reads entries back.
class memory_device final : public storage::core::device {
  public:
    explicit memory_device(block_device& on) : on_(on) {}

    /// The process ends when it has done so many.
    void end_after(std::size_t operations) { left_ = operations; }

    [[nodiscard]] result<void> execute(const storage::core::device_operation& operation) override {
        if (left_ == std::size_t{0}) {
            return error{.code = errc::unavailable, .doing = "the process has ended"};
        }
        left_ = left_ ? std::optional{*left_ - 1} : std::nullopt;
        on_.execute(operation);
        return {};
    }
    [[nodiscard]] result<std::vector<storage::core::found_file>> list() override {
        std::vector<storage::core::found_file> all;
        for (const auto& name : on_.directory()) {
            all.push_back({.name = name, .size = on_.bytes(name).size()});
        }
        return all;
    }
    [[nodiscard]] result<std::unique_ptr<storage::core::readable_file>> open(
        const storage::core::file_name& name, storage::core::read_from) override {
        if (!on_.has(name)) {
            return error{.code = errc::not_found,
                         .doing = "opening " + storage::core::to_text(name)};
        }
        return std::make_unique<memory_source>(on_.bytes(name));
    }

  private:
    block_device& on_;
    std::optional<std::size_t> left_;
};

} // namespace almenara::test
