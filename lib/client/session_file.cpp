#include "client/session_file.hpp"

#include "base/bytes.hpp"
#include "base/hash.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace almenara::client {

namespace {

/// Twice what a client holds (C.3), and more: what is longer was not written by one.
constexpr std::size_t largest_session_file = std::size_t{256} << 20U;

/// What can be read of it; its header first of all.
result<session_content> content_of(const open_file& file, const std::string& path) {
    const auto bytes = read_all(file, path, largest_session_file);
    if (!bytes) {
        return bytes.error();
    }
    return read_session_file(base::as_bytes(*bytes));
}

/// By what a start of the machine is told from others. 0: unknown.
std::uint32_t this_boot() {
    static const std::uint32_t boot = [] {
        std::string id;
        std::getline(std::ifstream{"/proc/sys/kernel/random/boot_id"}, id);
        return id.empty() ? 0U : static_cast<std::uint32_t>(base::xxh3_64(base::as_bytes(id)));
    }();
    return boot;
}

/// Cuts off the record that the last process was about to write down, if that is what it is.
result<void> cut_half_record(const open_file& file, session_content& content) {
    const bool is_of_this_boot = content.header.boot != 0 && content.header.boot == this_boot();
    if (!content.damage || content.damage->code != errc::truncated || !is_of_this_boot) {
        return {};
    }
    if (::ftruncate(file.number(), static_cast<off_t>(content.size)) != 0) {
        return last_system_error("cutting off half a record");
    }
    content.damage.reset();
    return {};
}

} // namespace

session_file::session_file(std::string path, open_file file, session_content content)
    : path_(std::move(path)),
      file_(std::move(file)),
      content_(std::move(content)),
      next_(content_.next),
      end_(content_.size) {
    for (const auto& record : content_.open) {
        open_.emplace(record.operation.seq, record.offset);
    }
}

result<std::optional<session_file>> session_file::take(const std::string& path) {
    auto opened = open_own_file(path);
    if (!opened) {
        return opened.error();
    }
    if (!*opened || !(*opened)->lock() || !(*opened)->has_name()) {
        return std::optional<session_file>{};
    }
    auto content = content_of(**opened, path);
    if (!content) {
        // Who has it may give it a name that tells so; nobody else is at it now.
        session_content nothing;
        nothing.damage = content.error();
        content = std::move(nothing);
    } else if (auto cut = cut_half_record(**opened, *content); !cut) {
        return cut.error();
    }
    return std::optional{session_file{path, std::move(**opened), std::move(*content)}};
}

result<session_file> session_file::make(const std::string& path, const session_header& what) {
    // Nobody finds it before it is locked and whole.
    const std::string beside = path + ".new";
    open_file file{
        ::open(beside.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file) {
        return last_system_error(fmt::format("creating '{}'", beside));
    }
    session_content content;
    content.header = what;
    content.header.boot = this_boot();
    const base::byte_vector header = encode_header(content.header);
    auto written = write_at(file, 0, base::as_text(header), beside);
    if (!written || !file.lock()) {
        const error why =
            written ? last_system_error(fmt::format("locking '{}'", beside)) : written.error();
        ::unlink(beside.c_str());
        return why;
    }
    if (std::rename(beside.c_str(), path.c_str()) != 0) {
        return last_system_error(fmt::format("renaming '{}' to '{}'", beside, path));
    }
    content.next = what.next;
    content.size = session_header_size;
    return session_file{path, std::move(file), std::move(content)};
}

result<void> session_file::write_down(const std::vector<kept_operation>& what) {
    if (broken_) {
        return error{
            errc::system_failed,
            fmt::format("writing '{}': an earlier attempt could not be taken back", path_)};
    }
    if (content_.header.boot != this_boot()) {
        if (auto written = write_header(); !written) {
            return written;
        }
    }
    base::byte_vector records;
    std::vector<std::uint64_t> places;
    for (const kept_operation& each : what) {
        places.push_back(end_ + records.size());
        append_record(records, places.back(), each);
    }
    if (auto written = write_at(file_, static_cast<off_t>(end_), base::as_text(records), path_);
        !written) {
        broken_ = ::ftruncate(file_.number(), static_cast<off_t>(end_)) != 0;
        return written;
    }
    end_ += records.size();
    for (std::size_t i = 0; i < what.size(); ++i) {
        open_.emplace(what[i].seq, places[i]);
        next_ = std::max(next_, what[i].seq.next());
    }
    return {};
}

result<void> session_file::note_end(sequence which) {
    const auto place = open_.find(which);
    if (place == open_.end()) {
        return {};
    }
    const std::array<char, 1> mark{static_cast<char>(ended_mark)};
    auto written = write_at(file_, static_cast<off_t>(mark_of_record(place->second)),
                            {mark.data(), mark.size()}, path_);
    if (!written) {
        return written;
    }
    open_.erase(place);
    if (end_ >= session_header_size + enough_to_cut) {
        cut();
    }
    return {};
}

result<void> session_file::use_numbers(sequence upto) {
    const sequence before = std::exchange(next_, std::max(next_, upto));
    auto written = write_header();
    if (!written) {
        next_ = before;
    }
    return written;
}

void session_file::cut() {
    // The records go when the header says what they said; else they stay, which is as good.
    if (open_.empty() && end_ > session_header_size && !broken_ && write_header() &&
        ::ftruncate(file_.number(), session_header_size) == 0) {
        end_ = session_header_size;
    }
}

void session_file::remove() {
    ::unlink(path_.c_str());
}

result<void> session_file::set_aside() {
    return client::set_aside(path_);
}

result<void> session_file::write_header() {
    session_header header = content_.header;
    header.next = next_;
    header.boot = this_boot();
    const base::byte_vector bytes = encode_header(header);
    auto written = write_at(file_, 0, base::as_text(bytes), path_);
    if (written) {
        content_.header.boot = header.boot;
    }
    return written;
}

} // namespace almenara::client
